/*
 * A request of a ring: a piece of a staff's work that ends with a completion.
 */
#ifndef KERNEL_LINUX_REQUEST_H
#define KERNEL_LINUX_REQUEST_H

#include "ring.h"

#include "../socket/calls.h"

struct operation {
    bool needs_file;
    bool sleeps; /* is left to a worker at once */
    /* Looks at the entry, takes what must be taken while the program waits. 0 or an error. */
    k42_result (*prepare)(struct request *request);
    /* As work_kind.attempt. */
    k42_result (*attempt)(struct request *request, bool may_sleep);
};

struct request {
    struct work work;
    struct ring *ring;
    const struct operation *operation;
    struct io_uring_sqe entry; /* the kernel's copy */
    file_ref file;             /* held; the null ref: none */
    descriptors_ref files;     /* where its number is one of the registered ones: held */
    struct credentials *credentials;
    struct request *link;           /* the next of its chain */
    struct request *limit;          /* a linked timeout; under the ring's lock */
    struct request *before, *after; /* under way */
    struct request *next_deferred;
    k42_ref counter;    /* an eventfd that is told of its end, held; or the null ref */
    k42_result failure; /* found when it was prepared */
    bool fails_chain;   /* its result is not what was asked for */
    bool deferred;      /* atomic */
    bool async;         /* has left the call that submitted it */
    bool may_be_late;   /* -ETIME is what was asked for */
    union {
        struct {
            struct files_transfer transfer;
            struct files_vectors vectors;
            bool has_vectors;
            k42_result done, failure;
        } io;
        struct {
            unsigned events; /* as poll() has them */
            bool many, pending;
        } poll;
        struct {
            uint64_t deadline; /* atomic */
            uint32_t target;   /* of ring.posted, if `counts` */
            bool counts, listed;
            struct request *next_counting;
            struct request *head; /* of a linked one: whose time it is; under the ring's lock */
        } timeout;
        struct {
            unsigned long number;
            uint64_t arguments[6];
            unsigned waits; /* FILE_READABLE, FILE_WRITABLE: to be waited for; 0: it just sleeps */
            bool must_not;  /* wait: the program says so */
            struct socket_address address; /* of CONNECT */
        } call;
    };
};

#define REQUEST(work_) k42_container(work_, struct request, work)

/* ---- submit.c ---- */

/* One with a copy of an entry; NULL: no memory. */
struct request *request_make(struct ring *ring, const struct io_uring_sqe *entry);
/* Whether it makes sense: an error. */
K42_MUST_CHECK
k42_result request_prepare(struct request *request);

/* ---- request.c ---- */

/* Starts a chain, or has it wait until what was submitted before is over. With the ring taken. */
void request_start(struct request *request, bool drains);
/* A completion from inside of one that goes on: IORING_CQE_F_MORE. */
void request_tell(struct request *request, int32_t result, uint32_t flags);
/* Completes and frees a chain that is not started, or the rest of one: each with what was found
 * when it was prepared, or as cancelled. */
void requests_fail(struct request *head);
/* Frees one that was never started. */
void request_free(struct request *request);

/* Calls fn, under the ring's lock, until it says true, for all under way that may have these data,
 * and perhaps others; or for all. */
bool requests_find(struct ring *ring, uint64_t user_data,
                   bool (*fn)(struct request *request, void *context), void *context);
bool requests_find_any(struct ring *ring, bool (*fn)(struct request *request, void *context),
                       void *context);
/* The ring's file has gone: ends what goes on for it. */
void requests_end(struct ring *ring);

/* The point of its file, for work.point, from the events that poll() wants to know of. -K42_WAIT:
 * to be waited for there; -EAGAIN: it need not be waited for. */
k42_result request_wait_for_file(struct request *request, unsigned events);

/* ---- operations.c ---- */

/* NULL: there is none of that number. */
const struct operation *operation_find(uint8_t number);

/* ---- the operations ---- */

k42_result transfer_prepare(struct request *request);
k42_result transfer_attempt(struct request *request, bool may_sleep);
void transfer_end(struct request *request);

k42_result call_prepare(struct request *request);
k42_result call_attempt(struct request *request, bool may_sleep);

k42_result poll_prepare(struct request *request);
k42_result poll_attempt(struct request *request, bool may_sleep);
k42_result poll_remove(struct request *request, bool may_sleep);
k42_result remove_prepare(struct request *request);
k42_result timeout_prepare(struct request *request);
k42_result limit_attempt(struct request *request, bool may_sleep);
k42_result timeout_attempt(struct request *request, bool may_sleep);
k42_result timeout_remove(struct request *request, bool may_sleep);
k42_result cancel_attempt(struct request *request, bool may_sleep);
/* With the ring's lock: how many were completed has changed; one is over. */
void timeouts_count(struct ring *ring);
void timeout_forget(struct request *request);

#endif
