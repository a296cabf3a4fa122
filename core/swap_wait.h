/*
 * The waiting of a swapper whose mediators are in place.
 */
#ifndef K42_CORE_SWAP_WAIT_H
#define K42_CORE_SWAP_WAIT_H

#include "mediator.h"

static inline bool k42_swap_under_way(const struct k42_swap *request) {
    return request->mediator && !k42_load_acquire(&request->mediator->ended);
}

/* Takes each request that is under way through its phases forward and block to its end, or gives it
 * up when its deadline has passed. The caller is inactive. */
void k42_swap_wait(struct k42_swap *const *requests, size_t count);

#endif
