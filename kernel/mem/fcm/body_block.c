/*
 * Blocks: 512 pages of a file that lie in one block of 2 MiB of memory, each at its place, so that
 * one entry of a page table maps them all.
 *
 * Nothing is written down of a block. It is whole as long as all its pages are present and lie so,
 * and whoever wants to know looks at their words: some 4,000 instructions, where 512 pages are
 * mapped for it. Their frames are single ones from the beginning (frame_part), so a page of a block
 * is a page like any other: it is written back, cut off and handed to another class by itself, and
 * when it leaves the block is not whole any more.
 *
 * Who maps a block holds its first page, and thereby all of them. A page that is to leave is marked
 * first, and then its block is looked at; who maps the block holds it first, and then looks for
 * pages so marked. Both are full barriers: so either the block is not mapped, or the page does not
 * leave before that is over. That a page is part of a block is seen from where it lies; one that
 * just happens to lie so waits in vain, which does no harm.
 *
 * All pages of a block count as mapped before it is, since they are looked at then anyway.
 */
#include "body_block.h"

/* ---- looking ---- */

static uint64_t load(const uint64_t *slot) {
    return __atomic_load_n(slot, __ATOMIC_SEQ_CST);
}

#define PAGE_STATE (PAGE_FRAME_MASK | PAGE_PRESENT | PAGE_LEAVING | PAGE_FILLING)

/* One that is not there in its place, or the first that is seen. */
static void look_at_page(struct block_seen *seen, uint64_t word, uint64_t index) {
    uint64_t inside = (index % BLOCK_PAGES) << PAGE_SHIFT, physical = page_physical(word);
    if (!seen->physical && physical)
        seen->physical = physical - inside;
    if (word & (PAGE_LEAVING | PAGE_FAILED) ||
        (physical && (physical - inside != seen->physical || seen->physical % BLOCK_BYTES)))
        seen->broken = true;
    if (word & PAGE_FILLING)
        seen->filling = index;
    if (!word)
        seen->absent = index;
}

struct block_seen fcm_body_look_at_block(const struct body *body, uint64_t first) {
    struct block_seen seen = {.filling = BLOCK_NONE, .absent = BLOCK_NONE};
    for (uint64_t at = first; at < first + BLOCK_PAGES && !seen.broken; at += PAGE_TREE_SLOTS) {
        const uint64_t *slots = page_tree_find(&body->its.tree, at);
        for (uint64_t i = 0; i < PAGE_TREE_SLOTS; i++) {
            uint64_t word = slots ? load(&slots[i]) : 0;
            uint64_t there = seen.physical + ((at - first + i) << PAGE_SHIFT);
            if ((word & PAGE_STATE) != (there | PAGE_PRESENT))
                look_at_page(&seen, word, at + i);
        }
    }
    return seen;
}

/* ---- holding ---- */

/* The word of the first page of the block that a page may be part of; NULL: of none, or it is the
 * first itself. */
static uint64_t *first_of(const struct body *body, uint64_t index, uint64_t word) {
    uint64_t inside = (index % BLOCK_PAGES) << PAGE_SHIFT;
    if (!inside || (page_physical(word) & (BLOCK_BYTES - 1)) != inside)
        return NULL;
    uint64_t *slot = page_tree_find(&body->its.tree, index - index % BLOCK_PAGES);
    return slot && page_physical(load(slot)) == page_physical(word) - inside ? slot : NULL;
}

bool fcm_body_block_is_held(const struct body *body, uint64_t index, uint64_t word) {
    const uint64_t *slot = first_of(body, index, word);
    return slot && page_holds(load(slot));
}

bool fcm_body_block_is_awaited(struct body *body, uint64_t index, uint64_t word) {
    uint64_t *slot = first_of(body, index, word);
    uint64_t first = slot ? load(slot) : 0;
    do {
        if (!page_holds(first))
            return false;
    } while (!page_change(slot, &first, first | PAGE_AWAITED));
    return true;
}

/* ---- mapping ---- */

/* A page counts as mapped, and as one that somebody has got. False: it is not there, or not in its
 * place. */
static bool map_page(uint64_t *slot, uint64_t physical) {
    uint64_t word = load(slot), to;
    do {
        if ((word & (PAGE_PRESENT | PAGE_LEAVING)) != PAGE_PRESENT ||
            page_physical(word) != physical)
            return false;
        to = (word | PAGE_MAPPED) & ~(uint64_t)PAGE_FRESH;
    } while (to != word && !page_change(slot, &word, to));
    return true;
}

static bool map_pages(struct body *body, uint64_t first, uint64_t physical) {
    const uint64_t known = PAGE_FRAME_MASK | PAGE_PRESENT | PAGE_LEAVING | PAGE_MAPPED | PAGE_FRESH;
    if (physical % BLOCK_BYTES)
        return false;
    for (uint64_t at = 0; at < BLOCK_PAGES; at += PAGE_TREE_SLOTS) {
        uint64_t *slots = page_tree_find(&body->its.tree, first + at);
        for (uint64_t i = 0; i < PAGE_TREE_SLOTS; i++, physical += PAGE_BYTES)
            if (!slots || ((load(&slots[i]) & known) != (physical | PAGE_PRESENT | PAGE_MAPPED) &&
                           !map_page(&slots[i], physical)))
                return false;
    }
    return true;
}

k42_result fcm_body_get_block(struct body *body, uint64_t first, struct fcm_page *page) {
    uint64_t word;
    k42_result result = fcm_body_hold(body, first, FCM_CACHED, &word);
    if (result)
        return result == -K42_WAIT ? result : -EAGAIN;
    if (!map_pages(body, first, page_physical(word))) {
        fcm_body_drop(body, first, 0);
        return -EAGAIN;
    }
    *page =
        (struct fcm_page){.physical = page_physical(word), .order = BLOCK_ORDER, .index = first};
    return 0;
}

/* ---- using ---- */

/* What the processor notes of a block it notes once; each page of it has then been used. */
void fcm_body_use_block(struct body *body, uint64_t index) {
    uint64_t first = index - index % BLOCK_PAGES, at = first;
    for (uint64_t *slot; (slot = page_tree_next(&body->its.tree, &at)) && at < first + BLOCK_PAGES;
         at++) {
        uint64_t word = page_load(slot);
        while (at != index &&
               (word & (PAGE_PRESENT | PAGE_MAPPED | PAGE_LEAVING | PAGE_USED)) ==
                   (PAGE_PRESENT | PAGE_MAPPED) &&
               !page_change(slot, &word, word | PAGE_USED))
            ;
    }
}
