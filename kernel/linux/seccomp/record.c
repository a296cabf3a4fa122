/*
 * What filters have written down: a line in the kernel's log for each call, as Linux's audit has
 * it, but for the program's file. Ten lines in five seconds at most, so that nobody floods it.
 *
 * Data: when the present five seconds began, and how many lines they have had; atomic, and a line
 * too many where two meet does no harm.
 */
#include "../../print.h"
#include "../clocks.h"
#include "filters.h"

#include <linux/audit.h>

enum { LINES_MOST = 10 };
#define LINES_IN_NS (5 * (uint64_t)NS_PER_SECOND)

static bool has_room(void) {
    static uint64_t began_ns;
    static uint32_t lines;
    uint64_t now = time_ns();
    if (now - __atomic_load_n(&began_ns, __ATOMIC_RELAXED) >= LINES_IN_NS) {
        __atomic_store_n(&began_ns, now, __ATOMIC_RELAXED);
        __atomic_store_n(&lines, 0, __ATOMIC_RELAXED);
    }
    return __atomic_fetch_add(&lines, 1, __ATOMIC_RELAXED) < LINES_MOST;
}

void seccomp_record(const struct task *task, const struct seccomp_data *data, uint32_t action,
                    int ends_by) {
    const struct credentials *who = task->credentials;
    if (!has_room())
        return;
    print("audit: type=1326 uid=%u gid=%u pid=%d comm=\"%s\" sig=%d arch=%x syscall=%d compat=0 "
          "ip=0x%lx code=0x%x",
          who->uid, who->gid, task->pid, task->name, ends_by, AUDIT_ARCH_X86_64, data->nr,
          (uint64_t)data->instruction_pointer, action);
}
