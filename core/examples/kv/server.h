/*
 * The server: what all its workers share, and what one request sees.
 *
 * Threads. Each worker (worker.c) owns the connections given to it and carries out their requests,
 * active, in batches. Commands that wait for the runtime (swap, upgrade, load ...) are carried out
 * inactive and one at a time. The store is shared by all, as refs; everything else here is either
 * constant after the start or an atomic counter.
 */
#ifndef KV_SERVER_H
#define KV_SERVER_H

#include <pthread.h>
#include <stdint.h>

#include "latency.h"
#include "resp.h"
#include "store.h"

enum {
    KV_INPUT_LIMIT = 256 * 1024 * 1024, /* a connection's unread input: one request's headers too */
    KV_OUTPUT_LIMIT = 256 * 1024 * 1024, /* a connection that reads too slowly is closed */
    KV_OUTPUT_PAUSE = 1024 * 1024,       /* unsent output from which on no request is taken */
    KV_COMPONENTS_LIMIT = 16,            /* loaded at a time */
};

struct kv_worker;

struct kv_server {
    struct kv_store store;
    struct kv_worker *workers;
    unsigned worker_count;
    unsigned clients_limit;
    int listener;
    int port; /* 0: a UNIX socket */
    uint32_t stopping;
    uint64_t started_ms;
    uint64_t clients, connections, commands, protocol_errors, output_overflows;

    pthread_mutex_t admin; /* held by inactive threads only; guards what follows */
    struct kv_latency latency;
    char *components[KV_COMPONENTS_LIMIT]; /* names, to unload at the end */
};

/* What a connection knows of itself that commands may ask for. */
struct kv_client {
    uint64_t id;
    char name[64];
    int closing; /* after the output has been sent */
};

/* One request being carried out. */
struct kv_request {
    struct kv_server *server;
    struct kv_client *client;
    struct kv_buffer *out;
    const char *bytes; /* what the arguments are offsets into */
    const struct kv_argument *arguments;
    size_t count;
    struct kv_now now;
};

static inline struct kv_slice kv_argument(const struct kv_request *request, size_t n) {
    return (struct kv_slice){request->bytes + request->arguments[n].offset,
                             request->arguments[n].length};
}

/* True when the argument is this word, in whatever case. */
int kv_argument_is(const struct kv_request *request, size_t n, const char *word);

/* Copies an argument to a string; -EINVAL when it does not fit or has a zero byte in it. */
int kv_argument_text(const struct kv_request *request, size_t n, char *text, size_t size);

static inline struct kv_key kv_argument_key(const struct kv_request *request, size_t n) {
    struct kv_slice slice = kv_argument(request, n);
    return kv_key_of(slice.bytes, slice.length);
}

/* Carries out one request, by an active thread. It may have been inactive in between. */
void kv_execute(struct kv_request *request);

/* Replies with an error of the runtime or of memory. */
void kv_reply_failure(struct kv_request *request, k42_result error);

/* ---- settings, as CONFIG and the command line know them ---- */

/* "100", "100k", "100kb", "1gb" ... 0, or -EINVAL. */
int kv_parse_bytes(struct kv_slice text, uint64_t *bytes);

/*
 * Sets a policy by Redis's name: noeviction, or allkeys-lru and its like, which swaps the eviction
 * object to that class. Inactive threads only. Errors: -EINVAL for an unknown name, those of
 * k42_swap_run; `why` says more.
 */
k42_result kv_set_policy(struct kv_server *server, const char *name, char *why, size_t size);

/* The policy's name, made in `name` if need be. */
const char *kv_policy_name(struct kv_server *server, char *name, size_t size);

/* Unloads what K42 LOAD has loaded. Inactive threads only, after the last object has gone. */
void kv_unload_components(struct kv_server *server);

/* ---- workers ---- */

/* Starts the workers; they serve until kv_stop_workers(). 0 or a negative errno. */
int kv_start_workers(struct kv_server *server);
/* Ends them and their connections. */
void kv_stop_workers(struct kv_server *server);

#endif
