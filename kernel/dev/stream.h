/*
 * The interface `stream`: bytes to and from somebody outside, by a serial line or a port of a
 * virtual console. A terminal (tty/) sits on one.
 *
 * Whoever wants to know of readiness without asking watches the point (the stream, STREAM_KEY) of
 * the wait table, for the events that poll() returns: WAIT_READ, WAIT_WRITE, WAIT_HANGUP.
 *
 * Methods do not wait.
 */
#ifndef KERNEL_STREAM_H
#define KERNEL_STREAM_H

#include <k42/object.h>

struct copy;
struct stream;

#define STREAM_KEY 0

struct stream_ops {
    struct k42_object_ops object;

    /* Copies bytes that have arrived to the cursor; returns how many, 0 when the other side has
     * hung up and all was read. Errors: -K42_WAIT (WAIT_READ), those of copy_out(). */
    K42_METHOD(read)(struct stream *self, K42_LOCAL struct copy *copy);

    /* Takes bytes from the cursor and begins to send them; returns how many. Errors: -K42_WAIT
     * (WAIT_WRITE), -EPIPE (nobody listens), -EIO, those of copy_in(). */
    K42_METHOD(write)(struct stream *self, K42_LOCAL struct copy *copy);

    /* Which of WAIT_READ, WAIT_WRITE and WAIT_HANGUP holds now. */
    K42_METHOD(poll)(struct stream *self);

    /* 0 when everything taken has left. Errors: -K42_WAIT (WAIT_WRITE). */
    K42_METHOD(drain)(struct stream *self);

    /* For the driver: the device has something to say; `what` is the driver's own word. */
    K42_METHOD(service)(struct stream *self, unsigned what);
};

struct stream {
    const struct stream_ops *ops;
};
K42_DECLARE_REF(stream);
extern const struct k42_interface stream_interface;

#endif
