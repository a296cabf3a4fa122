/*
 * From buffers to a sink: the part that streaming and snapshots share. One thread uses a drain.
 */
#ifndef K42_CORE_TRACE_DRAIN_H
#define K42_CORE_TRACE_DRAIN_H

#include "sink.h"

struct k42_trace_drain_cpu; /* where it is in one CPU's buffer */

struct k42_trace_drain {
    struct k42_trace_sink *sink;
    struct k42_trace_drain_cpu **cpus; /* by CPU number, the shared buffer last; made when needed */
    char *packet;                      /* room for a packet that holds a whole sub-buffer */
    int streaming;                     /* the session's consumer; otherwise a snapshot */
};

/* For the session that is open. 0 or -ENOMEM, after which closing is still right. */
int k42_trace_drain_open(struct k42_trace_drain *drain, struct k42_trace_sink *sink, int streaming);
void k42_trace_drain_close(struct k42_trace_drain *drain);

/*
 * Writes what every CPU has now, each at most one buffer full. Returns the bytes written, or a
 * negative errno.
 */
long k42_trace_drain_pass(struct k42_trace_drain *drain);

/* After the last pass, with writers out: reports losses that no packet has told of yet. */
int k42_trace_drain_end(struct k42_trace_drain *drain);

#endif
