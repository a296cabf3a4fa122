/*
 * pipe and pipe2; getrandom, which needs no file.
 */
#include "files.h"

#include "../../fs/pipe/pipe.h"
#include "../../fs/random.h"

/* Both descriptors, or neither. */
static k42_result add_both(file_ref reader, file_ref writer, unsigned flags, int32_t *numbers) {
    k42_result result = files_add(reader, flags);
    if (result < 0) {
        (void)!k42_call(writer, release);
        return result;
    }
    numbers[0] = (int32_t)result;
    result = files_add(writer, flags);
    numbers[1] = (int32_t)result;
    return result;
}

static k42_result make_pipe(uintptr_t to, unsigned flags) {
    k42_ref reader, writer;
    int32_t numbers[2] = {-1, -1};
    if (flags & ~(unsigned)(OPEN_CLOSE_ON_EXEC | OPEN_NON_BLOCKING | OPEN_DIRECT))
        return -EINVAL;
    k42_result result = pipe_open(flags & OPEN_NON_BLOCKING, &reader, &writer);
    if (result < 0)
        return result;
    result = add_both((file_ref)reader, (file_ref)writer, flags, numbers);
    if (result < 0) {
        files_take_back(numbers[0]); /* -1 is nobody's */
        return result;
    }
    result = files_copy_out(to, numbers, sizeof numbers);
    if (result < 0) {
        files_take_back(numbers[0]);
        files_take_back(numbers[1]);
    }
    return result;
}

LINUX_CALL(22, pipe, uintptr_t to) {
    return make_pipe(to, 0);
}

LINUX_CALL(293, pipe2, uintptr_t to, unsigned flags) {
    return make_pipe(to, flags);
}

enum { RANDOM_NON_BLOCKING = 1, RANDOM_RANDOM = 2, RANDOM_INSECURE = 4, RANDOM_MOST = 0x7ffff000 };

LINUX_CALL(318, getrandom, uintptr_t to, size_t size, unsigned flags) {
    if ((flags & ~7u) ||
        (flags & (RANDOM_RANDOM | RANDOM_INSECURE)) == (RANDOM_RANDOM | RANDOM_INSECURE))
        return -EINVAL;
    struct copy copy = copy_of_user(to, size < RANDOM_MOST ? size : RANDOM_MOST);
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0, random_copy(&copy));
    return linux_result(result, -EFAULT);
}
