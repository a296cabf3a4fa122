/*
 * Where a trace is written: a directory, or a descriptor. One thread uses a sink at a time, and it
 * must have all signals blocked, as writing may raise SIGPIPE or SIGXFSZ.
 */
#ifndef K42_CORE_TRACE_SINK_H
#define K42_CORE_TRACE_SINK_H

#include "ctf.h"

struct k42_trace_sink {
    struct k42_ctf_trace trace;
    int directory; /* -1: `fd` it is */
    int fd;
    int is_socket;
    uint32_t described; /* events below this id are in the metadata */
    uint32_t hurry;     /* set by others: give up on a peer that takes nothing for a second */
};

/*
 * Opens a new trace in a directory, which is made if need be. 0, or a negative errno, with a
 * sentence in `why`.
 */
int k42_trace_sink_open_directory(struct k42_trace_sink *sink, const char *path, char *why,
                                  size_t why_size);
/* The same for a descriptor: -EBADF when it cannot be written. Nothing is written yet. */
int k42_trace_sink_open_fd(struct k42_trace_sink *sink, int fd, char *why, size_t why_size);
void k42_trace_sink_close(struct k42_trace_sink *sink);

/* Writes what the metadata still lacks. 0 or a negative errno. */
int k42_trace_sink_describe(struct k42_trace_sink *sink);

/*
 * Writes a packet, its magic, identity and sizes filled in here; `bytes` of events stand behind it.
 * 0 or a negative errno; after an error nothing of it is left in the directory's file.
 */
int k42_trace_sink_packet(struct k42_trace_sink *sink, struct k42_ctf_packet *packet, size_t bytes);

#endif
