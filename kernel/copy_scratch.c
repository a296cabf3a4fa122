#include "copy.h"
#include <errno.h>
k42_result copy_out(struct copy *copy, const void *from, size_t length) {
    if (copy->user)
        return -EFAULT;
    size_t n = length < copy->here ? length : copy->here;
    __builtin_memcpy((void *)copy->at, from, n);
    copy->at += n;
    copy->here -= n;
    copy->left -= n;
    return (k42_result)n;
}
k42_result copy_in(struct copy *copy, void *to, size_t length) {
    if (copy->user)
        return -EFAULT;
    size_t n = length < copy->here ? length : copy->here;
    __builtin_memcpy(to, (void *)copy->at, n);
    copy->at += n;
    copy->here -= n;
    copy->left -= n;
    return (k42_result)n;
}
