/*
 * A port of a virtual console: an object of class stream.virtio.
 *
 * Bytes travel in buffers of a page: what arrives fills one after the other, and a write is cut
 * into as many as there are, which the device is told of once. So the cost of an exit to the
 * hypervisor is spread over up to 64 KiB.
 *
 * Owns: struct port, which lives as long as the device. The device's end of a queue raises work,
 * which calls service() of whatever object the port is now.
 *
 * Locking: the two queues' locks, leaves, never both. Fails: a device that breaks the rules is
 * hung up: reads end, writes get -EPIPE.
 */
#include "virtio_console.h"

#include "../../copy.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../device_object.h"
#include "../dma.h"
#include "runtime.h"

#define SETTLE_NS 200000000ul

enum { SERVICE_RECEIVED, SERVICE_SENT };

/* The device and the bytes on their way, see device_object.h. */
static const struct k42_format port_format = {"stream.virtio", 1, 1};

static struct port *port_of(struct stream *self) {
    return DEVICE_OF(self);
}

static k42_id id_of(const struct port *port) {
    return k42_id_of(port->ref);
}

static void notify(const struct port *port, uint32_t events) {
    wait_notify(id_of(port), STREAM_KEY, events, WAIT_ALL);
}

static struct ring_piece piece_of(const struct port_buffer *buffer, uint32_t bytes) {
    return (struct ring_piece){buffer->physical, bytes};
}

/* ---- what arrives ---- */

/* Under receive.lock: gives a buffer to the device. */
static void offer(struct port *port, struct port_buffer *buffer) {
    struct ring_piece piece = piece_of(buffer, PORT_BUFFER_BYTES);
    buffer->used = buffer->at = 0;
    int error = ring_add(&port->receive.ring, &piece, 0, 1, buffer);
    /* A ring that is smaller does with fewer buffers; a broken one brings nothing any more. */
    if (error && error != -EAGAIN)
        port->connected = false;
}

void port_fill(struct port *port) {
    k42_lock(&port->receive.lock);
    for (unsigned i = 0; i < PORT_BUFFERS; i++)
        offer(port, &port->in[i]);
    virtio_kick(&port->receive);
    k42_unlock(&port->receive.lock);
}

/* Under receive.lock: lists the buffers that the device has filled. */
static bool take_received(struct port *port) {
    struct ring *ring = &port->receive.ring;
    void *token;
    uint32_t bytes;
    int taken;
    bool some = false;
    do
        while ((taken = ring_take(ring, &token, &bytes)) > 0) {
            struct port_buffer *buffer = token;
            buffer->used = bytes;
            buffer->next = NULL;
            k42_store_release(port->received_last, buffer);
            port->received_last = &buffer->next;
            some = true;
        }
    while (taken == 0 && ring_listen(ring));
    if (taken < 0 && port->connected) {
        port->connected = false;
        print("console %s: its device returned what it was not given", port->listed);
        return true;
    }
    return some;
}

/* The device tells of a port first and then that somebody is on the other side: a port that has
 * just been made is not hung up. */
static bool is_hung_up(const struct port *port) {
    return !k42_load_acquire(&port->connected) && k42_platform_now_ns() >= port->settled;
}

static k42_result wait_for(const struct port *port, uint32_t events) {
    if (k42_load_acquire(&port->connected))
        return wait_on(id_of(port), STREAM_KEY, events);
    return wait_on_until(id_of(port), STREAM_KEY, events, port->settled);
}

/* The first buffer, for the calling reader alone; NULL: nothing for him. */
static struct port_buffer *begin_reading(struct port *port, bool *ended) {
    k42_lock(&port->receive.lock);
    struct port_buffer *buffer = port->reading ? NULL : port->received;
    *ended = !port->reading && !buffer && is_hung_up(port);
    if (buffer)
        port->reading = true;
    k42_unlock(&port->receive.lock);
    return buffer;
}

/* Gives emptied buffers back to the device. It is told when half of them are, or all is read. */
static void end_reading(struct port *port) {
    k42_lock(&port->receive.lock);
    while (port->received && port->received->at == port->received->used) {
        struct port_buffer *buffer = port->received;
        port->received = buffer->next;
        if (!port->received)
            port->received_last = &port->received;
        offer(port, buffer);
    }
    virtio_kick(&port->receive);
    port->reading = false;
    bool more = port->received;
    k42_unlock(&port->receive.lock);
    if (more)
        notify(port, WAIT_READ);
}

static k42_result virtio_read(struct stream *self, struct copy *copy) {
    struct port *port = port_of(self);
    k42_result done = 0, result = 0;
    bool ended;
    struct port_buffer *buffer = begin_reading(port, &ended);
    if (!buffer)
        return ended || !copy->left ? 0 : wait_for(port, WAIT_READ);
    /* While we are reading, nobody else takes a buffer out; more may be put in behind. */
    while (buffer && copy->left && result >= 0) {
        result = copy_out(copy, buffer->bytes + buffer->at, buffer->used - buffer->at);
        if (result < 0)
            break;
        done += result;
        buffer->at += (uint32_t)result;
        if (buffer->at < buffer->used)
            break;
        buffer = k42_load_acquire(&buffer->next);
    }
    end_reading(port);
    return done || !copy->left ? done : result;
}

/* ---- what is sent ---- */

/* Under transmit.lock: frees the buffers that the device has sent. */
static bool take_sent(struct port *port) {
    struct ring *ring = &port->transmit.ring;
    void *token;
    uint32_t none;
    int taken;
    bool some = false;
    do
        while ((taken = ring_take(ring, &token, &none)) > 0) {
            struct port_buffer *buffer = token;
            buffer->next = port->free;
            port->free = buffer;
            port->sending--;
            some = true;
        }
    while (taken == 0 && ring_listen(ring));
    if (taken < 0)
        port->connected = false;
    return some || taken < 0;
}

static struct port_buffer *take_free(struct port *port) {
    k42_lock(&port->transmit.lock);
    struct port_buffer *buffer = port->free;
    if (buffer) {
        port->free = buffer->next;
        port->sending++;
    }
    k42_unlock(&port->transmit.lock);
    return buffer;
}

/* `bytes` 0: back to the free ones. */
static bool send(struct port *port, struct port_buffer *buffer, uint32_t bytes) {
    struct ring_piece piece = piece_of(buffer, bytes);
    k42_lock(&port->transmit.lock);
    bool sent = bytes && ring_add(&port->transmit.ring, &piece, 1, 0, buffer) == 0;
    if (!sent) {
        buffer->next = port->free;
        port->free = buffer;
        port->sending--;
    }
    k42_unlock(&port->transmit.lock);
    return sent;
}

static void kick(struct port *port) {
    k42_lock(&port->transmit.lock);
    virtio_kick(&port->transmit);
    k42_unlock(&port->transmit.lock);
}

static k42_result virtio_write(struct stream *self, struct copy *copy) {
    struct port *port = port_of(self);
    k42_result done = 0, result = 0;
    if (is_hung_up(port))
        return -EPIPE;
    if (!k42_load_relaxed(&port->connected))
        return wait_for(port, WAIT_WRITE);
    while (copy->left) {
        struct port_buffer *buffer = take_free(port);
        if (!buffer) {
            result = done ? 0 : wait_on(id_of(port), STREAM_KEY, WAIT_WRITE);
            break;
        }
        result = copy_in(copy, buffer->bytes, PORT_BUFFER_BYTES);
        bool sent = send(port, buffer, result > 0 ? (uint32_t)result : 0);
        if (result > 0 && !sent)
            result = -EIO;
        if (result <= 0)
            break;
        done += result;
    }
    if (done)
        kick(port);
    return done ? done : result;
}

/* ---- the object ---- */

static k42_result virtio_poll(struct stream *self) {
    struct port *port = port_of(self);
    bool connected = !is_hung_up(port);
    return (k42_load_acquire(&port->received) || !connected ? WAIT_READ : 0) |
           (k42_load_acquire(&port->free) || !connected ? WAIT_WRITE : 0) |
           (connected ? 0 : WAIT_HANGUP);
}

static k42_result virtio_drain(struct stream *self) {
    struct port *port = port_of(self);
    if (!k42_load_acquire(&port->sending) || !k42_load_acquire(&port->connected))
        return 0;
    return wait_on(id_of(port), STREAM_KEY, WAIT_WRITE);
}

static k42_result virtio_service(struct stream *self, unsigned what) {
    struct port *port = port_of(self);
    struct virtio_queue *queue = what == SERVICE_RECEIVED ? &port->receive : &port->transmit;
    k42_lock(&queue->lock);
    bool some = what == SERVICE_RECEIVED ? take_received(port) : take_sent(port);
    k42_unlock(&queue->lock);
    if (some)
        notify(port, what == SERVICE_RECEIVED ? WAIT_READ : WAIT_WRITE);
    return 0;
}

static k42_result virtio_describe(struct k42_object *self, char *text, size_t size) {
    struct port *port = port_of((struct stream *)(void *)self);
    return (k42_result)k42_format_text(
        text, size, "%s: port %u %s, %s, %lu + %lu notices, %lu interrupts", port->listed,
        port->number, port->name, port->connected ? "connected" : "hung up", port->receive.notices,
        port->transmit.notices, port->receive.interrupts + port->transmit.interrupts);
}

static const struct stream_ops virtio_ops = {
    .object.describe = virtio_describe,
    .read = virtio_read,
    .write = virtio_write,
    .poll = virtio_poll,
    .drain = virtio_drain,
    .service = virtio_service,
};

static const struct k42_transfer transfers[] = DEVICE_TRANSFERS(port_format);

K42_CLASS(stream_virtio) = {
    .name = "stream.virtio",
    .interface = &stream_interface,
    .version = 1,
    .traits = "device=virtio",
    DEVICE_LAYOUT,
    .ops = &virtio_ops,
    .transfers = transfers,
};

/* ---- what the device does ---- */

void port_reap_receive(struct virtio_queue *queue) {
    struct port *port = k42_container(queue, struct port, receive);
    if (k42_call(port->ref, service, SERVICE_RECEIVED) < 0)
        return;
}

void port_reap_transmit(struct virtio_queue *queue) {
    struct port *port = k42_container(queue, struct port, transmit);
    if (k42_call(port->ref, service, SERVICE_SENT) < 0)
        return;
}

void port_connect(struct port *port, bool connected) {
    k42_store_release(&port->connected, connected);
    WAIT_BARRIER();
    notify(port, connected ? WAIT_WRITE : WAIT_READ | WAIT_WRITE | WAIT_HANGUP);
}

static int make_buffers(struct port_buffer *buffers) {
    uint64_t physical;
    uint8_t *bytes = dma_allocate((size_t)PORT_BUFFERS * PORT_BUFFER_BYTES, &physical);
    if (!bytes)
        return -ENOMEM;
    for (unsigned i = 0; i < PORT_BUFFERS; i++)
        buffers[i] = (struct port_buffer){.bytes = bytes + (size_t)i * PORT_BUFFER_BYTES,
                                          .physical = physical + i * PORT_BUFFER_BYTES};
    return 0;
}

int port_make(struct port *port) {
    k42_ref ref;
    port->settled = k42_platform_now_ns() + SETTLE_NS;
    port->received_last = &port->received;
    if (make_buffers(port->in))
        return -ENOMEM;
    k42_result result = make_buffers(port->out);
    if (!result)
        result = k42_create(&stream_virtio, port, &ref);
    if (result < 0)
        return (int)result;
    for (unsigned i = 0; i < PORT_BUFFERS; i++) {
        port->out[i].next = port->free;
        port->free = &port->out[i];
    }
    port->ref = (stream_ref)ref;
    return 0;
}
