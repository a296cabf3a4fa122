/*
 * Who has a file open for writing, and who runs it: one word of the node's state, its number of
 * writers, or less than 0 that of runners. So a swap of the node takes it along.
 *
 * It is changed where a file is opened for writing and where a program begins, and both have just
 * changed the count of the node's holders, beside which it lies.
 */
#ifndef KERNEL_FS_CLAIMS_H
#define KERNEL_FS_CLAIMS_H

#include "node.h"

#include <errno.h>

K42_MUST_CHECK
static inline k42_result claims_add(int32_t *claims, unsigned claim) {
    int32_t step = claim == NODE_RUN ? -1 : 1, now = __atomic_load_n(claims, __ATOMIC_RELAXED);
    do
        if (now * step < 0) /* the others are there */
            return -ETXTBSY;
    while (!__atomic_compare_exchange_n(claims, &now, now + step, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED));
    return 0;
}

static inline void claims_remove(int32_t *claims, unsigned claim) {
    __atomic_sub_fetch(claims, claim == NODE_RUN ? -1 : 1, __ATOMIC_ACQ_REL);
}

#endif
