/*
 * Who has a file open, and who runs it: two words of the node's state, its number of writers, or
 * less than 0 that of runners, and of those who only read. So a swap of the node takes them along.
 *
 * They are changed where a file is opened and where a program begins, and both have just changed
 * the count of the node's holders, beside which they lie.
 */
#ifndef KERNEL_FS_CLAIMS_H
#define KERNEL_FS_CLAIMS_H

#include "node.h"

#include <errno.h>

K42_MUST_CHECK
static inline k42_result claims_add(struct node_claims *claims, unsigned claim) {
    if (claim == NODE_ONLY_READ) {
        __atomic_add_fetch(&claims->readers, 1, __ATOMIC_SEQ_CST);
        return 0;
    }
    int32_t step = claim == NODE_RUN ? -1 : 1;
    int32_t now = __atomic_load_n(&claims->writers, __ATOMIC_RELAXED);
    do
        if (now * step < 0) /* the others are there */
            return -ETXTBSY;
    while (!__atomic_compare_exchange_n(&claims->writers, &now, now + step, true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    return 0;
}

static inline void claims_remove(struct node_claims *claims, unsigned claim) {
    if (claim == NODE_ONLY_READ)
        __atomic_sub_fetch(&claims->readers, 1, __ATOMIC_ACQ_REL);
    else
        __atomic_sub_fetch(&claims->writers, claim == NODE_RUN ? -1 : 1, __ATOMIC_ACQ_REL);
}

/* Each as it is at some moment of the call, in this order. */
static inline void claims_look(const struct node_claims *claims, struct node_claims *now) {
    now->writers = __atomic_load_n(&claims->writers, __ATOMIC_SEQ_CST);
    now->readers = __atomic_load_n(&claims->readers, __ATOMIC_SEQ_CST);
}

#endif
