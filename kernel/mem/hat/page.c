/*
 * Single entries: what they allow, whose page it is, and how what is taken away comes to its end.
 *
 * A private page goes back to the PM only when no CPU remembers it, so pages are gathered, flushed
 * together, and let go of then.
 */
#include "tables.h"

struct frame *page_frame(uint64_t entry) {
    uint64_t physical = user_entry_frame(entry);
    return frame_at(entry & ENTRY_PART ? physical & ~(LEAF_BYTES - 1) : physical);
}

bool page_is_ours(uint64_t entry) {
    struct frame *frame = page_frame(entry);
    if (entry & ENTRY_PART)
        return !(__atomic_load_n(&frame->tag, __ATOMIC_RELAXED) & FRAME_FORKED);
    return holds_of(frame) == 1;
}

void frame_give(k42_id pm, uint64_t physical, unsigned order, unsigned flags) {
    k42_result given = k42_call((pm_ref)k42_id_ref(pm), give, physical, order, flags);
    if (given == -K42_STALE)
        given = k42_call(pm_machine, give, physical, order, flags);
    (void)given;
}

/* One entry fewer; true: nobody has it any more. The last entry has what is remembered to itself
 * while it still counts: afterwards the frame may be the cache's alone, and gone. */
static bool page_leave(struct frame *frame, unsigned order) {
    uint32_t holds = holds_of(frame);
    while (holds & ~FRAME_CACHED & ~1u)
        if (__atomic_compare_exchange_n(&frame->holds, &holds, holds - 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            return false;
    if (order || frame_remembers(frame))
        frame_forget_all(frame, order);
    return holds == 1 || __atomic_sub_fetch(&frame->holds, 1, __ATOMIC_ACQ_REL) == 0;
}

void page_drop(uint64_t entry) {
    struct frame *frame = page_frame(entry);
    unsigned order = entry & (ENTRY_PART | ENTRY_LARGE) ? LARGE_ORDER : 0;
    if (page_leave(frame, order))
        frame_give((k42_id)frame->user[0], frame_physical(frame), order, 0);
}

static unsigned page_flags(unsigned protection) {
    return (protection & HAT_WRITE ? USER_PAGE_WRITE : 0) |
           (protection & HAT_EXECUTE ? USER_PAGE_EXECUTE : 0) |
           (protection & HAT_UNCACHED ? USER_PAGE_UNCACHED : 0);
}

/* Accessed and dirty from the start, which spares the processor noting it. */
uint64_t entry_private(uint64_t physical, unsigned level, unsigned protection) {
    return user_entry_page(physical, level, page_flags(protection)) | ENTRY_PRIVATE |
           ENTRY_ACCESSED | ENTRY_DIRTY;
}

uint64_t entry_object(uint64_t physical, unsigned level, unsigned protection) {
    return user_entry_page(physical, level, page_flags(protection)) |
           (protection & HAT_OF_MEMORY ? ENTRY_OF_MEMORY : 0);
}

uint64_t entry_allow(uint64_t entry, unsigned protection) {
    entry &= ~(ENTRY_PRESENT | ENTRY_WRITABLE | ENTRY_NX);
    entry |= protection & (HAT_READ | HAT_WRITE | HAT_EXECUTE) ? ENTRY_PRESENT : 0;
    entry |= protection & HAT_WRITE ? ENTRY_WRITABLE : 0;
    entry |= protection & HAT_EXECUTE ? 0 : user_entry_nx;
    return entry;
}

void gather_begin(struct gather *gather, struct hat_tables *tables) {
    gather->tables = tables;
    gather->count = 0;
    user_flush_begin(&gather->flush, tables->table);
}

void gather_leaf(struct gather *gather, struct frame *frame) {
    user_flush_frame(&gather->flush, frame_physical(frame));
}

void gather_finish(struct gather *gather) {
    user_flush_finish(&gather->flush);
    for (unsigned n = 0; n < gather->count; n++)
        page_drop(gather->entries[n]);
    gather_begin(gather, gather->tables);
}
