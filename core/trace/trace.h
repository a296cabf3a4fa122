/*
 * What the files of the trace facility share; the runtime outside it uses only the first section.
 *
 * buffer.c   writers: reserve and commit, in any context
 * reader.c   readers: copy out what is committed, notice being lapped, account for losses
 * registry.c which events exist, which are wanted
 * session.c  the one trace that may run: its geometry, opening, closing, counts
 * host/      files, sockets, CTF: the Linux host's
 */
#ifndef K42_CORE_TRACE_H
#define K42_CORE_TRACE_H

#include <k42/lock.h>
#include <k42/trace.h>

/* ---- for the runtime ---- */

/*
 * The events of a module that was loaded, or is about to go. Idempotent. Descriptors are copied; a
 * module that goes must not be able to emit any more. May allocate; when there is no memory, or
 * more than K42_TRACE_MAX_EVENTS are known, the event stays disabled and the log says so.
 */
void k42_trace_register(struct k42_trace_event **begin, struct k42_trace_event **end);
void k42_trace_unregister(struct k42_trace_event **begin, struct k42_trace_event **end);

/* ---- limits ---- */

#define K42_TRACE_MAX_EVENTS 4096u
#define K42_TRACE_MAX_CPUS   4096u /* CPUs beyond share the buffer of unattached threads */

/* ---- buffers ---- */

/* What stands before an event's fields. An event begins at a multiple of 8 bytes. */
struct k42_trace_header {
    uint64_t stamp;
    uint32_t id;
    uint32_t bytes; /* header and fields, without what aligns the next event */
};

/*
 * A sub-buffer. `committed` counts bytes, over all laps, padding included: in lap n it is complete
 * at (n + 1) * size, so nothing is ever reset. `events` counts events the same way.
 */
struct k42_trace_sub {
    uint64_t committed;
    uint64_t events;
    uint64_t end; /* position at which the content of some lap ended, if not at the boundary */
    uint64_t unused;
};

/*
 * One CPU's part. Never freed, so that a writer can always count itself in. `memory` holds the
 * sub-buffers' data, then their k42_trace_sub, then a count for each event; it comes with the CPU's
 * first event and goes when the session ends.
 */
struct k42_trace_cpu {
    uint64_t index;   /* position up to which space is reserved; positions never wrap */
    uint64_t writers; /* between reserve and commit, or trying */
    char *memory;
    uint32_t number; /* set when it first gets memory */
    uint32_t shared; /* more than one thread writes here: locked operations */
    uint64_t discarded;
    /* the reader's, on a line of its own */
    uint64_t consumed __attribute__((aligned(64))); /* sub-buffers done with, for K42_TRACE_STOP */
    uint64_t overwritten, read;
    uint64_t recorded; /* once the session has ended */
} __attribute__((aligned(64)));

/* The session's geometry: written while closed, read by whoever counted itself in and saw open. */
struct k42_trace_session {
    uint32_t open;
    uint32_t mode;
    uint32_t sub_shift;
    uint32_t cpu_limit; /* one more than the highest CPU that has memory; grows while open */
    uint64_t sub_mask, count_mask, total_mask;
    struct k42_trace_cpu *cpus; /* K42_TRACE_MAX_CPUS and the shared one; stays for ever */
};
extern struct k42_trace_session k42_trace_session;

static inline struct k42_trace_sub *k42_trace_subs(char *memory) {
    return (struct k42_trace_sub *)(void *)(memory + k42_trace_session.total_mask + 1);
}

static inline struct k42_trace_sub *k42_trace_sub_at(char *memory, uint64_t position) {
    const struct k42_trace_session *session = &k42_trace_session;
    return k42_trace_subs(memory) + ((position >> session->sub_shift) & session->count_mask);
}

static inline uint64_t *k42_trace_event_counts(char *memory) {
    return (uint64_t *)(void *)(k42_trace_subs(memory) + k42_trace_session.count_mask + 1);
}

/* What k42_trace_cpu.memory takes in all. */
static inline size_t k42_trace_memory_bytes(void) {
    const struct k42_trace_session *session = &k42_trace_session;
    return session->total_mask + 1 + (session->count_mask + 1) * sizeof(struct k42_trace_sub) +
           K42_TRACE_MAX_EVENTS * sizeof(uint64_t);
}

/* The committed count at which the sub-buffer that holds `position` is complete in its lap. */
static inline uint64_t k42_trace_complete_at(uint64_t position) {
    return (position & ~k42_trace_session.total_mask) / (k42_trace_session.count_mask + 1) +
           k42_trace_session.sub_mask + 1;
}

static inline uint64_t k42_trace_align(uint64_t position) {
    return (position + 7) & ~UINT64_C(7);
}

static inline uint64_t k42_trace_clock(void) {
    return __builtin_ia32_rdtsc();
}

/* ---- the session; one caller at a time, who is inactive or may wait ---- */

/* Whether a trace can have these sizes. */
int k42_trace_geometry_fits(enum k42_trace_mode mode, size_t sub_bytes, uint32_t sub_count);
/* Opens, with sizes that fit, or closes. Closing returns when no writer is inside; memory stays
 * until discarded. */
k42_result k42_trace_open(enum k42_trace_mode mode, size_t sub_bytes, uint32_t sub_count);
void k42_trace_close(void);
/* Takes the final counts and frees the memory. Readers must be out. Of a trace that was streamed,
 * what was recorded and not read counts as overwritten. */
void k42_trace_discard(int streaming);

/*
 * Around a fork: keeps registry and counts whole in the child, and, in the child, drops the
 * parent's session, whose writers and readers do not exist there.
 */
void k42_trace_hold(void);
void k42_trace_let_go(void);
void k42_trace_abandon(void);

/* The n-th CPU that may hold events, NULL after the last: for (n = 0; ...; n++). */
struct k42_trace_cpu *k42_trace_nth_cpu(uint32_t n);

/* ---- reading ---- */

/* Where a reader is in a CPU's buffer. Zeroed, with `accounted` of one word per sub-buffer. */
struct k42_trace_cursor {
    uint64_t position;
    uint64_t read;
    uint64_t lost;       /* events known to have been overwritten before this reader came */
    uint64_t *accounted; /* events of each sub-buffer that were read or counted as lost */
    int streaming;       /* this is the reader that K42_TRACE_STOP waits for */
};

/*
 * Some events of one CPU, in the order in which they were emitted: each a k42_trace_header whose
 * `bytes` is 0, then its fields, then up to 7 bytes before the next one.
 */
struct k42_trace_chunk {
    size_t bytes;
    uint64_t events;
    uint64_t first_stamp, last_stamp;
};

/*
 * Copies the next events of a sub-buffer into `into`, which has room for a sub-buffer. 1, or 0 when
 * there are none to be had now. Safe against writers; never blocks them.
 */
int k42_trace_read(struct k42_trace_cpu *cpu, struct k42_trace_cursor *cursor, char *into,
                   struct k42_trace_chunk *chunk);

/* ---- the registry ---- */

/* An event as the registry knows it; stays when its module goes. */
struct k42_trace_known {
    const char *name;
    struct k42_trace_field *fields;
    uint32_t field_count;
    uint32_t id;
    int wanted;
    struct k42_trace_event *live; /* descriptors in loaded modules */
    uint64_t recorded;
};

/* The event of that id, NULL beyond the last; ids count from 1. Stays valid for ever. */
struct k42_trace_known *k42_trace_known(uint32_t id);
/* How often it was recorded, by the trace that runs or ran last. */
uint64_t k42_trace_event_recorded(const struct k42_trace_known *known);
void k42_trace_hold_registry(void);
void k42_trace_let_go_registry(void);
/* Makes every descriptor's `enabled` agree with what is wanted and whether the session is open. */
void k42_trace_refresh(int open);

#endif
