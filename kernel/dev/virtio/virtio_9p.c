/*
 * Channels by virtio to servers of 9P: an object of class channel.virtio for each, listed by the
 * tag that the device has.
 *
 * Owns: struct line, which passes from one object to the next when the object is swapped, with the
 * requests under way. A device that breaks the rules is reset for good: what is under way ends with
 * -EIO, what comes later with -ENODEV.
 *
 * Locking: the queue's lock, leaf.
 */
#include "virtio.h"

#include "../../arch/x86_64/arch.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../channel.h"
#include "../device_object.h"
#include "../names.h"
#include "runtime.h"

#define F_TAG     (1ul << 0)
#define RING_SIZE 128u
enum { TAG_LENGTH_AT = 0, TAG_AT = 2 };

struct line {
    char tag[DEVICE_NAME_BYTES];
    struct virtio_device device;
    struct virtio_queue queue;
    channel_ref ref;
    bool starved; /* somebody was told to wait */
    enum { LINE_ALIVE, LINE_DYING, LINE_DEAD } state;
};

const struct k42_format channel_device_format = {"channel.device", 1, 1};

static struct line *line_of(struct channel *self) {
    return DEVICE_OF(self);
}

/* ---- methods ---- */

/* The lock is held. */
static int put_in(struct line *line, struct channel_request *request) {
    struct ring_piece pieces[CHANNEL_PIECES_MAX];
    unsigned count = request->out + request->in;
    if (k42_load_relaxed(&line->state) != LINE_ALIVE)
        return -ENODEV;
    if (count > CHANNEL_PIECES_MAX)
        return -EMSGSIZE;
    for (unsigned i = 0; i < count; i++)
        pieces[i] = (struct ring_piece){request->pieces[i].physical, request->pieces[i].bytes};
    int error = ring_add(&line->queue.ring, pieces, request->out, request->in, request);
    if (error == -EAGAIN)
        line->starved = true;
    if (!error)
        virtio_kick(&line->queue);
    return error;
}

static k42_result virtio_submit(struct channel *self, struct channel_request *request) {
    struct line *line = line_of(self);
    k42_lock(&line->queue.lock);
    int error = put_in(line, request);
    k42_unlock(&line->queue.lock);
    if (error == -EAGAIN)
        return wait_on(k42_id_of(line->ref), CHANNEL_KEY_ROOM, WAIT_WRITE);
    return error == -EIO ? -ENODEV : error;
}

/* Requests are given back only when the device cannot reach their memory any more. */
static void bury(struct line *line) {
    if (__atomic_exchange_n(&line->state, LINE_DYING, __ATOMIC_ACQ_REL) != LINE_ALIVE)
        return;
    print("9p %s: its device returned what it was not given; it is not used any more", line->tag);
    virtio_reset(&line->device);
    k42_store_release(&line->state, LINE_DEAD);
    work_raise(&line->queue.work);
}

static void finish(struct channel_request *request, k42_result result,
                   struct channel_request ***last) {
    request->result = result;
    request->next = NULL;
    **last = request;
    *last = &request->next;
}

/* The lock is held. False: the device broke the rules. */
static bool take_finished(struct line *line, struct channel_request **last) {
    struct ring *ring = &line->queue.ring;
    void *token;
    uint32_t written;
    int taken;
    if (k42_load_acquire(&line->state) == LINE_DEAD) {
        while ((token = ring_reclaim(ring)))
            finish(token, -EIO, &last);
        return true;
    }
    do
        while ((taken = ring_take(ring, &token, &written)) > 0)
            finish(token, written, &last);
    while (taken == 0 && ring_listen(ring));
    return taken == 0;
}

static k42_result virtio_reap(struct channel *self, struct channel_request **finished) {
    struct line *line = line_of(self);
    *finished = NULL;
    k42_lock(&line->queue.lock);
    bool fine = take_finished(line, finished);
    bool starved = line->starved && *finished;
    if (starved)
        line->starved = false;
    k42_unlock(&line->queue.lock);
    if (!fine)
        bury(line);
    return starved;
}

static k42_result virtio_describe(struct k42_object *self, char *text, size_t size) {
    struct line *line = line_of((struct channel *)(void *)self);
    return (k42_result)k42_format_text(
        text, size, "%s: %u under way, %lu notices, %lu interrupts%s", line->tag,
        line->queue.ring.outstanding, line->queue.notices, line->queue.interrupts,
        line->state == LINE_ALIVE ? "" : ", dead");
}

static const struct channel_ops virtio_ops = {
    .object.describe = virtio_describe,
    .submit = virtio_submit,
    .reap = virtio_reap,
};

static const struct k42_transfer transfers[] = DEVICE_TRANSFERS(channel_device_format);

K42_CLASS(channel_virtio) = {
    .name = "channel.virtio",
    .interface = &channel_interface,
    .version = 1,
    .traits = "device=virtio",
    DEVICE_LAYOUT,
    .ops = &virtio_ops,
    .transfers = transfers,
};

/* ---- finding and opening ---- */

/* Work: active. */
static void reap_queue(struct virtio_queue *queue) {
    struct line *line = k42_container(queue, struct line, queue);
    struct channel_request *finished;
    k42_result result = k42_call(line->ref, reap, &finished);
    if (result < 0)
        return;
    if (result)
        wait_notify(k42_id_of(line->ref), CHANNEL_KEY_ROOM, WAIT_WRITE, WAIT_ALL);
    while (finished) {
        struct channel_request *request = finished;
        finished = request->next;
        request->done(request);
    }
}

static void read_tag(struct line *line) {
    uint32_t length = virtio_config_read(&line->device, TAG_LENGTH_AT, 2);
    if (length > sizeof line->tag - 1)
        length = sizeof line->tag - 1;
    virtio_config_bytes(&line->device, TAG_AT, line->tag, length);
    line->tag[length] = 0;
}

static int open_line(struct line *line, unsigned number) {
    k42_ref ref;
    int error = virtio_queue_open(&line->device, &line->queue, 0, RING_SIZE, CHANNEL_PIECES_MAX,
                                  number % cpu_count(), reap_queue);
    if (error)
        return error;
    read_tag(line);
    k42_result result = k42_create(&channel_virtio, line, &ref);
    if (result < 0)
        return (int)result;
    line->ref = (channel_ref)ref;
    if (ring_listen(&line->queue.ring))
        return -EIO;
    error = virtio_ready(&line->device);
    return error ? error : (int)device_list(line->tag, &channel_interface, ref);
}

static int probe(const struct pci_function *function) {
    static unsigned next;
    if (virtio_kind(function) != VIRTIO_9P)
        return -ENODEV;
    struct line *line = k42_platform_alloc(sizeof *line);
    if (!line)
        return -ENOMEM;
    int error = virtio_open(function, F_TAG, &line->device);
    if (!error && !(error = open_line(line, next))) {
        next++;
        print("9p %s: ready", line->tag);
        return 0;
    }
    if (line->device.registers && line->device.interrupts)
        virtio_close(&line->device);
    virtio_queue_close(&line->queue);
    if (!line->ref)
        k42_platform_free(line);
    return error;
}

PCI_DRIVER(virtio_9p) = {
    .name = "virtio-9p",
    .vendor = VIRTIO_VENDOR,
    .device_first = VIRTIO_FIRST,
    .device_last = VIRTIO_LAST,
    .class_ = PCI_ANY,
    .probe = probe,
};
