/*
 * The program's memory: see program.h. A page that is not there is waited for in the trap
 * (personality.c).
 */
#include "program.h"

#include "../arch/x86_64/user_copy.h"
#include "../sched/wait.h"
#include "call.h"
#include "task.h"

#include <errno.h>
#include <k42/k42.h>

k42_result program_fault(uintptr_t address, unsigned access) {
    k42_result result;
    bool again;
    do {
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                  k42_call(task_self()->space, fault, address, access));
        if (result != -ENOMEM)
            break;
        k42_exit();
        again = out_of_memory_wait();
        k42_enter();
    } while (again);
    return result;
}

k42_result program_read(void *to, uintptr_t from, size_t size) {
    return user_copy_in(to, from, size) ? -EFAULT : 0;
}

k42_result program_write(uintptr_t to, const void *from, size_t size) {
    return user_copy_out(to, from, size) ? -EFAULT : 0;
}

k42_result program_read_text(char *to, uintptr_t from, size_t size) {
    return user_string_in(to, from, size);
}
