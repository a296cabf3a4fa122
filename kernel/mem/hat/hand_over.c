/*
 * What becomes of pages that the clock (page_out.c) took from an address space, when every CPU has
 * forgotten them. page_out.c says which of three ways a page takes.
 *
 * Who else has a page may drop his entry, copy the page, or fork at any moment: the entry that went
 * counts until the page is the cache's, or dropped.
 *
 * Owns nothing. Locking: relief's thread alone, which holds no lock here. Fails: never.
 */
#include "outgoing.h"

/* Our entry's hold becomes the cache's. The slot is remembered before, while it counts still; if it
 * was the last, there is nobody to remember it. */
static void give_frame(const struct gone *gone) {
    struct frame *frame = page_frame(gone->entry);
    page_remember(gone->entry, gone->slot);
    if (__atomic_add_fetch(&frame->holds, FRAME_CACHED - 1, __ATOMIC_ACQ_REL) == FRAME_CACHED)
        page_forget(gone->entry);
    swap_put(gone->slot, user_entry_frame(gone->entry));
}

static void give_copy(const struct gone *gone) {
    struct frame *block = page_frame(gone->entry), *frame = frame_at(gone->copy);
    machine_copy_page(machine_memory(gone->copy), machine_memory(user_entry_frame(gone->entry)));
    frame->holds = FRAME_CACHED;
    frame->user[0] = k42_id_of(pm_machine);
    if (__atomic_load_n(&block->tag, __ATOMIC_RELAXED) & FRAME_FORKED)
        page_remember(gone->entry, gone->slot);
    else
        swap_drop(gone->slot);
    swap_put(gone->slot, gone->copy);
    page_drop(gone->entry);
}

void outgoing_hand_over(const struct outgoing *out) {
    for (unsigned n = 0; n < out->count; n++) {
        const struct gone *gone = &out->gone[n];
        if (gone->known)
            page_drop(gone->entry);
        else if (gone->copy)
            give_copy(gone);
        else
            give_frame(gone);
    }
}

/* Frames for parts, of the machine: what they are for leaves other accounts. */
void outgoing_take_copies(struct outgoing *out) {
    out->copy_lacks = false;
    while (out->copies < out->slots) {
        struct k42_pair taken = k42_call(pm_machine, take, 0, PM_URGENT | PM_TRY);
        if (taken.result < 0)
            break;
        out->copy[out->copies++] = taken.word;
    }
    out->no_copies = !out->copies;
}

void outgoing_end(const struct outgoing *out) {
    for (unsigned n = 0; n < out->slots; n++)
        swap_spare(out->slot[n]);
    for (unsigned n = 0; n < out->copies; n++)
        frame_give(k42_id_of(pm_machine), out->copy[n], 0, 0);
}
