/*
 * The interface `pipe`: bytes on their way from writers to readers, in the order they were written.
 *
 * Two files stand before it, or any number for a FIFO; each end is counted, and a pipe both of
 * whose counts have come to zero is destroyed. Waiters use key 0: WAIT_READ there is something, or
 * nobody who writes is left; WAIT_WRITE there is room for PIPE_ATOMIC bytes, or nobody who reads is
 * left.
 */
#ifndef KERNEL_PIPE_H
#define KERNEL_PIPE_H

#include <k42/object.h>

struct copy;
struct pipe;

enum {
    PIPE_ATOMIC = 4096, /* PIPE_BUF: at most so many bytes are written in one piece */
    PIPE_DEFAULT = 65536,
    PIPE_MOST = 1 << 20,
};

enum pipe_end {
    PIPE_READER = 1,
    PIPE_WRITER = 2,
};

struct pipe_ops {
    struct k42_object_ops object;

    /* One more file at these ends. Returns twice how many were ever attached at the other end, and
     * one more if there is one now. -K42_STALE: the last had gone. */
    K42_METHOD(attach)(struct pipe *self, unsigned ends);
    /* One fewer; the last ends the pipe. */
    K42_METHOD(detach)(struct pipe *self, unsigned ends);

    /* Takes bytes out; returns how many, 0 when there are none and nobody writes. Errors:
     * -K42_WAIT. */
    K42_METHOD(read)(struct pipe *self, K42_LOCAL struct copy *copy);

    /* Puts bytes in, up to PIPE_ATOMIC at once or not at all. Returns how many. Errors: -EPIPE,
     * -K42_WAIT, -ENOMEM. */
    K42_METHOD(write)(struct pipe *self, K42_LOCAL struct copy *copy);

    /* What of file_ready holds for these ends. */
    K42_METHOD(poll)(struct pipe *self, unsigned ends);

    /* Bytes that can be read. */
    K42_METHOD(count)(struct pipe *self);

    /* How many bytes it holds at most. */
    K42_METHOD(capacity)(struct pipe *self);
    /* Changes that, rounded up to a power of two of pages; returns what it is then. Errors: -EBUSY
     * (more is in it), -EINVAL, -ENOMEM, -K42_WAIT. */
    K42_METHOD(set_capacity)(struct pipe *self, uint64_t bytes);

    /* Copies bytes without taking them out. Errors as read()'s. */
    K42_METHOD(peek)(struct pipe *self, K42_LOCAL struct copy *copy);

    /* The node of a pipe without a name, in the word; made when it is first asked for. Errors:
     * -ENOMEM. */
    K42_METHOD_PAIR(node)(struct pipe *self);

    /* How many files were ever attached at the ends that these are not: a FIFO's opener waits for
     * that to change. */
    K42_METHOD(arrivals)(struct pipe *self, unsigned ends);

    /* The calling thread lets a file at these ends go: if it has an end to itself, others may have
     * that now. */
    K42_METHOD(leave)(struct pipe *self, unsigned ends);
};

/* Kinds: ring.h. */
struct pipe {
    const struct pipe_ops *ops;
};
K42_DECLARE_REF(pipe);
extern const struct k42_interface pipe_interface;

/* Makes an empty one with nobody at its ends. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result pipe_make(pipe_ref *made);

/* Two files, for reading and writing, each with one hold. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result pipe_open(unsigned flags, k42_ref *reader, k42_ref *writer);

/* Opens a FIFO's node; its pipe is noted at `pipe` while there is one. As node.open(). */
struct k42_pair fifo_open(k42_ref *pipe, k42_ref node, unsigned flags);

#endif
