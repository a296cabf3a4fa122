/*
 * A client of 9P2000.L: calls, their buffers and tags, and fids.
 *
 * A call's number is its tag and its place in the client's memory, of which the server sees all and
 * so can spoil every answer that is not read yet; answers are checked while they are read, and each
 * number is read once.
 *
 * Fids that are to be forgotten wait in a stack until a call is free; whoever frees one sees to
 * them first. So forgetting never waits and never fails.
 *
 * Locking: client->lock, leaf; the channel is called without it.
 */
#include "client.h"

#include "../../dev/dma.h"
#include "../../mem/machine.h"
#include "../../sched/wait.h"
#include "runtime.h"

#define CALL_BYTES (2 * P9_BUFFER_BYTES) /* the message, then the answer */
#define ALL_CALLS  (~0ul >> (64 - P9_CALLS))
#define FIDS_FIRST 64u

static k42_id id_of(const struct p9_client *client) {
    return k42_id_of(client->channel);
}

/* ---- calls ---- */

/* With the room of `count` calls. */
static struct p9_call *take_call(struct p9_client *client, unsigned count, bool wanted) {
    struct p9_call *call = NULL;
    k42_lock(&client->lock);
    uint64_t before = client->free_calls, left = before;
    for (; count && left; count--)
        left &= left - 1;
    if (!count) {
        call = &client->calls[__builtin_ctzl(before)];
        call->taken = before ^ left;
        client->free_calls = left;
    } else if (wanted) {
        client->starved = true;
    }
    k42_unlock(&client->lock);
    return call;
}

/* The first message of all has no tag. */
static uint16_t tag_of(const struct p9_call *call) {
    return call->type == P9_TVERSION ? P9_NO_TAG : call->number;
}

static void begin(struct p9_call *call, enum p9_type type, p9_answered *answered) {
    call->type = type;
    call->answered = answered;
    call->data_bytes = 0;
    call->begun_ns = k42_platform_now_ns();
    p9_begin(&call->message, call->in - P9_BUFFER_BYTES, P9_BUFFER_BYTES, type, tag_of(call));
}

k42_result p9_call_take_long(struct p9_client *client, enum p9_type type, p9_answered *answered,
                             void *context, unsigned pieces, struct p9_call **call) {
    *call = take_call(client, (pieces + 2 + P9_CALL_PIECES - 1) / P9_CALL_PIECES, true);
    if (!*call)
        return wait_on(id_of(client), P9_KEY_CALLS, WAIT_WRITE);
    begin(*call, type, answered);
    (*call)->context = context;
    return 0;
}

k42_result p9_call_take(struct p9_client *client, enum p9_type type, p9_answered *answered,
                        void *context, struct p9_call **call) {
    return p9_call_take_long(client, type, answered, context, 1, call);
}

static void forget_some(struct p9_client *client);

static void free_call(struct p9_call *call) {
    struct p9_client *client = call->client;
    k42_lock(&client->lock);
    client->free_calls |= call->taken;
    bool starved = client->starved;
    client->starved = false;
    k42_unlock(&client->lock);
    if (starved)
        wait_notify(id_of(client), P9_KEY_CALLS, WAIT_WRITE, WAIT_ALL);
}

void p9_call_drop(struct p9_call *call) {
    struct p9_client *client = call->client;
    free_call(call);
    if (k42_load_relaxed(&client->forgotten_count))
        forget_some(client);
}

static void done(struct channel_request *request) {
    struct p9_call *call = k42_container(request, struct p9_call, request);
    struct p9_reader reader;
    int error = -EIO;
    if (request->result >= 0) {
        size_t room = call->data_bytes ? P9_READ_HEADER : P9_BUFFER_BYTES;
        size_t came = (size_t)request->result, here = came < room ? came : room;
        error = p9_open_answer(&reader, call->in, here, (uint32_t)(came - here), call->type,
                               tag_of(call));
    }
    call->again = false;
    call->answered(call, error, &reader);
    if (!call->again)
        p9_call_drop(call);
}

static k42_result submit(struct p9_call *call, unsigned out, unsigned in) {
    call->request.pieces = call->pieces;
    call->request.out = out;
    call->request.in = in;
    call->request.done = done;
    k42_result result = k42_call(call->client->channel, submit, &call->request);
    return result == -K42_STALE || result == -EMSGSIZE ? -ENODEV : result;
}

static k42_result transmit(struct p9_call *call) {
    size_t bytes = p9_end(&call->message, 0);
    if (!bytes)
        return -ENAMETOOLONG;
    call->pieces[0] = (struct channel_piece){call->physical, (uint32_t)bytes};
    call->pieces[1] = (struct channel_piece){call->physical + P9_BUFFER_BYTES, P9_BUFFER_BYTES};
    return submit(call, 1, 1);
}

k42_result p9_call_send(struct p9_call *call) {
    k42_result result = transmit(call);
    if (result < 0)
        p9_call_drop(call);
    return result;
}

k42_result p9_call_send_pages(struct p9_call *call, const uint64_t *physical, unsigned count,
                              uint32_t bytes) {
    bool reads = call->type == P9_TREAD;
    size_t length = p9_end(&call->message, reads ? 0 : bytes);
    uint64_t answer = call->physical + P9_BUFFER_BYTES;
    struct channel_piece *data = &call->pieces[reads ? 2 : 1];
    call->pieces[0] = (struct channel_piece){call->physical, (uint32_t)length};
    call->data_bytes = reads ? bytes : 0;
    for (unsigned i = 0; i < count; i++) {
        uint32_t here = bytes < MACHINE_PAGE_SIZE ? bytes : (uint32_t)MACHINE_PAGE_SIZE;
        data[i] = (struct channel_piece){physical[i], here};
        bytes -= here;
    }
    if (reads)
        call->pieces[1] = (struct channel_piece){answer, P9_READ_HEADER};
    else
        data[count] = (struct channel_piece){answer, P9_BUFFER_BYTES};
    k42_result result =
        length ? submit(call, reads ? 1 : 1 + count, reads ? 1 + count : 1) : -ENAMETOOLONG;
    if (result < 0)
        p9_call_drop(call);
    return result;
}

k42_result p9_call_send_data(struct p9_call *call, uint64_t physical, uint32_t bytes) {
    return p9_call_send_pages(call, &physical, 1, bytes);
}

void p9_call_again(struct p9_call *call, enum p9_type type, p9_answered *answered) {
    begin(call, type, answered);
}

/* There is room: the descriptors that the call had are free, and there are enough for all. */
k42_result p9_call_send_again(struct p9_call *call) {
    call->again = true;
    k42_result result = transmit(call);
    if (result < 0)
        call->again = false;
    return result == -K42_WAIT ? -ENODEV : result;
}

/* ---- fids ---- */

/* Makes both stacks larger. */
static k42_result grow_fids(struct p9_client *client, uint32_t room) {
    uint32_t more = room ? 2 * room : FIDS_FIRST;
    uint32_t *old_free = NULL, *old_forgotten = NULL;
    uint32_t *free = k42_platform_alloc(more * sizeof *free);
    uint32_t *forgotten = k42_platform_alloc(more * sizeof *forgotten);
    bool grown = false;
    k42_lock(&client->lock);
    if (free && forgotten && client->fid_room == room) {
        old_free = client->free_fids;
        old_forgotten = client->forgotten_fids;
        if (room) {
            __builtin_memcpy(free, old_free, room * sizeof *free);
            __builtin_memcpy(forgotten, old_forgotten, room * sizeof *forgotten);
        }
        client->free_fids = free;
        client->forgotten_fids = forgotten;
        client->fid_room = more;
        grown = true;
    }
    bool enough = client->fid_room > room;
    k42_unlock(&client->lock);
    k42_platform_free(grown ? old_free : free);
    k42_platform_free(grown ? old_forgotten : forgotten);
    return enough ? 0 : -ENOMEM;
}

k42_result p9_fid_take(struct p9_client *client, uint32_t *fid) {
    for (;;) {
        k42_lock(&client->lock);
        uint32_t room = client->fid_room;
        bool found = true;
        if (client->free_count)
            *fid = client->free_fids[--client->free_count];
        else if (client->next_fid < room)
            *fid = client->next_fid++;
        else
            found = false;
        k42_unlock(&client->lock);
        k42_result result = found ? 0 : grow_fids(client, room);
        if (found || result < 0)
            return result;
    }
}

void p9_fid_give(struct p9_client *client, uint32_t fid) {
    k42_lock(&client->lock);
    client->free_fids[client->free_count++] = fid;
    k42_unlock(&client->lock);
}

/* Whatever the server says: it has forgotten the fid, or never knew it. */
static void forgotten(struct p9_call *call, int error, struct p9_reader *answer) {
    (void)error, (void)answer;
    p9_fid_give(call->client, call->fid);
}

static bool next_forgotten(struct p9_client *client, uint32_t *fid) {
    k42_lock(&client->lock);
    bool some = client->forgotten_count;
    if (some)
        *fid = client->forgotten_fids[--client->forgotten_count];
    k42_unlock(&client->lock);
    return some;
}

/* Under no lock; as many as there are calls for. */
static void forget_some(struct p9_client *client) {
    struct p9_call *call;
    while (k42_load_relaxed(&client->forgotten_count) && (call = take_call(client, 1, false))) {
        if (!next_forgotten(client, &call->fid)) {
            free_call(call);
            return;
        }
        begin(call, P9_TCLUNK, forgotten);
        p9_put32(&call->message, call->fid);
        if (transmit(call) < 0) {
            /* The server is gone, and with it what it knew. */
            p9_fid_give(client, call->fid);
            free_call(call);
        }
    }
}

void p9_fid_forget(struct p9_client *client, uint32_t fid) {
    if (fid == P9_NO_FID)
        return;
    k42_lock(&client->lock);
    client->forgotten_fids[client->forgotten_count++] = fid;
    k42_unlock(&client->lock);
    forget_some(client);
}

/* ---- making one ---- */

struct p9_client *p9_client_make(channel_ref channel) {
    struct p9_client *client = k42_platform_alloc(sizeof *client);
    uint64_t physical;
    if (!client)
        return NULL;
    client->memory = dma_allocate(P9_CALLS * CALL_BYTES, &physical);
    if (!client->memory) {
        k42_platform_free(client);
        return NULL;
    }
    client->channel = channel;
    client->free_calls = ALL_CALLS;
    for (unsigned i = 0; i < P9_CALLS; i++) {
        client->calls[i].client = client;
        client->calls[i].number = (uint16_t)i;
        client->calls[i].in = client->memory + i * CALL_BYTES + P9_BUFFER_BYTES;
        client->calls[i].physical = physical + i * CALL_BYTES;
    }
    return client;
}

bool p9_client_is_idle(const struct p9_client *client) {
    return k42_load_acquire(&client->free_calls) == ALL_CALLS;
}

void p9_client_end(struct p9_client *client) {
    dma_free(client->memory);
    k42_platform_free(client->free_fids);
    k42_platform_free(client->forgotten_fids);
    k42_platform_free(client);
}
