/*
 * Blocks: 512 pages of a file that lie together, and can be mapped as one page. See body_block.c.
 */
#ifndef KERNEL_FCM_BODY_BLOCK_H
#define KERNEL_FCM_BODY_BLOCK_H

#include "body.h"

#define BLOCK_ORDER 9u
#define BLOCK_PAGES (1ul << BLOCK_ORDER)
#define BLOCK_BYTES (BLOCK_PAGES << PAGE_SHIFT)
#define BLOCK_NONE  (~0ul)

/* What the words of a block's pages say, at some moments while they are looked at. */
struct block_seen {
    uint64_t physical; /* where the first page lies or would lie, as the others say; 0: none does */
    uint64_t filling;  /* the last page that is on its way, or BLOCK_NONE */
    uint64_t absent;   /* the last that is absent, or BLOCK_NONE */
    bool broken; /* it will not be whole: a page lies elsewhere, leaves or could not be filled */
};
struct block_seen fcm_body_look_at_block(const struct body *body, uint64_t first);
/* Gives a whole block, held, to be mapped for reading. -EAGAIN: it is not whole; -K42_WAIT. */
K42_MUST_CHECK
k42_result fcm_body_get_block(struct body *body, uint64_t first, struct fcm_page *page);
/* Whether the block that a page, which is marked as leaving, is part of is held by its first page.
 */
bool fcm_body_block_is_held(const struct body *body, uint64_t index, uint64_t word);
/* The same, and then those who wait for the first page are told when it is held no more. */
bool fcm_body_block_is_awaited(struct body *body, uint64_t index, uint64_t word);
/* The other pages of a page's block that are mapped count as used. */
void fcm_body_use_block(struct body *body, uint64_t index);

#endif
