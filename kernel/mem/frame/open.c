/*
 * Taking the machine's memory at boot: where the records of frames lie, and which frames are free.
 *
 * Each GiB of physical addresses that has any memory gets a section: records of its 512 chunks, and
 * of its frames from the first chunk with memory to the last. Records of the frames of a chunk that
 * is free as a whole are not even written: whoever cuts the chunk up makes them. So opening costs
 * time by the chunk, not by the frame.
 *
 * All records lie at the start of the largest free range, taken piece by piece by records_take().
 *
 * Owns: frame_sections and frame_records, constant after frames_open(). Fails: with messages,
 * before anything is taken.
 */
#include "frames.h"

#include "../../../core/platform.h"
#include "../../../core/runtime.h"

#define FRAME_NUMBERS ((uint64_t)1 << 32)
#define RECORDS_ALIGN 64u

struct section **frame_sections;
uintptr_t *frame_records;
uint32_t frame_section_count;
struct frames_known frames_known;

/* The start of the largest free range, from which records are taken. */
static struct { uint64_t next, end; } records;

/* ---- checking ---- */

static uint64_t first_frame(const struct frame_range *range) {
    return (range->start + FRAME_BYTES - 1) / FRAME_BYTES;
}

/* A free range loses the broken frame at its end, a kept one has it. */
static uint64_t end_frame(const struct frame_range *range) {
    return range->kind == FRAME_RANGE_FREE ? range->end / FRAME_BYTES
                                           : (range->end + FRAME_BYTES - 1) / FRAME_BYTES;
}

static uint64_t start_frame(const struct frame_range *range) {
    return range->kind == FRAME_RANGE_FREE ? first_frame(range) : range->start / FRAME_BYTES;
}

static bool is_empty(const struct frame_range *range) {
    return start_frame(range) >= end_frame(range);
}

static int refuse(const struct frame_range *range, const char *why) {
    char line[160];
    k42_format_text(line, sizeof(line), "taking memory 0x%lx to 0x%lx: it %s",
                    (unsigned long)range->start, (unsigned long)range->end, why);
    k42_platform_log(line);
    return -EINVAL;
}

static int check_ranges(const struct frame_range *ranges, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].end / FRAME_BYTES >= FRAME_NUMBERS)
            return refuse(&ranges[i], "lies above 16 TiB, where frames have no number");
        for (size_t j = 0; j < i; j++)
            if (!is_empty(&ranges[i]) && !is_empty(&ranges[j]) &&
                start_frame(&ranges[i]) < end_frame(&ranges[j]) &&
                start_frame(&ranges[j]) < end_frame(&ranges[i]))
                return refuse(&ranges[i], "overlaps another range");
    }
    return 0;
}

/* ---- records ---- */

static const struct frame_range *largest_free(const struct frame_range *ranges, size_t count) {
    const struct frame_range *largest = NULL;
    for (size_t i = 0; i < count; i++)
        if (ranges[i].kind == FRAME_RANGE_FREE && !is_empty(&ranges[i]) &&
            (!largest || ranges[i].end - ranges[i].start > largest->end - largest->start))
            largest = &ranges[i];
    return largest;
}

/* Memory for `bytes` of records, not zeroed. NULL: the range is used up. */
static void *records_take(uint64_t bytes) {
    bytes = (bytes + RECORDS_ALIGN - 1) & ~(uint64_t)(RECORDS_ALIGN - 1);
    if (records.end - records.next < bytes)
        return NULL;
    records.next += bytes;
    return machine_memory(records.next - bytes);
}

static int make_section_table(const struct frame_range *ranges, size_t count) {
    uint64_t top = 0;
    for (size_t i = 0; i < count; i++)
        if (!is_empty(&ranges[i]) && end_frame(&ranges[i]) > top)
            top = end_frame(&ranges[i]);
    frame_section_count = (uint32_t)((top + FRAMES_PER_SECTION - 1) / FRAMES_PER_SECTION);
    frame_sections = records_take(frame_section_count * sizeof(*frame_sections));
    frame_records = records_take(frame_section_count * sizeof(*frame_records));
    if (!frame_sections || !frame_records)
        return -ENOMEM;
    for (uint32_t i = 0; i < frame_section_count; i++) {
        frame_sections[i] = NULL;
        frame_records[i] = 0;
    }
    return 0;
}

static struct section *make_section(uint32_t number) {
    struct section *section = records_take(sizeof(struct section));
    if (!section)
        return NULL;
    section->first = FRAMES_PER_SECTION;
    section->end = 0;
    for (uint32_t i = 0; i < CHUNKS_PER_SECTION; i++)
        section->chunks[i] = (struct chunk){.number = number * CHUNKS_PER_SECTION + i,
                                            .kind = kind_of(STATE_ABSENT, 0)};
    frame_sections[number] = section;
    return section;
}

/* Widens the sections that a range touches, by whole chunks. */
static int cover_range(const struct frame_range *range) {
    uint64_t end = end_frame(range);
    for (uint64_t frame = start_frame(range); frame < end;) {
        uint32_t number = (uint32_t)(frame / FRAMES_PER_SECTION);
        struct section *section = frame_sections[number];
        if (!section && !(section = make_section(number)))
            return -ENOMEM;
        uint64_t section_end = (uint64_t)(number + 1) * FRAMES_PER_SECTION;
        uint64_t stop = end < section_end ? end : section_end;
        uint32_t first = (uint32_t)(frame % FRAMES_PER_SECTION) & ~(FRAMES_PER_CHUNK - 1);
        uint32_t last = (uint32_t)((stop - 1) % FRAMES_PER_SECTION) | (FRAMES_PER_CHUNK - 1);
        if (first < section->first)
            section->first = first;
        if (last + 1 > section->end)
            section->end = last + 1;
        frame = stop;
    }
    return 0;
}

static int make_frame_records(void) {
    for (uint32_t i = 0; i < frame_section_count; i++) {
        struct section *section = frame_sections[i];
        if (!section)
            continue;
        void *memory =
            records_take((uint64_t)(section->end - section->first) * sizeof(struct frame));
        if (!memory)
            return -ENOMEM;
        section->frames = (uintptr_t)memory - (uintptr_t)section->first * sizeof(struct frame);
        frame_records[i] = section->frames;
    }
    return 0;
}

static int make_records(const struct frame_range *ranges, size_t count) {
    int error = make_section_table(ranges, count);
    for (size_t i = 0; i < count && !error; i++)
        if (!is_empty(&ranges[i]))
            error = cover_range(&ranges[i]);
    if (!error)
        error = make_frame_records();
    void *caches = error ? NULL : records_take(caches_bytes());
    if (!caches)
        return -ENOMEM;
    caches_set(caches);
    return 0;
}

/* ---- frames ---- */

/* A chunk not all of which is of one kind is in the kernel's pool from the start. */
static void break_chunk(struct chunk *chunk, enum frame_state state) {
    if (chunk_kind(chunk) != kind_of(STATE_POOL, 0))
        pool_adopt(&frame_kernel, chunk, state);
}

/* Frees frames of one chunk in pieces as large as their alignment allows. */
static void free_pieces(uint32_t number, uint32_t end) {
    while (number < end) {
        unsigned order =
            number % FRAMES_PER_CHUNK ? (unsigned)__builtin_ctz(number) : FRAME_ORDER_CHUNK - 1;
        while (number + (1u << order) > end)
            order--;
        for (uint32_t i = 0; i < 1u << order; i++)
            frame_set_kind(frame_numbered(number + i), kind_of(STATE_INSIDE, 0));
        pool_give(frame_numbered(number), order);
        number += 1u << order;
    }
}

static void keep_pieces(uint32_t number, uint32_t end) {
    for (; number < end; number++)
        frame_set_kind(frame_numbered(number), kind_of(STATE_KEPT, 0));
}

/* Calls act for each chunk that a run of frames touches, with its part of the run. */
static void each_chunk(uint64_t frame, uint64_t end,
                       void (*act)(struct chunk *chunk, uint32_t first, uint32_t end)) {
    while (frame < end) {
        uint64_t stop = (frame | (FRAMES_PER_CHUNK - 1)) + 1;
        if (stop > end)
            stop = end;
        act(chunk_of((uint32_t)frame), (uint32_t)frame, (uint32_t)stop);
        frame = stop;
    }
}

static void feed_free(struct chunk *chunk, uint32_t first, uint32_t end) {
    if (end - first == FRAMES_PER_CHUNK) {
        zone_give(chunk, FRAME_ORDER_CHUNK);
    } else {
        break_chunk(chunk, STATE_ABSENT);
        free_pieces(first, end);
    }
}

static void feed_kept(struct chunk *chunk, uint32_t first, uint32_t end) {
    if (end - first == FRAMES_PER_CHUNK) {
        chunk_set_kind(chunk, kind_of(STATE_KEPT, 0));
    } else {
        break_chunk(chunk, STATE_ABSENT);
        keep_pieces(first, end);
    }
}

static void feed(const struct frame_range *range) {
    uint64_t start = start_frame(range), end = end_frame(range);
    frames_known.present += end - start;
    if (range->kind == FRAME_RANGE_KEPT) {
        frames_known.kept += end - start;
        each_chunk(start, end, feed_kept);
        return;
    }
    uint64_t used = (records.next + FRAME_BYTES - 1) / FRAME_BYTES;
    if (start * FRAME_BYTES < records.next && records.next <= range->end) {
        frames_known.records = used - start;
        start = used;
    }
    each_chunk(start, end, feed_free);
}

/* A few chunks stay for those who cannot fail; a machine of less than 128 MiB cannot spare one. */
static void set_marks(void) {
    uint64_t chunks = frames_known.present / 64 / FRAMES_PER_CHUNK;
    zone_set_reserve((chunks < 4 ? chunks : 4) * FRAMES_PER_CHUNK);
    pressure_set_total(frames_known.present);
}

int frames_open(const struct frame_range *ranges, size_t count) {
    int error = check_ranges(ranges, count);
    if (error)
        return error;
    const struct frame_range *home = largest_free(ranges, count);
    if (home) {
        records.next = first_frame(home) * FRAME_BYTES;
        records.end = end_frame(home) * FRAME_BYTES;
    }
    if (!home || make_records(ranges, count)) {
        k42_platform_log("taking memory: no free range is large enough for the records of all "
                         "frames; the largest must hold 1/128 of the memory");
        return -ENOMEM;
    }
    uintptr_t interrupts = machine_interrupts_off();
    for (size_t i = 0; i < count; i++)
        if (!is_empty(&ranges[i]))
            feed(&ranges[i]);
    set_marks();
    pressure_note(zone_free());
    machine_interrupts_restore(interrupts);
    return 0;
}

/* ---- giving memory later ---- */

static bool is_kept(uint32_t number) {
    if (number / FRAMES_PER_SECTION >= frame_section_count || !frame_section(number))
        return false;
    uint16_t kind = chunk_kind(chunk_of(number));
    if (kind == kind_of(STATE_POOL, 0))
        return frame_kind(frame_numbered(number)) == kind_of(STATE_KEPT, 0);
    return kind == kind_of(STATE_KEPT, 0);
}

static void release(struct chunk *chunk, uint32_t first, uint32_t end) {
    if (end - first == FRAMES_PER_CHUNK && chunk_kind(chunk) == kind_of(STATE_KEPT, 0)) {
        zone_give(chunk, FRAME_ORDER_CHUNK);
    } else {
        break_chunk(chunk, STATE_KEPT);
        free_pieces(first, end);
    }
}

int frames_release(uint64_t start, uint64_t end) {
    struct frame_range range = {start, end, FRAME_RANGE_KEPT};
    uint64_t first = start_frame(&range), last = end_frame(&range);
    if (end / FRAME_BYTES >= FRAME_NUMBERS)
        return refuse(&range, "lies above 16 TiB");
    for (uint64_t frame = first; frame < last; frame++)
        if (!is_kept((uint32_t)frame))
            return refuse(&range, "was not kept at boot, or is released already");
    uintptr_t interrupts = machine_interrupts_off();
    each_chunk(first, last, release);
    __atomic_sub_fetch(&frames_known.kept, last - first, __ATOMIC_RELAXED);
    machine_interrupts_restore(interrupts);
    return 0;
}

/* ---- finding records ---- */

struct frame *frame_find(uint64_t physical) {
    uint64_t number = physical >> FRAME_SHIFT;
    if (number / FRAMES_PER_SECTION >= frame_section_count ||
        !frame_sections[number / FRAMES_PER_SECTION])
        return NULL;
    struct frame *frame = frame_numbered((uint32_t)number);
    struct chunk *chunk = chunk_of((uint32_t)number);
    uint16_t kind = chunk_kind(chunk);
    if (kind == kind_of(STATE_POOL, 0))
        return frame_kind(frame) == kind_of(STATE_ABSENT, 0) ? NULL : frame;
    return kind >> 8 == STATE_USED && number % FRAMES_PER_CHUNK == 0 ? frame : NULL;
}
