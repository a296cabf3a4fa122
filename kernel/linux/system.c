/*
 * The machine as programs see it: uname, sysinfo, its name, its end, its log.
 *
 * Names are guarded by a lock of their own.
 */
#include "system.h"

#include "../dev/tty/tty_devices.h"
#include "../mem/frame/frame.h"
#include "../print.h"
#include "abi.h"
#include "next_kernel.h"
#include "process/ids.h"
#include "program.h"
#include "runtime.h"
#include "task.h"

#include <k42/k42.h>

#define PERSONA_KIND    0xffu
#define PERSONA_LINUX32 8u

static struct {
    struct k42_lock lock;
    char host[SYSTEM_NAME], domain[SYSTEM_NAME];
} names = {.host = "k42", .domain = "(none)"};

void system_names(char *host, char *domain) {
    k42_lock(&names.lock);
    __builtin_memcpy(host, names.host, SYSTEM_NAME);
    __builtin_memcpy(domain, names.domain, SYSTEM_NAME);
    k42_unlock(&names.lock);
}

/* What a program sees that says it is of 32 bits: builds for such machines ask. */
LINUX_CALL(63, uname, uintptr_t to) {
    struct new_utsname system = {"Linux", "", SYSTEM_RELEASE, SYSTEM_VERSION, "x86_64", ""};
    if ((task_self()->persona & PERSONA_KIND) == PERSONA_LINUX32)
        __builtin_memcpy(system.machine, "i686", 5);
    system_names(system.nodename, system.domainname);
    return program_write(to, &system, sizeof system);
}

static k42_result set_name(char *name, uintptr_t from, int length) {
    char text[SYSTEM_NAME] = {0};
    if (!task_capable(task_self(), CAP_SYS_ADMIN))
        return -EPERM;
    if (length < 0 || length >= SYSTEM_NAME)
        return -EINVAL;
    k42_result result = program_read(text, from, (size_t)length);
    if (result < 0)
        return result;
    k42_lock(&names.lock);
    __builtin_memcpy(name, text, sizeof text);
    k42_unlock(&names.lock);
    return 0;
}

LINUX_CALL(170, sethostname, uintptr_t from, int length) {
    return set_name(names.host, from, length);
}

LINUX_CALL(171, setdomainname, uintptr_t from, int length) {
    return set_name(names.domain, from, length);
}

void system_memory(uint64_t *total, uint64_t *available) {
    struct frame_statistics frames;
    frames_count(&frames);
    *total = frames.present;
    *available = frames.free + frames.idle + frames.cached;
}

static uint16_t count_processes(void) {
    uint64_t count = 0;
    for (int number = ids_next(1); number; number = ids_next(number + 1))
        count++;
    return count > UINT16_MAX ? UINT16_MAX : (uint16_t)count;
}

LINUX_CALL(99, sysinfo, uintptr_t to) {
    uint64_t total, available;
    system_memory(&total, &available);
    struct sysinfo info = {
        .uptime = (int64_t)(time_ns() / 1000000000),
        .totalram = total * FRAME_SIZE,
        .freeram = available * FRAME_SIZE,
        .procs = count_processes(),
        .mem_unit = 1,
    };
    return program_write(to, &info, sizeof info);
}

/* ---- the end ---- */

#define PATIENCE_NS 2000000000ul /* for what was written to leave */

static k42_result end_machine(unsigned command) {
    if (command != LINUX_REBOOT_CMD_CAD_ON && command != LINUX_REBOOT_CMD_CAD_OFF)
        tty_devices_drain(PATIENCE_NS);
    switch (command) {
    case LINUX_REBOOT_CMD_RESTART:
    case LINUX_REBOOT_CMD_RESTART2:
        print("linux: %s (%d) restarts the machine", task_self()->name, task_self()->pid);
        machine_reboot();
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        print("linux: %s (%d) switches the machine off", task_self()->name, task_self()->pid);
        machine_exit(0);
    case LINUX_REBOOT_CMD_KEXEC:
        return next_kernel_start();
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}

LINUX_CALL(169, reboot, unsigned magic, unsigned again, unsigned command) {
    if (!task_capable(task_self(), CAP_SYS_BOOT))
        return -EPERM;
    if (magic != LINUX_REBOOT_MAGIC1 ||
        (again != LINUX_REBOOT_MAGIC2 && again != LINUX_REBOOT_MAGIC2A &&
         again != LINUX_REBOOT_MAGIC2B && again != LINUX_REBOOT_MAGIC2C))
        return -EINVAL;
    return end_machine(command);
}

/* The kernel's lines go to the console; none are kept. */
LINUX_CALL(103, syslog, int action, uintptr_t to, int length) {
    (void)to, (void)length;
    switch (action) {
    case 2: /* read; nothing ever comes */
    case 3:
    case 4:
    case 9:
    case 10:
        return 0;
    default:
        return action >= 0 && action <= 10 ? 0 : -EINVAL;
    }
}
