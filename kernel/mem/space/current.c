/*
 * The space of the thread that runs: kept where the processor's part keeps what else it knows of
 * the thread's program.
 */
#include <errno.h>

#include "../../arch/x86_64/user.h"
#include "../../sched/wait.h"
#include "space.h"

space_ref space_current(void) {
    return (space_ref)user_current()->space;
}

void space_set_current(space_ref space) {
    user_current()->space = (uintptr_t)space;
}

/* Waits for the page that ended a copy; the copy is made again afterwards. */
static k42_result resolve(uintptr_t address, uint32_t access, uint64_t deadline, unsigned flags) {
    k42_result result;
    WAIT_CALL(result, deadline, flags, k42_call(space_current(), fault, address, access));
    return result == 0 || result == -EINTR || result == -ETIMEDOUT ? result : -EFAULT;
}

void spaces_open(void) {
    wait_resolve_fault = resolve;
}
