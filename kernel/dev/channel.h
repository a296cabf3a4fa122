/*
 * The interface `channel`: requests to somebody outside, each with an answer; how a server of the
 * host's folders is reached. What they say is the business of the two ends.
 *
 * A request is the caller's, and the channel's from submit() until its done(). They are answered in
 * any order. Methods do not wait.
 */
#ifndef KERNEL_CHANNEL_H
#define KERNEL_CHANNEL_H

#include <k42/object.h>

struct channel;

#define CHANNEL_KEY_ROOM   0 /* notified when a request fits again */
#define CHANNEL_PIECES_MAX 18u

/* Memory that is physically in one piece. */
struct channel_piece {
    uint64_t physical;
    uint32_t bytes;
};

struct channel_request {
    const struct channel_piece *pieces; /* first those to be sent, then those for the answer */
    unsigned out, in;
    /*
     * Called once it is over, with `result` how many bytes the answer has, or -EIO (the channel
     * is broken or gone). In a thread, active, without locks, from outside the channel: it may
     * free the request, submit others and call whatever it likes, but not wait.
     */
    void (*done)(struct channel_request *request);
    k42_result result;
    struct channel_request *next; /* the channel's */
};

struct channel_ops {
    struct k42_object_ops object;

    /* Sends a request. Errors: -K42_WAIT (CHANNEL_KEY_ROOM, WAIT_WRITE), -EMSGSIZE, -ENODEV. */
    K42_METHOD(submit)(struct channel *self, K42_LOCAL struct channel_request *request);

    /* For the channel's driver: takes requests that are over, linked by `next`; their results are
     * set. 1: there is room again for somebody who was told to wait. */
    K42_METHOD(reap)(struct channel *self, K42_LOCAL struct channel_request **finished);
};

struct channel {
    const struct channel_ops *ops;
};
K42_DECLARE_REF(channel);
extern const struct k42_interface channel_interface;

/* Canonical format: the device and the requests under way, see device_object.h. */
extern const struct k42_format channel_device_format;

#endif
