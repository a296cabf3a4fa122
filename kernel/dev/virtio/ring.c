/*
 * A split virtqueue (virtio 1.2, 2.7).
 *
 *     descriptors   size x 16 bytes   address, length, flags, next
 *     available     what we offer: an index, and heads of chains
 *     used          what comes back: an index, and heads with lengths
 *     tables        for each descriptor an indirect table
 *
 * What the device needs to know is written to shared memory and never read back; free lists and
 * lengths are kept in slots, which it cannot reach.
 *
 * Order. Descriptors and the entry of the available ring are written before its index (release);
 * the device reads the index first. The used index is read (acquire) before its entries. "Publish,
 * then see whether the device sleeps" and "go to sleep, then see whether something came" pair with
 * the same two steps on the device's side; each has a full fence between, or both could sleep.
 */
#include "ring.h"

#include "../dma.h"

#include <errno.h>

enum { NEXT = 1, WRITE = 2, INDIRECT = 4 };
enum { NO_INTERRUPT = 1, NO_NOTIFY = 1 };

struct ring_descriptor {
    uint64_t address;
    uint32_t bytes;
    uint16_t flags, next;
};

struct ring_available {
    uint16_t flags, index;
    uint16_t heads[]; /* and behind them the used index at which we want an interrupt */
};

struct ring_used {
    uint16_t flags, index;
    struct ring_used_entry {
        uint32_t head, written;
    } entries[]; /* and behind them the available index at which the device wants a notice */
};

struct ring_slot {
    void *token;       /* of the chain that begins here */
    uint32_t writable; /* its bytes */
    uint16_t next;     /* of the chain, or of the free list */
    uint16_t length;   /* of the chain that begins here; 0: none does */
};

#define CACHE_LINE 64u

static size_t up(size_t bytes, size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

static size_t available_offset(unsigned size) {
    return size * sizeof(struct ring_descriptor);
}

static size_t used_offset(unsigned size) {
    return up(available_offset(size) + sizeof(struct ring_available) + 2 * (size + 1), CACHE_LINE);
}

static size_t tables_offset(unsigned size) {
    return up(used_offset(size) + sizeof(struct ring_used) + size * sizeof(struct ring_used_entry) +
                  2,
              CACHE_LINE);
}

size_t ring_shared_bytes(unsigned size, unsigned table_pieces) {
    return tables_offset(size) + (size_t)size * table_pieces * sizeof(struct ring_descriptor);
}

size_t ring_own_bytes(unsigned size) {
    return size * sizeof(struct ring_slot);
}

void ring_open(struct ring *ring, unsigned size, unsigned table_pieces, bool event_index,
               void *shared, uint64_t physical, void *own) {
    char *base = shared;
    *ring = (struct ring){
        .descriptors = shared,
        .available = (void *)(base + available_offset(size)),
        .used = (void *)(base + used_offset(size)),
        .tables = (void *)(base + tables_offset(size)),
        .physical = physical,
        .tables_physical = physical + tables_offset(size),
        .slots = own,
        .size = (uint16_t)size,
        .table_pieces = (uint16_t)table_pieces,
        .free_count = (uint16_t)size,
        .event_index = event_index,
    };
    for (unsigned i = 0; i < size; i++)
        ring->slots[i] = (struct ring_slot){.next = (uint16_t)((i + 1) % size)};
}

uint64_t ring_descriptors_at(const struct ring *ring) {
    return ring->physical;
}

uint64_t ring_available_at(const struct ring *ring) {
    return ring->physical + available_offset(ring->size);
}

uint64_t ring_used_at(const struct ring *ring) {
    return ring->physical + used_offset(ring->size);
}

static uint16_t *wanted_interrupt(struct ring *ring) {
    return &ring->available->heads[ring->size];
}

static const uint16_t *wanted_notice(const struct ring *ring) {
    return (const uint16_t *)(const void *)&ring->used->entries[ring->size];
}

/* ---- putting in ---- */

static uint16_t take_descriptor(struct ring *ring) {
    uint16_t taken = ring->free;
    ring->free = ring->slots[taken].next;
    ring->free_count--;
    return taken;
}

/* A table of the pieces, which the slot's one descriptor then stands for. */
static void write_table(struct ring *ring, uint16_t head, const struct ring_piece *pieces,
                        unsigned out, unsigned in) {
    size_t first = (size_t)head * ring->table_pieces;
    struct ring_descriptor *table = &ring->tables[first];
    unsigned count = out + in;
    for (unsigned i = 0; i < count; i++)
        table[i] = (struct ring_descriptor){
            .address = pieces[i].physical,
            .bytes = pieces[i].bytes,
            .flags = (uint16_t)((i >= out ? WRITE : 0) | (i + 1 < count ? NEXT : 0)),
            .next = (uint16_t)(i + 1),
        };
    ring->descriptors[head] = (struct ring_descriptor){
        .address = ring->tables_physical + first * sizeof *table,
        .bytes = (uint32_t)(count * sizeof *table),
        .flags = INDIRECT,
    };
}

static uint16_t write_chain(struct ring *ring, const struct ring_piece *pieces, unsigned out,
                            unsigned in) {
    uint16_t head = take_descriptor(ring), at = head;
    for (unsigned i = 0;; i++) {
        bool last = i + 1 == out + in;
        uint16_t next = last ? 0 : take_descriptor(ring);
        ring->descriptors[at] = (struct ring_descriptor){
            .address = pieces[i].physical,
            .bytes = pieces[i].bytes,
            .flags = (uint16_t)((i >= out ? WRITE : 0) | (last ? 0 : NEXT)),
            .next = next,
        };
        if (last)
            return head;
        ring->slots[at].next = next;
        at = next;
    }
}

int ring_add(struct ring *ring, const struct ring_piece *pieces, unsigned out, unsigned in,
             void *token) {
    unsigned count = out + in;
    bool indirect = count > 1 && count <= ring->table_pieces;
    unsigned wanted = indirect ? 1 : count;
    if (ring->broken)
        return -EIO;
    if (!count || wanted > ring->size)
        return -EMSGSIZE;
    if (wanted > ring->free_count)
        return -EAGAIN;
    uint64_t writable = 0;
    for (unsigned i = out; i < count; i++)
        writable += pieces[i].bytes;
    if (writable > ~0u)
        return -EMSGSIZE;
    uint16_t head;
    if (indirect)
        write_table(ring, head = take_descriptor(ring), pieces, out, in);
    else
        head = write_chain(ring, pieces, out, in);
    struct ring_slot *slot = &ring->slots[head];
    slot->token = token;
    slot->writable = (uint32_t)writable;
    slot->length = (uint16_t)wanted;
    ring->available->heads[ring->next_available++ % ring->size] = head;
    ring->outstanding++;
    return 0;
}

/* Whether an index that moved from `before` to `now` passed the one that was asked for. */
static bool passed(uint16_t wanted, uint16_t now, uint16_t before) {
    return (uint16_t)(now - wanted - 1) < (uint16_t)(now - before);
}

bool ring_publish(struct ring *ring) {
    uint16_t before = ring->published, now = ring->next_available;
    if (before == now)
        return false;
    ring->published = now;
    __atomic_store_n(&ring->available->index, now, __ATOMIC_RELEASE);
    dma_fence();
    if (ring->event_index)
        return passed(__atomic_load_n(wanted_notice(ring), __ATOMIC_RELAXED), now, before);
    return !(__atomic_load_n(&ring->used->flags, __ATOMIC_RELAXED) & NO_NOTIFY);
}

/* ---- taking out ---- */

static void *free_chain(struct ring *ring, uint16_t head) {
    struct ring_slot *slot = &ring->slots[head];
    uint16_t length = slot->length, last = head;
    for (unsigned i = 1; i < length; i++)
        last = ring->slots[last].next;
    ring->slots[last].next = ring->free;
    ring->free = head;
    ring->free_count = (uint16_t)(ring->free_count + length);
    slot->length = 0;
    ring->outstanding--;
    return slot->token;
}

static int break_ring(struct ring *ring) {
    ring->broken = true;
    return -EIO;
}

int ring_take(struct ring *ring, void **token, uint32_t *written) {
    if (ring->broken)
        return -EIO;
    uint16_t index = __atomic_load_n(&ring->used->index, __ATOMIC_ACQUIRE);
    if (index == ring->next_used)
        return 0;
    if ((uint16_t)(index - ring->next_used) > ring->outstanding)
        return break_ring(ring);
    const struct ring_used_entry *entry = &ring->used->entries[ring->next_used % ring->size];
    /* Read once: the device may change it after it was checked. */
    uint32_t head = __atomic_load_n(&entry->head, __ATOMIC_RELAXED);
    uint32_t bytes = __atomic_load_n(&entry->written, __ATOMIC_RELAXED);
    if (head >= ring->size || !ring->slots[head].length || bytes > ring->slots[head].writable)
        return break_ring(ring);
    ring->next_used++;
    *token = free_chain(ring, (uint16_t)head);
    *written = bytes;
    return 1;
}

void *ring_reclaim(struct ring *ring) {
    for (unsigned i = 0; ring->outstanding && i < ring->size; i++)
        if (ring->slots[i].length)
            return free_chain(ring, (uint16_t)i);
    return NULL;
}

void ring_quiet(struct ring *ring) {
    if (!ring->event_index)
        __atomic_store_n(&ring->available->flags, NO_INTERRUPT, __ATOMIC_RELAXED);
}

bool ring_listen(struct ring *ring) {
    if (ring->event_index)
        __atomic_store_n(wanted_interrupt(ring), ring->next_used, __ATOMIC_RELAXED);
    else
        __atomic_store_n(&ring->available->flags, 0, __ATOMIC_RELAXED);
    dma_fence();
    return __atomic_load_n(&ring->used->index, __ATOMIC_ACQUIRE) != ring->next_used;
}
