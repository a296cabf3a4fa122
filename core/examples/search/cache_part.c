/*
 * The descriptors of one CPU: chained hash over a fixed pool, made at the CPU's first use of the
 * cache. Under the part's lock.
 */
#include "cache_part.h"

#include <stdlib.h>

/* There is always a spare one: each describes another page of the table. */
struct descriptor *part_add(struct cache_part *part, struct page *page) {
    uint32_t index = part->spare;
    struct descriptor *descriptor = &part->descriptors[index - 1];
    uint32_t *bucket = &part->buckets[page_hash(page->number, part->shift)];
    part->spare = descriptor->next;
    *descriptor = (struct descriptor){.number = page->number, .page = page, .next = *bucket};
    *bucket = index;
    return descriptor;
}

void descriptor_fold(struct descriptor *descriptor) {
    struct page *page = descriptor->page;
    page->holds += descriptor->holds;
    page->uses += descriptor->uses;
    page->accessed |= descriptor->accessed;
    descriptor->holds = 0;
    descriptor->uses = 0;
    descriptor->accessed = 0;
}

static void part_remove(struct cache_part *part, struct descriptor *descriptor) {
    uint32_t index = (uint32_t)(descriptor - part->descriptors) + 1;
    uint32_t *link = &part->buckets[page_hash(descriptor->number, part->shift)];
    while (*link != index)
        link = &part->descriptors[*link - 1].next;
    *link = descriptor->next;
    descriptor->next = part->spare;
    part->spare = index;
}

void part_withdraw(struct cache_part *part, const struct page *page) {
    struct descriptor *descriptor = part_find(part, page->number);
    if (!descriptor)
        return;
    descriptor_fold(descriptor);
    part_remove(part, descriptor);
}

void part_fold(struct cache_part *part, size_t capacity, struct cache_counts *sum) {
    cache_counts_move(sum, &part->counts);
    part->next_window = POLICY_WINDOW;
    /* Those not in use are zero, so that their page is not looked at. */
    for (size_t i = 0; part->descriptors && i < capacity; i++) {
        if (part->descriptors[i].holds || part->descriptors[i].uses)
            descriptor_fold(&part->descriptors[i]);
    }
}

void part_make_room(struct cache_part *part, size_t capacity) {
    unsigned shift = page_hash_shift(capacity);
    uint32_t *buckets = calloc((size_t)1 << (64 - shift), sizeof(*buckets));
    struct descriptor *descriptors = calloc(capacity, sizeof(*descriptors));
    if (!buckets || !descriptors || capacity >= UINT32_MAX) {
        free(buckets);
        free(descriptors);
        return;
    }
    for (size_t i = 0; i < capacity; i++)
        descriptors[i].next = i + 1 < capacity ? (uint32_t)i + 2 : 0;
    lock_part(part);
    int wanted = !part->buckets;
    if (wanted) {
        part->shift = shift;
        part->descriptors = descriptors;
        part->spare = 1;
        __atomic_store_n(&part->buckets, buckets, __ATOMIC_RELAXED); /* for the look without lock */
    }
    k42_unlock(&part->lock);
    if (!wanted) { /* another thread of this CPU was quicker */
        free(buckets);
        free(descriptors);
    }
}

void part_close(struct cache_part *part) {
    free(part->buckets);
    free(part->descriptors);
}
