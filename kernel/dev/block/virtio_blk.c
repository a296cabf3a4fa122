/*
 * Disks by virtio: an object of class block.virtio for each, with a queue for each CPU as far as
 * the device has them.
 *
 * A request takes a slot of its queue, which holds what the device reads and writes besides the
 * data: a header, a status. The device's end of a queue raises work on the queue's CPU; that calls
 * reap() of whatever object the disk is now, and then the requests' done().
 *
 * Owns: struct disk, which passes from one object to the next when the object is swapped, with the
 * requests under way. A disk that breaks its rules or asks for a reset is reset for good: what is
 * under way ends with -EIO, what comes later with -ENODEV.
 *
 * Locking: each queue's lock, leaf. Fails: -ENOMEM at the beginning; see block.h.
 */
#include "virtio_disk.h"

#include "../../arch/x86_64/arch.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../device_object.h"
#include "runtime.h"

enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4, TYPE_DISCARD = 11 };
enum { STATUS_OK = 0, STATUS_UNTOUCHED = 0xff };

static struct disk *disk_of(struct block *self) {
    return DEVICE_OF(self);
}

/* ---- submitting ---- */

static uint32_t type_of(enum block_operation operation) {
    static const uint32_t types[] = {[BLOCK_READ] = TYPE_IN,
                                     [BLOCK_WRITE] = TYPE_OUT,
                                     [BLOCK_FLUSH] = TYPE_FLUSH,
                                     [BLOCK_DISCARD] = TYPE_DISCARD};
    return types[operation];
}

static struct ring_piece piece_at(const struct disk_queue *queue, unsigned slot, size_t offset,
                                  uint32_t bytes) {
    return (struct ring_piece){queue->slots_physical + slot * sizeof(struct slot) + offset, bytes};
}

/* Fills in the slot and lists what the device reads, then what it writes. */
static void describe_request(struct disk_queue *queue, unsigned number,
                             const struct block_request *request, struct ring_piece *pieces,
                             unsigned *out, unsigned *in) {
    struct slot *slot = &queue->slots[number];
    unsigned count = 0;
    slot->header.type = type_of(request->operation);
    slot->header.sector = request->operation == BLOCK_FLUSH ? 0 : request->sector;
    slot->status = STATUS_UNTOUCHED;
    pieces[count++] = piece_at(queue, number, offsetof(struct slot, header), sizeof slot->header);
    if (request->operation == BLOCK_DISCARD) {
        slot->discard.sector = request->sector;
        slot->discard.count = (uint32_t)request->count;
        pieces[count++] =
            piece_at(queue, number, offsetof(struct slot, discard), sizeof slot->discard);
    }
    bool reads = request->operation == BLOCK_READ;
    *out = count;
    if (reads || request->operation == BLOCK_WRITE)
        for (unsigned i = 0; i < request->piece_count; i++)
            pieces[count++] =
                (struct ring_piece){request->pieces[i].physical, request->pieces[i].bytes};
    if (!reads)
        *out = count;
    pieces[count++] = piece_at(queue, number, offsetof(struct slot, status), 1);
    *in = count - *out;
}

/* The queue's lock is held. */
static k42_result put_in(struct disk_queue *queue, struct block_request *request) {
    struct ring_piece pieces[PIECES + 1];
    unsigned out, in;
    if (k42_load_relaxed(&queue->disk->state) != DISK_ALIVE)
        return -ENODEV;
    if (!queue->free_count) {
        queue->starved = true;
        return -K42_WAIT;
    }
    unsigned slot = queue->free[queue->free_count - 1];
    describe_request(queue, slot, request, pieces, &out, &in);
    int error = ring_add(&queue->queue.ring, pieces, out, in, &queue->requests[slot]);
    if (error == -EAGAIN)
        queue->starved = true;
    if (error)
        return error == -EAGAIN ? -K42_WAIT : -EIO;
    queue->free_count--;
    queue->requests[slot] = request;
    if (!request->more)
        virtio_kick(&queue->queue);
    return 0;
}

static k42_result virtio_submit(struct block *self, struct block_request *request) {
    struct disk *disk = disk_of(self);
    k42_result result;
    if (!block_request_fits(&disk->geometry, request, &result))
        return result;
    if (request->operation == BLOCK_FLUSH && !(disk->geometry.flags & BLOCK_CACHES)) {
        request->result = 0;
        return BLOCK_DONE;
    }
    if (request->operation == BLOCK_DISCARD && request->count > disk->discard_max)
        return -EINVAL;
    struct disk_queue *queue = &disk->queues[cpu_number() % disk->queue_count];
    k42_lock(&queue->queue.lock);
    result = put_in(queue, request);
    k42_unlock(&queue->queue.lock);
    if (result == -K42_WAIT)
        return wait_on(k42_id_of(disk->ref), BLOCK_KEY_ROOM, WAIT_WRITE);
    return result;
}

/* ---- reaping ---- */

static const char *operation_name(enum block_operation operation) {
    static const char *const names[] = {"read", "write", "flush", "discard"};
    return names[operation];
}

/* The lock is held. What the device wrote into the slot is looked at once. */
static void finish(struct disk_queue *queue, struct block_request **token, bool lost,
                   struct block_request ***last) {
    unsigned number = (unsigned)(token - queue->requests);
    struct block_request *request = *token;
    uint8_t status = __atomic_load_n(&queue->slots[number].status, __ATOMIC_RELAXED);
    *token = NULL;
    queue->free[queue->free_count++] = (uint16_t)number;
    request->result = lost || status != STATUS_OK ? -EIO : 0;
    request->next = NULL;
    **last = request;
    *last = &request->next;
}

/*
 * Resets the device for good. Requests are given back only afterwards, when it cannot reach their
 * memory any more; each queue's work does that.
 */
static void bury(struct disk *disk, const char *why) {
    if (__atomic_exchange_n(&disk->state, DISK_DYING, __ATOMIC_ACQ_REL) != DISK_ALIVE)
        return;
    print("block %s: %s; it is not used any more", disk->name, why);
    virtio_reset(&disk->device);
    k42_store_release(&disk->state, DISK_DEAD);
    for (unsigned i = 0; i < disk->queue_count; i++)
        work_raise(&disk->queues[i].queue.work);
}

/* The lock is held. False: the device broke the rules. */
static bool take_finished(struct disk_queue *queue, struct block_request **last) {
    struct ring *ring = &queue->queue.ring;
    void *token;
    uint32_t written;
    int taken;
    if (k42_load_acquire(&queue->disk->state) == DISK_DEAD) {
        while ((token = ring_reclaim(ring)))
            finish(queue, token, true, &last);
        return true;
    }
    do
        while ((taken = ring_take(ring, &token, &written)) > 0)
            finish(queue, token, false, &last);
    while (taken == 0 && ring_listen(ring));
    return taken == 0;
}

static void read_capacity(struct disk *disk) {
    if (virtio_needs_reset(&disk->device)) {
        bury(disk, "it asks for a reset");
        return;
    }
    uint64_t sectors = disk_capacity(disk);
    if (sectors != disk->geometry.sectors)
        print("block %s: now has %lu sectors", disk->name, sectors);
    k42_store_relaxed(&disk->geometry.sectors, sectors);
}

static k42_result virtio_reap(struct block *self, unsigned number,
                              struct block_request **finished) {
    struct disk *disk = disk_of(self);
    *finished = NULL;
    if (number == BLOCK_CHANGED) {
        read_capacity(disk);
        return 0;
    }
    if (number >= disk->queue_count)
        return -EINVAL;
    struct disk_queue *queue = &disk->queues[number];
    k42_lock(&queue->queue.lock);
    bool fine = take_finished(queue, finished);
    bool starved = queue->starved && queue->free_count;
    if (starved)
        queue->starved = false;
    k42_unlock(&queue->queue.lock);
    if (!fine)
        bury(disk, "it returned what it was not given");
    return starved;
}

static void report(const struct disk *disk, const struct block_request *request) {
    print("block %s: %s of %lu sectors at %lu failed", disk->name,
          operation_name(request->operation), request->count, request->sector);
}

/* Work: active, on the queue's CPU. */
void disk_reap_queue(struct virtio_queue *virtqueue) {
    struct disk_queue *queue = k42_container(virtqueue, struct disk_queue, queue);
    struct disk *disk = queue->disk;
    struct block_request *finished;
    k42_result result = k42_call(disk->ref, reap, (unsigned)virtqueue->number, &finished);
    if (result < 0)
        return;
    if (result)
        wait_notify(k42_id_of(disk->ref), BLOCK_KEY_ROOM, WAIT_WRITE, WAIT_ALL);
    while (finished) {
        struct block_request *request = finished;
        finished = request->next;
        if (request->result)
            report(disk, request);
        request->done(request);
    }
}

void disk_reap_change(struct work *work) {
    struct disk *disk = k42_container(work, struct disk, changed);
    struct block_request *none;
    if (k42_call(disk->ref, reap, BLOCK_CHANGED, &none) < 0)
        return;
}

/* ---- the object ---- */

static void end_requests(struct disk_queue *queue) {
    struct block_request **token;
    while ((token = ring_reclaim(&queue->queue.ring))) {
        struct block_request *request = *token;
        request->result = -ENODEV;
        request->done(request);
    }
}

static void disk_end(struct disk *disk) {
    virtio_close(&disk->device);
    work_settle(&disk->changed);
    for (unsigned i = 0; i < disk->queue_count; i++)
        work_settle(&disk->queues[i].queue.work);
    k42_enter();
    for (unsigned i = 0; i < disk->queue_count; i++)
        end_requests(&disk->queues[i]);
    k42_exit();
    disk_close(disk);
}

static k42_result virtio_geometry(struct block *self, struct block_geometry *geometry) {
    *geometry = disk_of(self)->geometry;
    return 0;
}

static k42_result virtio_describe(struct k42_object *self, char *text, size_t size) {
    struct disk *disk = disk_of((struct block *)(void *)self);
    uint64_t notices = 0, interrupts = 0;
    for (unsigned i = 0; i < disk->queue_count; i++) {
        notices += k42_load_relaxed(&disk->queues[i].queue.notices);
        interrupts += k42_load_relaxed(&disk->queues[i].queue.interrupts);
    }
    return (k42_result)k42_format_text(
        text, size, "%s: %lu sectors, %u queues, %lu notices, %lu interrupts%s%s", disk->name,
        disk->geometry.sectors, disk->queue_count, notices, interrupts,
        disk->geometry.flags & BLOCK_READ_ONLY ? ", read-only" : "",
        disk->state == DISK_ALIVE ? "" : ", dead");
}

/* The device goes with the object. Nobody is inside, but its interrupts may still raise work. */
static void virtio_fini(struct k42_root *root) {
    struct disk *disk = DEVICE_OF_ROOT(root);
    if (disk)
        disk_end(disk);
}

static const struct k42_transfer transfers[] = DEVICE_TRANSFERS(block_device_format);

static const struct block_ops virtio_ops = {
    .object.describe = virtio_describe,
    .geometry = virtio_geometry,
    .submit = virtio_submit,
    .reap = virtio_reap,
};

K42_CLASS(block_virtio) = {
    .name = "block.virtio",
    .interface = &block_interface,
    .version = 1,
    .traits = "device=virtio",
    DEVICE_LAYOUT,
    .ops = &virtio_ops,
    .fini = virtio_fini,
    .transfers = transfers,
};
