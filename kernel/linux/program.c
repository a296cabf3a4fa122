/*
 * The program's memory: copies that wait for pages which are not there. See program.h.
 */
#include "program.h"

#include "../arch/x86_64/user_copy.h"
#include "../sched/wait.h"
#include "task.h"

#include <errno.h>
#include <k42/k42.h>

k42_result program_fault(uintptr_t address, unsigned access) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
              k42_call(task_self()->space, fault, address, access));
    return result;
}

static k42_result bring(uintptr_t address, enum space_access access) {
    if (!user_range_ok(address, 1))
        return -EFAULT;
    k42_result result = program_fault(address, access);
    return result < 0 && result != -EINTR ? -EFAULT : result;
}

k42_result program_read(void *to, uintptr_t from, size_t size) {
    char *at = to;
    size_t left;
    while ((left = user_copy_in(at, from, size))) {
        at += size - left;
        from += size - left;
        size = left;
        k42_result result = bring(from, SPACE_ACCESS_READ);
        if (result < 0)
            return result;
    }
    return 0;
}

k42_result program_write(uintptr_t to, const void *from, size_t size) {
    const char *at = from;
    size_t left;
    while ((left = user_copy_out(to, at, size))) {
        at += size - left;
        to += size - left;
        size = left;
        k42_result result = bring(to, SPACE_ACCESS_WRITE);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Whichever of its pages is missing: it is read from the start again. */
k42_result program_read_text(char *to, uintptr_t from, size_t size) {
    for (;;) {
        k42_result length = user_string_in(to, from, size);
        if (length != -EFAULT)
            return length;
        uintptr_t page = from;
        uint8_t byte;
        while (!user_get8(&byte, page))
            page = (page | (FRAME_SIZE - 1)) + 1;
        if (page - from >= size)
            return -EFAULT;
        k42_result result = bring(page, SPACE_ACCESS_READ);
        if (result < 0)
            return result;
    }
}
