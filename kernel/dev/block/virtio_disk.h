/*
 * Disks by virtio, inside: what virtio_blk.c (the object) and virtio_disk.c (the device) share.
 */
#ifndef KERNEL_VIRTIO_DISK_H
#define KERNEL_VIRTIO_DISK_H

#include "../virtio/virtio.h"
#include "block.h"

#define DATA_PIECES  64u
#define OTHER_PIECES 2u /* a header and the status */
#define PIECES       (DATA_PIECES + OTHER_PIECES)

/* What the device reads and writes for one request; it shares no line with another. */
struct slot {
    struct {
        uint32_t type, unused;
        uint64_t sector;
    } header;
    struct {
        uint64_t sector;
        uint32_t count, flags;
    } discard;
    uint8_t status;
} __attribute__((aligned(64)));

struct disk_queue {
    struct virtio_queue queue;
    struct disk *disk;
    struct slot *slots;
    uint64_t slots_physical;
    struct block_request **requests; /* by slot; NULL: free */
    uint16_t *free;                  /* a stack of free slots */
    unsigned free_count;
    bool starved; /* somebody was told to wait */
};

struct disk {
    char name[8];
    struct virtio_device device;
    block_ref ref;
    struct block_geometry geometry;
    uint32_t discard_max; /* sectors */
    struct work changed;
    enum { DISK_ALIVE, DISK_DYING, DISK_DEAD } state;
    unsigned queue_count;
    struct disk_queue queues[];
};

/* virtio_disk.c: how many sectors the device says there are now. */
uint64_t disk_capacity(const struct disk *disk);
/* Gives everything back. The device is not used any more, no work is under way. */
void disk_close(struct disk *disk);

/* virtio_blk.c: what the device's interrupts lead to. */
void disk_reap_queue(struct virtio_queue *queue);
void disk_reap_change(struct work *work);
extern struct k42_class block_virtio;

#endif
