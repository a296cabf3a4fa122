/*
 * Pages of reserved address space: filling, sharing, copying and discarding them without a lock.
 *
 * Two CPUs that fault on one page each prepare a frame; the compare-and-swap on the entry lets one
 * of them win, the other frees its own and makes its access again, to the winner's page. No CPU
 * remembers an entry that is nothing (machine.h), so nothing need be flushed.
 *
 * From shared to private needs more: other CPUs may remember the shared page, and would go on
 * reading the template after the first store to the copy. So the entry becomes busy, everybody
 * forgets the page, and only then the copy shows. While it is busy nobody has stored to the copy,
 * and the template that some still read is what the page holds.
 *
 * Discarding makes entries busy too, so that no frame is freed while somebody remembers it, and no
 * new page shows while somebody may still store to the old one.
 *
 * Whoever makes an entry busy has interrupts off until it is not, so it is never waited for by the
 * code it interrupted; it waits itself for nothing but the flush and, discarding, for entries at
 * higher addresses than those it made busy. So there is no circle of waiting.
 *
 * Owns: the consumer `pages`, urgent since the runtime cannot do without. Fails: with false.
 */
#include "pages.h"

#include <errno.h>

#include "reserve.h"

#define DISCARD_BATCH 32u

static struct frame_consumer *pages;

int pages_open(void) {
    pages = frame_consumer_create("reserves", FRAME_URGENT);
    return pages ? 0 : -ENOMEM;
}

uint64_t reserve_frames(void) {
    struct frame_usage usage;
    frame_consumer_usage(pages, &usage);
    return usage.used;
}

/* ---- entries ---- */

static machine_entry entry_read(machine_entry *entry) {
    return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

/* Release: whoever translates by the new entry sees what the frame was filled with. */
static bool entry_change(machine_entry *entry, machine_entry from, machine_entry to) {
    return __atomic_compare_exchange_n(entry, &from, to, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

static void entry_set(machine_entry *entry, machine_entry to) {
    __atomic_store_n(entry, to, __ATOMIC_RELEASE);
}

static machine_entry entry_wait(machine_entry *entry) {
    machine_entry value;
    while ((value = entry_read(entry)) == MACHINE_ENTRY_BUSY)
        machine_relax();
    return value;
}

static struct frame *frame_new(void) {
    struct frame *frame;
    return frame_allocate(0, pages, &frame) ? NULL : frame;
}

/* ---- faults ---- */

bool page_fill(uintptr_t page) {
    machine_entry *entry = machine_entry_make(page);
    if (!entry)
        return false;
    if (entry_wait(entry))
        return true;
    struct frame *frame = frame_new();
    if (!frame)
        return entry_wait(entry) != 0;
    machine_zero_page(frame_memory(frame));
    if (!entry_change(entry, 0, machine_entry_to(frame_physical(frame), true)))
        frame_free(frame, 0);
    return true;
}

/* The template's pages stay from their first use until all tables are gone. */
static bool find_template(uintptr_t template_page, uint64_t *physical) {
    if (!page_fill(template_page))
        return false;
    *physical = machine_entry_physical(entry_read(machine_entry_find(template_page)));
    return true;
}

bool page_share(uintptr_t page, uintptr_t template_page) {
    uint64_t physical;
    machine_entry *entry = machine_entry_make(page);
    if (!entry || !find_template(template_page, &physical))
        return false;
    if (!entry_wait(entry))
        (void)entry_change(entry, 0, machine_entry_to(physical, false));
    return true;
}

/* Shows the copy where nothing or the template was. False: somebody else changed the entry. */
static bool show_copy(uintptr_t page, machine_entry *entry, machine_entry before,
                      machine_entry copy) {
    if (!before)
        return entry_change(entry, 0, copy);
    if (!entry_change(entry, before, MACHINE_ENTRY_BUSY))
        return false;
    machine_flush(page, page + MACHINE_PAGE_SIZE);
    entry_set(entry, copy);
    return true;
}

bool page_copy(uintptr_t page, uintptr_t template_page) {
    uint64_t physical;
    machine_entry *entry = machine_entry_make(page);
    if (!entry || !find_template(template_page, &physical))
        return false;
    machine_entry before = entry_wait(entry);
    if (before && machine_entry_writable(before))
        return true;
    struct frame *frame = frame_new();
    if (!frame)
        return false;
    machine_copy_page(frame_memory(frame), machine_memory(physical));
    if (!show_copy(page, entry, before, machine_entry_to(frame_physical(frame), true)))
        frame_free(frame, 0);
    return true;
}

/* ---- discarding ---- */

struct discarded {
    uint32_t count;
    machine_entry *entries[DISCARD_BATCH];
    machine_entry values[DISCARD_BATCH];
    uintptr_t first, end; /* addresses */
};

static machine_entry make_busy(machine_entry *entry, bool shared_too) {
    for (;;) {
        machine_entry value = entry_wait(entry);
        if (!value || (!shared_too && !machine_entry_writable(value)))
            return 0;
        if (entry_change(entry, value, MACHINE_ENTRY_BUSY))
            return value;
    }
}

/* Collects a batch from `address` on; returns where to go on. */
static uintptr_t collect(struct discarded *batch, uintptr_t address, uintptr_t end,
                         bool shared_too) {
    while (address < end && batch->count < DISCARD_BATCH) {
        machine_entry *entry = machine_entry_find(address);
        if (!entry) {
            address = (address & ~(MACHINE_TABLE_SPAN - 1)) + MACHINE_TABLE_SPAN;
            continue;
        }
        machine_entry value = make_busy(entry, shared_too);
        if (value) {
            if (!batch->count)
                batch->first = address;
            batch->end = address + MACHINE_PAGE_SIZE;
            batch->entries[batch->count] = entry;
            batch->values[batch->count++] = value;
        }
        address += MACHINE_PAGE_SIZE;
    }
    return address;
}

static void release(struct discarded *batch) {
    if (!batch->count)
        return;
    machine_flush(batch->first, batch->end);
    for (uint32_t i = 0; i < batch->count; i++) {
        entry_set(batch->entries[i], 0);
        if (machine_entry_writable(batch->values[i]))
            frame_free(frame_at(machine_entry_physical(batch->values[i])), 0);
    }
}

static void discard(uintptr_t start, uintptr_t end, bool shared_too) {
    while (start < end) {
        struct discarded batch = {.count = 0};
        uintptr_t interrupts = machine_interrupts_off();
        start = collect(&batch, start, end, shared_too);
        release(&batch);
        machine_interrupts_restore(interrupts);
    }
}

void pages_discard_private(uintptr_t start, uintptr_t end) {
    discard(start, end, false);
}

void pages_discard(uintptr_t start, uintptr_t end) {
    discard(start, end, true);
}
