/*
 * The flight recorder (flight.h): starts the trace, and prints its end.
 *
 * Printing happens when nothing else runs any more and nothing can be trusted: it takes no lock,
 * allocates nothing, and believes no length that it finds. A sub-buffer is walked from its start,
 * from event to event, as far as they make sense; the newest of all CPUs are kept in a list in
 * order of time.
 *
 * Data is the trace facility's; the list is the panic's.
 */
#include "flight.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"
#include "runtime.h"
#include "trace/trace.h"

enum {
    SUB_BYTES = 4096,
    SUBS = 2,
    SHOWN = 24,
    LINE = 160,
};

static const char *const always[] = {"task:*", "k42:swap_*", "k42:upgrade_*", "k42:stall",
                                     "k42:component_*"};

static void enable(const char *pattern) {
    char why[LINE];
    if (k42_trace_enable(pattern, why, sizeof why) < 0)
        print("flight recorder: %s: %s", pattern, why);
}

void flight_open(void) {
    char more[64];
    for (unsigned i = 0; i < sizeof always / sizeof *always; i++)
        enable(always[i]);
    if (boot_option("trace", more, sizeof more))
        enable(more);
    k42_result opened = k42_trace_open(K42_TRACE_OVERWRITE, SUB_BYTES, SUBS);
    if (opened < 0)
        print("flight recorder: not started: %s", k42_error_name(opened));
}

/* ---- the newest events ---- */

struct found {
    const struct k42_trace_header *header;
    uint32_t cpu;
};

static struct {
    struct found events[SHOWN]; /* oldest first */
    unsigned count;
} newest;

static void keep(const struct k42_trace_header *header, uint32_t cpu) {
    unsigned at = newest.count;
    while (at && newest.events[at - 1].header->stamp > header->stamp)
        at--;
    if (newest.count == SHOWN) {
        if (!at)
            return;
        at--;
        for (unsigned n = 0; n < at; n++)
            newest.events[n] = newest.events[n + 1];
    } else {
        for (unsigned n = newest.count++; n > at; n--)
            newest.events[n] = newest.events[n - 1];
    }
    newest.events[at] = (struct found){header, cpu};
}

static void walk(const char *sub, size_t bytes, uint32_t cpu, uint64_t now) {
    for (size_t at = 0; at + sizeof(struct k42_trace_header) <= bytes;) {
        const struct k42_trace_header *header = (const void *)(sub + at);
        if (header->bytes < sizeof *header || header->bytes > bytes - at || header->stamp > now ||
            !k42_trace_known(header->id))
            return;
        keep(header, cpu);
        at = k42_trace_align(at + header->bytes);
    }
}

static void collect(void) {
    uint64_t now = k42_trace_clock();
    struct k42_trace_cpu *cpu;
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++) {
        uint64_t end = cpu->index, size = k42_trace_session.sub_mask + 1;
        uint64_t current = end & ~k42_trace_session.sub_mask;
        for (uint64_t back = k42_trace_session.count_mask; cpu->memory && back; back--)
            if (current >= back * size)
                walk(cpu->memory + ((current - back * size) & k42_trace_session.total_mask), size,
                     cpu->number, now);
        if (cpu->memory)
            walk(cpu->memory + (current & k42_trace_session.total_mask), end - current, cpu->number,
                 now);
    }
}

/* ---- as text ---- */

static const uint8_t sizes[] = {
    [K42_TRACE_TYPE_u8] = 1,  [K42_TRACE_TYPE_u16] = 2, [K42_TRACE_TYPE_u32] = 4,
    [K42_TRACE_TYPE_u64] = 8, [K42_TRACE_TYPE_i64] = 8, [K42_TRACE_TYPE_hex] = 8,
};

/* Writes one field; returns where the next begins, or NULL when this one makes no sense. */
static const char *show_field(const struct k42_trace_field *field, const char *at, const char *end,
                              char *line, size_t size) {
    uint64_t value = 0;
    if (field->type == K42_TRACE_TYPE_string) {
        const char *zero = at;
        while (zero < end && *zero)
            zero++;
        if (zero == end)
            return NULL;
        k42_format_text(line, size, " %s=%s", field->name, at);
        return zero + 1;
    }
    if (field->type == K42_TRACE_TYPE_bytes || sizes[field->type] > end - at)
        return NULL;
    __builtin_memcpy(&value, at, sizes[field->type]);
    const char *format = field->type == K42_TRACE_TYPE_hex   ? " %s=%lx"
                         : field->type == K42_TRACE_TYPE_i64 ? " %s=%ld"
                                                             : " %s=%lu";
    k42_format_text(line, size, format, field->name, value);
    return at + sizes[field->type];
}

static void show(const struct found *found, uint64_t now) {
    const struct k42_trace_header *header = found->header;
    const struct k42_trace_known *known = k42_trace_known(header->id);
    const char *at = (const char *)(header + 1), *end = (const char *)header + header->bytes;
    char line[LINE];
    size_t length = 0;
    line[0] = 0;
    for (uint32_t n = 0; at && n < known->field_count && length < sizeof line - 1; n++) {
        at = show_field(&known->fields[n], at, end, line + length, sizeof line - length);
        length += k42_text_length(line + length);
    }
    print("  %lu us ago, CPU %u: %s%s", (now - clock_ns_at(header->stamp)) / 1000, found->cpu,
          known->name, line);
}

void flight_print(void) {
    collect();
    if (!newest.count)
        return;
    print("last events:");
    uint64_t now = time_ns();
    for (unsigned n = 0; n < newest.count; n++)
        show(&newest.events[n], now);
}
