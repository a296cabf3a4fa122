/*
 * A client of 9P2000.L: calls that are answered later, and the numbers (fids) by which the server
 * knows files.
 *
 * A call is taken, written with wire.h into its buffer, sent, and answered by a function in a
 * thread that carries the channel's completions: active, without locks; it does not wait. So nobody
 * sleeps here, and there are as many calls under way as there are buffers.
 */
#ifndef KERNEL_9P_CLIENT_H
#define KERNEL_9P_CLIENT_H

#include <k42/lock.h>

#include "../../dev/channel.h"
#include "wire.h"

#define P9_CALLS        42u /* of three pieces each: they fit into a ring of 128 */
#define P9_CALL_PIECES  3u
#define P9_DATA_PIECES  16u /* of a call that takes the room of several */
#define P9_BUFFER_BYTES 4096u
#define P9_MESSAGE_MAX  (68u << 10) /* what we say that we can take: data comes in pieces */
#define P9_KEY_CALLS    1           /* of the channel's id: notified when a call is free again */

struct p9_call;

/*
 * An answer: `error` is 0, what the server said, or -EIO; only at 0 is there anything to read. The
 * call is free again when this returns.
 */
typedef void p9_answered(struct p9_call *call, int error, struct p9_reader *answer);

struct p9_call {
    struct channel_request request;
    struct channel_piece pieces[P9_DATA_PIECES + 2];
    struct p9_client *client;
    struct p9_writer message; /* being written; begun by p9_call_take() */
    uint8_t *in;              /* the answer's buffer, behind the message's */
    uint64_t physical;
    enum p9_type type;
    uint16_t number;     /* among the client's; its tag */
    uint32_t data_bytes; /* of the answer that go elsewhere */
    uint64_t taken;      /* the calls whose room it has, its own among them; a bit each */
    bool again;          /* it goes on: a new message was begun by its answer */
    uint64_t begun_ns;   /* before it was sent */
    p9_answered *answered;
    void *context; /* the caller's, as what follows */
    uint64_t word;
    uint32_t fid;
    k42_ref object;
};

struct p9_client {
    channel_ref channel;
    struct k42_lock lock;
    uint64_t free_calls; /* a bit each */
    /* Fids are numbers below `next_fid`; both stacks have room for all of them. */
    uint32_t next_fid, fid_room;
    uint32_t *free_fids, *forgotten_fids; /* the server knows the latter still */
    uint32_t free_count, forgotten_count;
    bool starved; /* somebody waits for a call */
    uint8_t *memory;
    struct p9_call calls[P9_CALLS];
};
_Static_assert(P9_CALLS <= 64, "a bit each");

/* A client of a channel; NULL: no memory. */
struct p9_client *p9_client_make(channel_ref channel);
/* True when no call is under way. */
bool p9_client_is_idle(const struct p9_client *client);
/* Nothing is under way. */
void p9_client_end(struct p9_client *client);

/* A call with its message begun. 0; -K42_WAIT (noted) when all are under way. */
K42_MUST_CHECK
k42_result p9_call_take(struct p9_client *client, enum p9_type type, p9_answered *answered,
                        void *context, struct p9_call **call);
/* The same for one whose data lies in so many pieces. It takes the room of as many calls as have
 * pieces enough, so that those that are sent always fit into the ring. */
K42_MUST_CHECK
k42_result p9_call_take_long(struct p9_client *client, enum p9_type type, p9_answered *answered,
                             void *context, unsigned pieces, struct p9_call **call);
/* Gives back one that was not sent. */
void p9_call_drop(struct p9_call *call);
/*
 * Sends it. 0: the answer comes. -K42_WAIT, -ENODEV, -ENAMETOOLONG (it did not fit): it was not
 * sent and is given back.
 */
K42_MUST_CHECK
k42_result p9_call_send(struct p9_call *call);
/* The same for a call whose data (TWRITE) lies in memory of the caller's, or whose answer's data
 * (RREAD) goes there. */
K42_MUST_CHECK
k42_result p9_call_send_data(struct p9_call *call, uint64_t physical, uint32_t bytes);
/* The same with data in several pages: all but the last are whole. */
K42_MUST_CHECK
k42_result p9_call_send_pages(struct p9_call *call, const uint64_t *physical, unsigned count,
                              uint32_t bytes);

/* The next step of a conversation, from inside an answer: the same call once more, with a new
 * message. The answer's reader is not used any more. */
void p9_call_again(struct p9_call *call, enum p9_type type, p9_answered *answered);
/* Sends that one; -ENODEV or -ENAMETOOLONG: it was not sent, and is free when the answer returns.
 */
K42_MUST_CHECK
k42_result p9_call_send_again(struct p9_call *call);

/* A fid that nobody has. 0 or -ENOMEM. */
K42_MUST_CHECK
k42_result p9_fid_take(struct p9_client *client, uint32_t *fid);
/* Gives one back that the server does not know. */
void p9_fid_give(struct p9_client *client, uint32_t fid);
/* Has the server forget it, and gives it back then. From anywhere; P9_NO_FID: nothing. */
void p9_fid_forget(struct p9_client *client, uint32_t fid);

#endif
