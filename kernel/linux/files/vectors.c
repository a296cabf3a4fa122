/*
 * A program's struct iovec: how many ranges of its memory a call is about, copied and checked.
 *
 * Any call's thread; what more than a few ranges need is the caller's until files_vectors_end().
 */
#include "files.h"

#include "runtime.h"

k42_result files_vectors_get(struct files_vectors *vectors, uintptr_t from, size_t count) {
    enum { MOST = 1024 };
    if (count > MOST)
        return -EINVAL;
    vectors->at = vectors->few;
    vectors->count = count;
    vectors->total = 0;
    if (count > FILES_VECTORS_FEW)
        vectors->at = k42_platform_alloc(count * sizeof *vectors->at);
    if (!vectors->at)
        return -ENOMEM;
    /* A range is laid out as struct iovec is. */
    k42_result result = count ? files_copy_in(vectors->at, from, count * sizeof *vectors->at) : 0;
    for (size_t n = 0; n < count && result == 0; n++) {
        if ((int64_t)vectors->at[n].length < 0)
            result = -EINVAL;
        size_t left = FILES_BYTES_MOST - vectors->total;
        vectors->at[n].length = vectors->at[n].length < left ? vectors->at[n].length : left;
        vectors->total += vectors->at[n].length;
    }
    if (result < 0)
        files_vectors_end(vectors);
    return result;
}

void files_vectors_end(struct files_vectors *vectors) {
    if (vectors->at != vectors->few)
        k42_platform_free(vectors->at);
}
