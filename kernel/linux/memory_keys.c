/*
 * Protection keys: pkey_alloc, pkey_free, pkey_mprotect, as on a processor without any. What has
 * none (-1) is protected as by mprotect(); programs that would like keys ask for one and do
 * without.
 *
 * No state.
 */
#include "memory_calls.h"

#include "linux.h"

#include <errno.h>

enum { KEY_NONE = -1, KEY_RIGHTS = 3 };

/* Partly: a processor's keys are not used, so there is none to be had. */
LINUX_CALL(330, pkey_alloc, unsigned long flags, unsigned long rights) {
    return flags || (rights & ~(unsigned long)KEY_RIGHTS) ? -EINVAL : -ENOSPC;
}

/* Partly: as pkey_alloc(). */
LINUX_CALL(331, pkey_free, int key) {
    (void)key;
    return -EINVAL;
}

LINUX_CALL(329, pkey_mprotect, uintptr_t address, size_t length, int protection, int key) {
    return key == KEY_NONE || !length ? memory_protect(address, length, protection) : -EINVAL;
}
