/*
 * The space of the thread that runs: kept where the processor's part keeps what else it knows of
 * the thread's program.
 */
#include <errno.h>

#include "../../arch/x86_64/user.h"
#include "../../copy.h"
#include "../../sched/wait.h"
#include "space.h"

space_ref space_current(void) {
    return (space_ref)user_current()->space;
}

void space_set_current(space_ref space) {
    user_current()->space = (uintptr_t)space;
}

/* A page that a cursor lacks, in the midst of a method: without waiting. */
static k42_result bring(uintptr_t address, bool write) {
    return k42_call(space_current(), fault, address,
                    write ? SPACE_ACCESS_WRITE : SPACE_ACCESS_READ);
}

/* Waits for the page that ended a copy; the copy is made again afterwards. */
static k42_result resolve(uintptr_t address, uint32_t write, uint64_t deadline, unsigned flags) {
    k42_result result;
    WAIT_CALL(result, deadline, flags, bring(address, write));
    return result == 0 || result == -EINTR || result == -ETIMEDOUT ? result : -EFAULT;
}

void spaces_open(void) {
    copy_fault = bring;
    wait_resolve_fault = resolve;
}
