/*
 * modify_ldt: descriptors of segments of a program's own. It gets none, and can be told so.
 *
 * No state.
 */
#include "linux.h"
#include "program.h"

#include <errno.h>

enum { LDT_READ, LDT_WRITE_OLD, LDT_READ_DEFAULT, LDT_WRITE = 0x11, LDT_DEFAULT_BYTES = 128 };

static k42_result read_default(uintptr_t to, unsigned long size) {
    static const uint8_t zeros[LDT_DEFAULT_BYTES];
    size_t bytes = size < sizeof zeros ? size : sizeof zeros;
    k42_result result = program_write(to, zeros, bytes);
    return result < 0 ? result : (k42_result)bytes;
}

/*
 * Its result is an int: an error is no negative number to who looks at the whole register.
 * Partly: descriptors can be read, of which there are none, and not written.
 */
LINUX_CALL(154, modify_ldt, int what, uintptr_t at, unsigned long size) {
    switch (what) {
    case LDT_READ:
        return 0;
    case LDT_READ_DEFAULT:
        return (unsigned)read_default(at, size);
    default:
        return (unsigned)-ENOSYS;
    }
}
