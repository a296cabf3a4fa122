/*
 * The serial port as a stream: an object of class stream.serial.
 *
 * Two rings of bytes, one each way, between the interrupt handler and the methods: the handler is
 * the only one to advance `end` of what arrives and `begin` of what is sent, and one method at a
 * time, by `reading` and `writing`, the other two. So neither needs the other's lock, and bytes are
 * copied without any. A full ring of arrivals stops the port's interrupts until there is room.
 *
 * Owns: struct serial_stream, of which there is one. Locking: its lock, leaf, for `reading` and
 * `writing`. Fails never; without the port there is no object.
 */
#include "serial_stream.h"

#include "../../copy.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../device_object.h"
#include "../interrupt.h"
#include "../names.h"
#include "../serial.h"
#include "../stream.h"
#include "../work.h"
#include "runtime.h"

#define RING_BYTES 4096u /* a power of two */

struct byte_ring {
    uint32_t begin, end; /* bytes taken out and put in since the beginning */
    uint8_t bytes[RING_BYTES];
};

struct serial_stream {
    stream_ref ref;
    struct work work;
    struct k42_lock lock;
    bool reading, writing;
    bool receiving; /* the port interrupts for bytes that arrive; else the ring was full */
    struct byte_ring in, out;
};

static struct serial_stream *stream_of(struct stream *self) {
    return DEVICE_OF(self);
}

static uint32_t used(const struct byte_ring *ring) {
    return k42_load_acquire(&ring->end) - k42_load_acquire(&ring->begin);
}

static uint32_t room(const struct byte_ring *ring) {
    return RING_BYTES - used(ring);
}

static void notify(const struct serial_stream *serial, uint32_t events) {
    WAIT_BARRIER();
    wait_notify(k42_id_of(serial->ref), STREAM_KEY, events, WAIT_ALL);
}

/* ---- the interrupt ---- */

static int next_byte(void *context) {
    struct byte_ring *out = context;
    uint32_t begin = out->begin;
    if (begin == k42_load_acquire(&out->end))
        return -1;
    uint8_t byte = out->bytes[begin % RING_BYTES];
    k42_store_release(&out->begin, begin + 1);
    return byte;
}

static void receive(struct serial_stream *serial) {
    struct byte_ring *in = &serial->in;
    while (room(in)) {
        int byte = serial_get();
        if (byte < 0)
            return;
        in->bytes[in->end % RING_BYTES] = (uint8_t)byte;
        k42_store_release(&in->end, in->end + 1);
    }
    k42_store_relaxed(&serial->receiving, false);
    serial_want_received(false);
}

/* Interrupt context. The line tells of changes only, so it goes on until there is no reason. */
static void interrupted(void *argument) {
    struct serial_stream *serial = argument;
    for (unsigned turns = 0; turns < RING_BYTES && serial_interrupted(); turns++) {
        receive(serial);
        serial_send(next_byte, &serial->out);
    }
    work_raise(&serial->work);
}

static void reap(struct work *work) {
    struct serial_stream *serial = k42_container(work, struct serial_stream, work);
    if (k42_call(serial->ref, service, 0u) < 0)
        return;
}

/* ---- methods ---- */

/* Makes the calling thread the only one to do it. False: another is at it. */
static bool begin(struct serial_stream *serial, bool *flag) {
    k42_lock(&serial->lock);
    bool free = !*flag;
    *flag = true;
    k42_unlock(&serial->lock);
    return free;
}

static void end(struct serial_stream *serial, bool *flag, uint32_t events) {
    k42_lock(&serial->lock);
    *flag = false;
    k42_unlock(&serial->lock);
    notify(serial, events);
}

/* Bytes of the ring that lie side by side, from a position on. */
static uint32_t side_by_side(uint32_t position, uint32_t count) {
    uint32_t until_end = RING_BYTES - position % RING_BYTES;
    return count < until_end ? count : until_end;
}

static k42_result take_out(struct byte_ring *in, struct copy *copy) {
    k42_result done = 0, result = 0;
    while (copy->left && used(in)) {
        result =
            copy_out(copy, &in->bytes[in->begin % RING_BYTES], side_by_side(in->begin, used(in)));
        if (result <= 0)
            break;
        k42_store_release(&in->begin, in->begin + (uint32_t)result);
        done += result;
    }
    return done ? done : result;
}

static k42_result serial_read(struct stream *self, struct copy *copy) {
    struct serial_stream *serial = stream_of(self);
    if (!copy->left)
        return 0;
    if (!used(&serial->in) || !begin(serial, &serial->reading))
        return wait_on(k42_id_of(serial->ref), STREAM_KEY, WAIT_READ);
    k42_result result = take_out(&serial->in, copy);
    if (!k42_load_relaxed(&serial->receiving) && room(&serial->in)) {
        k42_store_relaxed(&serial->receiving, true);
        serial_want_received(true);
    }
    end(serial, &serial->reading, WAIT_READ);
    if (result == 0)
        return wait_on(k42_id_of(serial->ref), STREAM_KEY, WAIT_READ);
    return result;
}

static k42_result put_in(struct byte_ring *out, struct copy *copy) {
    k42_result done = 0, result = 0;
    while (copy->left && room(out)) {
        result =
            copy_in(copy, &out->bytes[out->end % RING_BYTES], side_by_side(out->end, room(out)));
        if (result <= 0)
            break;
        k42_store_release(&out->end, out->end + (uint32_t)result);
        done += result;
    }
    return done ? done : result;
}

static k42_result serial_write(struct stream *self, struct copy *copy) {
    struct serial_stream *serial = stream_of(self);
    if (!copy->left)
        return 0;
    if (!room(&serial->out) || !begin(serial, &serial->writing))
        return wait_on(k42_id_of(serial->ref), STREAM_KEY, WAIT_WRITE);
    k42_result result = put_in(&serial->out, copy);
    end(serial, &serial->writing, WAIT_WRITE);
    if (result == 0)
        return wait_on(k42_id_of(serial->ref), STREAM_KEY, WAIT_WRITE);
    if (result > 0)
        serial_want_room(true);
    return result;
}

static k42_result serial_poll(struct stream *self) {
    struct serial_stream *serial = stream_of(self);
    return (used(&serial->in) ? WAIT_READ : 0) | (room(&serial->out) ? WAIT_WRITE : 0);
}

static k42_result serial_drain_stream(struct stream *self) {
    struct serial_stream *serial = stream_of(self);
    return used(&serial->out) ? wait_on(k42_id_of(serial->ref), STREAM_KEY, WAIT_WRITE) : 0;
}

static k42_result serial_service(struct stream *self, unsigned what) {
    struct serial_stream *serial = stream_of(self);
    (void)what;
    notify(serial, (used(&serial->in) ? WAIT_READ : 0) | (room(&serial->out) ? WAIT_WRITE : 0));
    return 0;
}

static k42_result serial_describe(struct k42_object *self, char *text, size_t size) {
    struct serial_stream *serial = stream_of((struct stream *)(void *)self);
    return (k42_result)k42_format_text(text, size, "serial port: %u bytes in, %u to send",
                                       used(&serial->in), used(&serial->out));
}

static const struct stream_ops serial_ops = {
    .object.describe = serial_describe,
    .read = serial_read,
    .write = serial_write,
    .poll = serial_poll,
    .drain = serial_drain_stream,
    .service = serial_service,
};

/* The device and the bytes on their way, see device_object.h. */
static const struct k42_format serial_format = {"stream.serial", 1, 1};
static const struct k42_transfer transfers[] = DEVICE_TRANSFERS(serial_format);

K42_CLASS(stream_serial) = {
    .name = "stream.serial",
    .interface = &stream_interface,
    .version = 1,
    .traits = "device=serial",
    DEVICE_LAYOUT,
    .ops = &serial_ops,
    .transfers = transfers,
};

/* ---- opening ---- */

static k42_result open_stream(struct serial_stream *serial) {
    struct interrupt interrupt;
    k42_ref ref;
    work_init(&serial->work, 0, reap);
    k42_result result = k42_create(&stream_serial, serial, &ref);
    if (result < 0)
        return result;
    serial->ref = (stream_ref)ref;
    int error = interrupt_take(0, interrupted, serial, &interrupt);
    if (!error)
        error = interrupt_connect_isa(SERIAL_LINE, interrupt);
    if (error)
        return error;
    serial->receiving = true;
    serial_want_received(true);
    return device_list("ttyS0", &stream_interface, ref);
}

void serial_stream_open(void) {
    if (!serial_present())
        return;
    struct serial_stream *serial = k42_platform_alloc(sizeof *serial);
    k42_result result = serial ? open_stream(serial) : -ENOMEM;
    if (result < 0)
        print("serial: no stream: %s", k42_error_name(result));
}
