/*
 * A split virtqueue: how a driver hands buffers to a virtio device and gets them back.
 *
 * Pure: memory in, memory out; it notifies nobody and knows no addresses but those it is given, so
 * the host's tests run it against devices of their own. The caller locks: one call at a time.
 *
 * A device is not trusted. What it says it has used must be a buffer that it was given, and no more
 * of it than there was; once it says otherwise the ring is broken, and stays so.
 */
#ifndef KERNEL_VIRTIO_RING_H
#define KERNEL_VIRTIO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One contiguous piece of a buffer. */
struct ring_piece {
    uint64_t physical;
    uint32_t bytes;
};

struct ring_descriptor;
struct ring_available;
struct ring_used;
struct ring_slot;

struct ring {
    /* shared with the device */
    struct ring_descriptor *descriptors;
    struct ring_available *available;
    struct ring_used *used;
    struct ring_descriptor *tables; /* indirect ones, `table_pieces` for each slot */
    uint64_t physical, tables_physical;
    /* ours alone: the device cannot touch it */
    struct ring_slot *slots;
    uint16_t size, table_pieces;
    uint16_t free, free_count; /* descriptors, linked through their slots */
    uint16_t next_available, published, next_used;
    uint16_t outstanding; /* buffers that the device has */
    bool event_index, broken;
};

/*
 * Memory that a ring of `size` descriptors (a power of two up to 32768) needs: shared with the
 * device, page aligned and zeroed; and of its own, zeroed. table_pieces: the most pieces of a
 * buffer for which a table of its own is used, so that it takes one descriptor; 0: none.
 */
size_t ring_shared_bytes(unsigned size, unsigned table_pieces);
size_t ring_own_bytes(unsigned size);

void ring_open(struct ring *ring, unsigned size, unsigned table_pieces, bool event_index,
               void *shared, uint64_t physical, void *own);

/* Where the device finds the three parts. */
uint64_t ring_descriptors_at(const struct ring *ring);
uint64_t ring_available_at(const struct ring *ring);
uint64_t ring_used_at(const struct ring *ring);

/*
 * Puts a buffer in: `out` pieces that the device reads, then `in` that it writes. The token comes
 * back with it. 0; -EAGAIN: no room until something is taken; -EMSGSIZE: it never fits, or is
 * nothing; -EIO: the ring is broken. The device sees it after ring_publish().
 */
int ring_add(struct ring *ring, const struct ring_piece *pieces, unsigned out, unsigned in,
             void *token);
/* Shows the device what was put in. True: it wants to be notified. */
bool ring_publish(struct ring *ring);

/*
 * Takes a buffer that the device is done with, and how many bytes it says it wrote. 1; 0: none;
 * -EIO: broken.
 */
int ring_take(struct ring *ring, void **token, uint32_t *written);
/* Takes any buffer back from a device that has been reset; NULL: there is none. */
void *ring_reclaim(struct ring *ring);

/* Asks for no interrupts, as far as the device listens. */
void ring_quiet(struct ring *ring);
/* Asks for one at the next buffer. True: one came already, and no interrupt may follow. */
bool ring_listen(struct ring *ring);

#endif
