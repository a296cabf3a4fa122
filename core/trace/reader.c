/*
 * Reading events out of a CPU's buffer while it is being written.
 *
 * A reader copies first and checks afterwards that it was not lapped; a copy made while a writer
 * entered the same sub-buffer again is thrown away, so what is handed on is never garbled. Of the
 * sub-buffer being written it takes the part before the index when everything up to there is
 * committed, so a quiet trace is readable without disturbing its writers.
 *
 * Losses are exact. A sub-buffer counts its events over all laps; when a lap of it has been read to
 * its end, or as far as there is anything, whatever it counts beyond what was read or accounted for
 * before was overwritten.
 *
 * A cursor belongs to one reader. The buffer's memory must stay while it reads: readers are out
 * before a session is discarded.
 */
#include "trace.h"

/* How often to start again when writers are faster, before the reader looks at another CPU. */
#define TRIES_PER_READ 1000

/* ThreadSanitizer must not judge the copy: it may race with a writer, and is thrown away then. */
static __attribute__((no_sanitize("thread"), noinline)) void
copy_words(char *into, const char *from, size_t bytes) {
    uint64_t *to = (uint64_t *)(void *)into;
    const uint64_t *word = (const uint64_t *)(const void *)from;
    for (size_t i = 0; i < (bytes + 7) / 8; i++)
        to[i] = *(const volatile uint64_t *)&word[i];
}

/* True when somebody has entered the sub-buffer of `position` in a later lap. */
static int lapped(struct k42_trace_cpu *cpu, uint64_t position) {
    uint64_t next_lap = (position & ~k42_trace_session.sub_mask) + k42_trace_session.total_mask + 1;
    return __atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE) > next_lap;
}

/* Goes to the oldest sub-buffer that no writer has entered again. */
static void skip_to_oldest(struct k42_trace_cpu *cpu, struct k42_trace_cursor *cursor) {
    uint64_t index = __atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE);
    uint64_t newest = (index - 1) & ~k42_trace_session.sub_mask;
    cursor->position = newest + k42_trace_session.sub_mask - k42_trace_session.total_mask;
}

/*
 * Up to where events can be taken from the sub-buffer of `position`; 0 when not now. `complete`
 * tells whether that is all there will be in this lap.
 *
 * The count is read before the index. If both agree, all that was reserved then was committed.
 */
static uint64_t find_end(struct k42_trace_cpu *cpu, struct k42_trace_sub *sub, uint64_t position,
                         int *complete) {
    const uint64_t start = position & ~k42_trace_session.sub_mask;
    const uint64_t full = k42_trace_session.sub_mask + 1;
    uint64_t lap_end = k42_trace_complete_at(position);
    uint64_t committed = __atomic_load_n(&sub->committed, __ATOMIC_ACQUIRE);
    *complete = committed == lap_end;
    if (*complete) {
        uint64_t end = __atomic_load_n(&sub->end, __ATOMIC_RELAXED);
        return end > start && end < start + full ? end : start + full;
    }
    uint64_t index = __atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE);
    return committed - (lap_end - full) == index - start ? index : 0;
}

/*
 * Counts the events of a copy and finds its stamps; 0 when it is not a row of whole events. Clears
 * each one's `bytes`, so that what is handed on has a stamp and an id of 64 bits: a format's event
 * header has no place for a length that follows from the fields.
 */
static int measure(char *copy, struct k42_trace_chunk *chunk) {
    size_t at = 0;
    chunk->events = 0;
    while (at + sizeof(struct k42_trace_header) <= chunk->bytes) {
        struct k42_trace_header *header = (void *)(copy + at);
        uint32_t bytes = header->bytes;
        if (bytes < sizeof(*header) || bytes > chunk->bytes - at)
            return 0;
        header->bytes = 0;
        if (!chunk->events++)
            chunk->first_stamp = header->stamp;
        chunk->last_stamp = header->stamp;
        if (at + bytes == chunk->bytes)
            return 1;
        at = k42_trace_align(at + bytes);
    }
    return 0;
}

/* This sub-buffer has been read as far as it was written; `events` is what it counted then. */
static void account(struct k42_trace_cursor *cursor, uint64_t *accounted, uint64_t events) {
    cursor->lost += events - *accounted;
    *accounted = events;
}

static void finish_lap(struct k42_trace_cpu *cpu, struct k42_trace_cursor *cursor) {
    cursor->position = (cursor->position | k42_trace_session.sub_mask) + 1;
    if (cursor->streaming)
        __atomic_store_n(&cpu->consumed, cursor->position >> k42_trace_session.sub_shift,
                         __ATOMIC_RELEASE);
}

/* One look at the cursor's sub-buffer: 1 a chunk, 0 nothing now, -1 look again further on. */
static int read_here(struct k42_trace_cpu *cpu, struct k42_trace_cursor *cursor, char *memory,
                     char *into, struct k42_trace_chunk *chunk) {
    const struct k42_trace_session *session = &k42_trace_session;
    if (lapped(cpu, cursor->position)) {
        skip_to_oldest(cpu, cursor);
        return -1;
    }
    struct k42_trace_sub *sub = k42_trace_sub_at(memory, cursor->position);
    uint64_t *accounted =
        &cursor->accounted[(cursor->position >> session->sub_shift) & session->count_mask];
    int complete;
    uint64_t end = find_end(cpu, sub, cursor->position, &complete);
    uint64_t begin = k42_trace_align(cursor->position);
    uint64_t events = __atomic_load_n(&sub->events, __ATOMIC_RELAXED);
    chunk->bytes = end > begin ? end - begin : 0;
    if (!complete && !chunk->bytes)
        return 0;
    copy_words(into, memory + (begin & session->total_mask), chunk->bytes);
    /* The copy's loads come before the look at the index that vouches for them: x86 keeps loads in
     * order, so only the compiler must be told. */
    __asm__ volatile("" ::: "memory");
    if (lapped(cpu, cursor->position))
        return -1;
    int whole = chunk->bytes && measure(into, chunk);
    if (whole) {
        *accounted += chunk->events;
        cursor->read += chunk->events;
        cursor->position = end;
    }
    if (complete) {
        cursor->position = (end - 1) & ~session->sub_mask;
        account(cursor, accounted, events);
        finish_lap(cpu, cursor);
    } else if (!whole) {
        return 0;
    } else if (__atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE) == end) {
        account(cursor, accounted, events); /* nobody has come since they were counted */
    }
    return whole ? 1 : -1;
}

int k42_trace_read(struct k42_trace_cpu *cpu, struct k42_trace_cursor *cursor, char *into,
                   struct k42_trace_chunk *chunk) {
    char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_ACQUIRE);
    if (!memory)
        return 0;
    int outcome = -1;
    for (int tries = 0; outcome < 0 && tries < TRIES_PER_READ; tries++)
        outcome = read_here(cpu, cursor, memory, into, chunk);
    return outcome > 0;
}
