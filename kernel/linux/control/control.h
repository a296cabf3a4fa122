/*
 * The device /dev/k42: what its parts share. The protocol is in include/k42/control.h.
 *
 *   request.c   whether a request is well formed
 *   device.c    the open file: takes requests, gives answers
 *   looks.c     objects, classes, counters
 *   owners.c    processes and their files, down to page caches and pipes
 *   swaps.c     swaps asked for
 *   hooks.c     hooks that count, delay or answer calls
 *   policies.c  the policy that a conversation runs
 *   advisors.c  what advisors saw and did; their modes
 *
 * A conversation is an open file of the device. It is used by one call at a time: whoever has the
 * file's offset (fs/open_file.h). What goes on without a call (swaps, hooks) has memory of its own.
 */
#ifndef KERNEL_LINUX_CONTROL_H
#define KERNEL_LINUX_CONTROL_H

#include "../../fs/open_file.h"
#include "request.h"
#include "runtime.h"

struct control_swaps;
struct control_hook;
struct policy_run;

/* The file of a component, as far as it has come. */
struct control_image {
    char *bytes;
    uint32_t size, got;
};

/* Records on their way to a program. */
struct control_answer {
    char *bytes; /* a head, then records; NULL: there is none */
    size_t room, used, given;
};

struct control {
    struct opened opened;
    struct control_answer answer;
    struct control_swaps *swaps; /* asked for, their outcomes not yet in the answer; or NULL */
    struct control_hook *hooks;
    uint32_t hook_count;
    struct control_image image;
    struct policy_run *run;          /* or NULL */
    enum k42_control_kind run_asked; /* how it is, or 0; answered when it has come so far: */
    uint32_t run_state;              /* in this state or a later one, */
    uint32_t run_changes;            /* and changed since */
};

/* What one can wait for in an open file of the device. */
enum { CONTROL_SWAPS_ENDED = 1, /* of a run: POLICY_CHANGED */ };

/* ---- the answer (device.c) ---- */

/* Begins one with room for that many bytes of records. 0 or -ENOMEM. */
K42_MUST_CHECK
k42_result control_begin(struct control *control, enum k42_control_kind kind, size_t room);
/* Room for another record, zeroed; NULL: it is full. */
void *control_add(struct control *control, size_t size);
/* Bytes of records that still fit. */
size_t control_room(const struct control *control);
/* Says where a further request goes on. */
void control_go_on(struct control *control, uint64_t next);

/* ---- what is asked; 0 or what write() says ---- */

typedef k42_result (*control_fn)(struct control *control, const struct control_request *request);
k42_result control_objects(struct control *control, const struct control_request *request);
k42_result control_classes(struct control *control, const struct control_request *request);
k42_result control_describe(struct control *control, const struct control_request *request);
k42_result control_stats(struct control *control, const struct control_request *request);
k42_result control_owners(struct control *control, const struct control_request *request);
k42_result control_file(struct control *control, const struct control_request *request);
k42_result control_swap(struct control *control, const struct control_request *request);
k42_result control_interpose(struct control *control, const struct control_request *request);
k42_result control_calls(struct control *control, const struct control_request *request);
k42_result control_advisors(struct control *control, const struct control_request *request);
k42_result control_decisions(struct control *control, const struct control_request *request);
k42_result control_advise(struct control *control, const struct control_request *request);

k42_result control_component(struct control *control, const struct control_request *request);
k42_result control_policy(struct control *control, const struct control_request *request);
k42_result control_run(struct control *control, const struct control_request *request);
k42_result control_end(struct control *control, const struct control_request *request);
k42_result control_counters(struct control *control, const struct control_request *request);

/* ---- what goes on ---- */

/* Whether the run has not come as far as was asked for. */
bool control_run_goes_on(const struct control *control);
/* When it has: puts it into the answer. 0 or -ENOMEM. */
K42_MUST_CHECK
k42_result control_run_tell(struct control *control);
/* Ends the policy, and forgets it. */
void control_policy_end(struct control *control);

/* Whether some that were asked for have not ended. */
bool control_swaps_go_on(const struct control *control);
/* When all have ended: puts their outcomes into the answer. 0 or -ENOMEM. */
K42_MUST_CHECK
k42_result control_swaps_tell(struct control *control);
/* Lets those that were asked for go their way; and takes all hooks away. */
void control_swaps_forget(struct control *control);
void control_hooks_end(struct control *control);

/* A result as programs know it. */
static inline k42_result control_result(k42_result result) {
    return result <= -K42_WAIT ? -ENOENT : result;
}

/* Makes /dev/k42; once, before programs run. Active callers. */
void control_register(void);

#endif
