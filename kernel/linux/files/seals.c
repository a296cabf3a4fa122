/*
 * Adding seals to an open file. See seals.h.
 *
 * Whoever wants to write waits for it, so no signal ends it: it takes what a write takes. No state.
 */
#include "seals.h"

#include "files.h"

static k42_result add_now(file_ref file, uintptr_t seals) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE,
              k42_call(file, control, FILE_ADD_SEALS, seals));
    return result;
}

k42_result seals_add(file_ref file, uintptr_t seals) {
    k42_result result = add_now(file, seals);
    if (result == -EBUSY) {
        files_wait_for_ended();
        result = add_now(file, seals);
    }
    if (result == -ENOTTY) /* as said by what is open for writing, and otherwise, too */
        result = open_writes((unsigned)k42_call(file, flags)) ? -EINVAL : -EPERM;
    return result;
}
