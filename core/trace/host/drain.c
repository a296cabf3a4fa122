/*
 * From buffers to a sink: reads each CPU's events, wraps them into packets, tells of losses.
 *
 * `events_discarded` of a packet is how many events of its CPU were lost up to then: discarded by
 * writers, and for streaming those overwritten before they were read. It never goes down. What a
 * reader learns late (the count of a sub-buffer it was lapped in) stands in a later packet, at the
 * latest in an empty one at the end, so the last packet's figure is exact.
 *
 * Fails: -ENOMEM, and what the sink says.
 */
#include "drain.h"

#include <errno.h>
#include <stdlib.h>

#include "../../platform.h"

/* How often a snapshot looks again for an event that is being written right now. */
#define TRIES_FOR_THE_LAST_EVENTS 1000

struct k42_trace_drain_cpu {
    struct k42_trace_cursor cursor;
    uint64_t packets;
    uint64_t reported;   /* events_discarded of the last packet */
    uint64_t last_stamp; /* of the last packet */
    uint64_t accounted[];
};

int k42_trace_drain_open(struct k42_trace_drain *drain, struct k42_trace_sink *sink,
                         int streaming) {
    *drain = (struct k42_trace_drain){.sink = sink, .streaming = streaming};
    drain->cpus = calloc(K42_TRACE_MAX_CPUS + 1, sizeof(*drain->cpus));
    drain->packet =
        malloc(sizeof(struct k42_ctf_packet) + k42_trace_session.sub_mask + 1 + sizeof(uint64_t));
    return drain->cpus && drain->packet ? 0 : -ENOMEM;
}

void k42_trace_drain_close(struct k42_trace_drain *drain) {
    for (uint32_t n = 0; drain->cpus && n <= K42_TRACE_MAX_CPUS; n++)
        free(drain->cpus[n]);
    free(drain->cpus);
    free(drain->packet);
    *drain = (struct k42_trace_drain){0};
}

static struct k42_trace_drain_cpu *find_cpu(struct k42_trace_drain *drain,
                                            const struct k42_trace_cpu *cpu) {
    struct k42_trace_drain_cpu **at = &drain->cpus[cpu - k42_trace_session.cpus];
    if (*at)
        return *at;
    *at = calloc(1, sizeof(**at) + (k42_trace_session.count_mask + 1) * sizeof(uint64_t));
    if (!*at)
        return NULL;
    (*at)->cursor.accounted = (*at)->accounted;
    (*at)->cursor.streaming = drain->streaming;
    return *at;
}

static uint64_t count_lost(const struct k42_trace_drain *drain, const struct k42_trace_cpu *cpu,
                           const struct k42_trace_drain_cpu *state) {
    uint64_t discarded = __atomic_load_n(&cpu->discarded, __ATOMIC_RELAXED);
    return discarded + (drain->streaming ? state->cursor.lost : 0);
}

static int write_packet(struct k42_trace_drain *drain, struct k42_trace_cpu *cpu,
                        struct k42_trace_drain_cpu *state, const struct k42_trace_chunk *chunk) {
    struct k42_ctf_packet *packet = (void *)drain->packet;
    uint32_t number = __atomic_load_n(&cpu->number, __ATOMIC_RELAXED);
    *packet = (struct k42_ctf_packet){
        .stream_instance_id = (uint64_t)(cpu - k42_trace_session.cpus),
        .timestamp_begin = chunk->first_stamp,
        .timestamp_end = chunk->last_stamp,
        .events_discarded = count_lost(drain, cpu, state),
        .packet_seq_num = state->packets,
        .cpu_id = number,
        .attached = number != K42_TRACE_UNATTACHED,
    };
    int error = k42_trace_sink_describe(drain->sink);
    if (!error)
        error = k42_trace_sink_packet(drain->sink, packet, chunk->bytes);
    if (error)
        return error;
    state->packets++;
    state->reported = packet->events_discarded;
    state->last_stamp = chunk->last_stamp;
    if (drain->streaming) {
        __atomic_store_n(&cpu->read, cpu->read + chunk->events, __ATOMIC_RELAXED);
        __atomic_store_n(&cpu->overwritten, state->cursor.lost, __ATOMIC_RELAXED);
    }
    return 0;
}

/*
 * Up to the index as it is now, so that a busy CPU does not keep the reader. A snapshot insists on
 * the last events for a while: their writer is between reserve and commit only for nanoseconds,
 * unless it was interrupted there.
 */
static long drain_cpu(struct k42_trace_drain *drain, struct k42_trace_cpu *cpu) {
    long written = 0;
    int tries = drain->streaming ? 1 : TRIES_FOR_THE_LAST_EVENTS;
    struct k42_trace_drain_cpu *state = find_cpu(drain, cpu);
    if (!state)
        return -ENOMEM;
    uint64_t until = __atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE);
    while (state->cursor.position < until && tries > 0) {
        struct k42_trace_chunk chunk;
        char *into = drain->packet + sizeof(struct k42_ctf_packet);
        if (!k42_trace_read(cpu, &state->cursor, into, &chunk)) {
            tries--;
            k42_platform_yield();
            continue;
        }
        int error = write_packet(drain, cpu, state, &chunk);
        if (error)
            return error;
        written += (long)chunk.bytes;
    }
    return written;
}

long k42_trace_drain_pass(struct k42_trace_drain *drain) {
    struct k42_trace_cpu *cpu;
    long written = 0;
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++) {
        if (!__atomic_load_n(&cpu->memory, __ATOMIC_ACQUIRE))
            continue;
        long more = drain_cpu(drain, cpu);
        if (more < 0)
            return more;
        written += more;
    }
    return written;
}

static int end_cpu(struct k42_trace_drain *drain, struct k42_trace_cpu *cpu) {
    struct k42_trace_drain_cpu *state = find_cpu(drain, cpu);
    if (!state)
        return -ENOMEM;
    uint64_t recorded = 0;
    char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_ACQUIRE);
    for (uint64_t i = 0; memory && i <= k42_trace_session.count_mask; i++)
        recorded += __atomic_load_n(&k42_trace_subs(memory)[i].events, __ATOMIC_RELAXED);
    state->cursor.lost = recorded - state->cursor.read;
    if (count_lost(drain, cpu, state) == state->reported)
        return 0;
    uint64_t now = k42_trace_clock();
    struct k42_trace_chunk nothing = {.first_stamp = now, .last_stamp = now};
    return write_packet(drain, cpu, state, &nothing);
}

int k42_trace_drain_end(struct k42_trace_drain *drain) {
    struct k42_trace_cpu *cpu;
    int error = 0;
    for (uint32_t n = 0; !error && (cpu = k42_trace_nth_cpu(n)); n++)
        error = end_cpu(drain, cpu);
    return error;
}
