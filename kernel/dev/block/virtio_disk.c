/*
 * Disks by virtio: finding the device, reading what kind of disk it is, opening its queues.
 *
 * Owns: nothing once the disk's object exists, which has it from then on.
 */
#include "virtio_disk.h"

#include "../../arch/x86_64/arch.h"
#include "../../print.h"
#include "../dma.h"
#include "../names.h"
#include "runtime.h"

/* Features and configuration (virtio 1.2, 5.2). */
#define F_SIZE_MAX  (1ul << 1)
#define F_SEG_MAX   (1ul << 2)
#define F_READ_ONLY (1ul << 5)
#define F_SECTOR    (1ul << 6)
#define F_FLUSH     (1ul << 9)
#define F_QUEUES    (1ul << 12)
#define F_DISCARD   (1ul << 13)
#define WANTED      (F_SIZE_MAX | F_SEG_MAX | F_READ_ONLY | F_SECTOR | F_FLUSH | F_QUEUES | F_DISCARD)
enum {
    CAPACITY = 0,
    SIZE_MAX_AT = 8,
    SEG_MAX_AT = 12,
    SECTOR_AT = 20,
    QUEUES_AT = 34,
    DISCARD_AT = 36
};

#define RING_SIZE  128u
#define QUEUES_MAX 64u

static uint32_t least(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

uint64_t disk_capacity(const struct disk *disk) {
    return virtio_config_read64(&disk->device, CAPACITY);
}

static void read_geometry(struct disk *disk) {
    const struct virtio_device *device = &disk->device;
    struct block_geometry *geometry = &disk->geometry;
    geometry->sectors = disk_capacity(disk);
    geometry->sector_bytes = BLOCK_SECTOR;
    geometry->pieces_max = DATA_PIECES;
    geometry->piece_bytes_max = 1u << 30;
    if (device->features & F_SECTOR)
        geometry->sector_bytes = virtio_config_read(device, SECTOR_AT, 4);
    if (device->features & F_SEG_MAX)
        geometry->pieces_max = least(DATA_PIECES, virtio_config_read(device, SEG_MAX_AT, 4));
    uint32_t room = disk->queues[0].queue.ring.size - OTHER_PIECES;
    if (!(device->features & VIRTIO_F_INDIRECT))
        geometry->pieces_max = least(geometry->pieces_max, room);
    if (device->features & F_SIZE_MAX)
        geometry->piece_bytes_max = virtio_config_read(device, SIZE_MAX_AT, 4);
    if (device->features & F_DISCARD)
        disk->discard_max = virtio_config_read(device, DISCARD_AT, 4);
    geometry->flags = (device->features & F_READ_ONLY ? BLOCK_READ_ONLY : 0) |
                      (device->features & F_FLUSH ? BLOCK_CACHES : 0) |
                      (disk->discard_max ? BLOCK_DISCARDS : 0);
    geometry->queues = disk->queue_count;
}

static bool geometry_makes_sense(const struct block_geometry *geometry) {
    uint32_t bytes = geometry->sector_bytes;
    return bytes >= BLOCK_SECTOR && bytes <= 65536 && !(bytes & (bytes - 1)) &&
           geometry->pieces_max && geometry->piece_bytes_max >= bytes;
}

static int open_queue(struct disk *disk, unsigned number) {
    struct disk_queue *queue = &disk->queues[number];
    queue->disk = disk;
    int error = virtio_queue_open(&disk->device, &queue->queue, number, RING_SIZE, PIECES,
                                  number % cpu_count(), disk_reap_queue);
    if (error)
        return error;
    unsigned size = queue->queue.ring.size;
    queue->slots = dma_allocate(size * sizeof *queue->slots, &queue->slots_physical);
    queue->requests = k42_platform_alloc(size * sizeof *queue->requests);
    queue->free = k42_platform_alloc(size * sizeof *queue->free);
    if (!queue->slots || !queue->requests || !queue->free)
        return -ENOMEM;
    while (queue->free_count < size) {
        queue->free[queue->free_count] = (uint16_t)(size - 1 - queue->free_count);
        queue->free_count++;
    }
    return ring_listen(&queue->queue.ring) ? -EIO : 0;
}

/* Interrupt context. */
static void notice_change(void *argument) {
    work_raise(&((struct disk *)argument)->changed);
}

static int open_device(struct disk *disk) {
    work_init(&disk->changed, 0, disk_reap_change);
    int error = virtio_watch(&disk->device, notice_change, disk);
    for (unsigned n = 0; n < disk->queue_count && !error; n++)
        error = open_queue(disk, n);
    if (error)
        return error;
    if (disk->queues[0].queue.ring.size <= OTHER_PIECES)
        return -EIO;
    read_geometry(disk);
    if (!geometry_makes_sense(&disk->geometry))
        return -EIO;
    return 0;
}

void disk_close(struct disk *disk) {
    for (unsigned n = 0; n < disk->queue_count; n++) {
        struct disk_queue *queue = &disk->queues[n];
        virtio_queue_close(&queue->queue);
        dma_free(queue->slots);
        k42_platform_free(queue->requests);
        k42_platform_free(queue->free);
    }
    k42_platform_free(disk);
}

static unsigned queues_of(const struct virtio_device *device) {
    unsigned queues = device->features & F_QUEUES ? virtio_config_read(device, QUEUES_AT, 2) : 1;
    return least(least(queues, cpu_count()), QUEUES_MAX);
}

static int make_object(struct disk *disk) {
    k42_ref ref;
    k42_result result = k42_create(&block_virtio, disk, &ref);
    if (result < 0)
        return (int)result;
    disk->ref = (block_ref)ref;
    int error = virtio_ready(&disk->device);
    if (!error)
        error = (int)device_list(disk->name, &block_interface, ref);
    return error;
}

/* Disks are vda, vdb and so on, in the order they are found. */
static int probe(const struct pci_function *function) {
    static char next = 'a';
    if (virtio_kind(function) != VIRTIO_BLOCK || next > 'z')
        return -ENODEV;
    struct virtio_device device;
    int error = virtio_open(function, WANTED, &device);
    if (error)
        return error;
    unsigned queues = queues_of(&device);
    struct disk *disk =
        k42_platform_alloc(sizeof *disk + (queues ? queues : 1) * sizeof disk->queues[0]);
    if (!disk) {
        virtio_close(&device);
        return -ENOMEM;
    }
    disk->device = device;
    disk->queue_count = queues;
    k42_format_text(disk->name, sizeof disk->name, "vd%s", (const char[]){next, 0});
    error = queues ? open_device(disk) : -EIO;
    if (error) {
        virtio_close(&disk->device);
        disk_close(disk);
        return error;
    }
    error = make_object(disk);
    if (error)
        return error;
    next++;
    print("block %s: %lu sectors of %u bytes, %u queues%s", disk->name, disk->geometry.sectors,
          disk->geometry.sector_bytes, disk->queue_count,
          disk->geometry.flags & BLOCK_READ_ONLY ? ", read-only" : "");
    return 0;
}

PCI_DRIVER(virtio_blk) = {
    .name = "virtio-blk",
    .vendor = VIRTIO_VENDOR,
    .device_first = VIRTIO_FIRST,
    .device_last = VIRTIO_LAST,
    .class_ = PCI_ANY,
    .probe = probe,
};
