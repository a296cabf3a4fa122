/*
 * CTF metadata: the layout of packets and of every event, in TSDL, from the registry's copies.
 *
 * Names of fields get an underscore in front, as TSDL reserves words such as "string"; readers take
 * it off again. The clock is the time-stamp counter, its frequency measured once against the
 * monotonic clock.
 *
 * No state but that frequency, which is written by one control function at a time.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "../../platform.h"
#include "ctf.h"

#define CALIBRATION_NS 20000000u

static uint64_t realtime_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Reads two clocks as near together as can be had in a few tries: the stamp for `*ns`. */
static uint64_t read_both(uint64_t (*clock)(void), uint64_t *ns) {
    uint64_t stamp = 0, best = UINT64_MAX;
    *ns = 0;
    for (int i = 0; i < 16; i++) {
        uint64_t before = k42_trace_clock();
        uint64_t now = clock();
        uint64_t width = k42_trace_clock() - before;
        if (width < best) {
            best = width;
            stamp = before + width / 2;
            *ns = now;
        }
    }
    return stamp;
}

static uint64_t find_frequency(void) {
    static uint64_t frequency;
    if (frequency)
        return frequency;
    uint64_t begin_ns = 0, end_ns = 1;
    uint64_t begin = read_both(k42_platform_now_ns, &begin_ns);
    struct timespec pause = {.tv_nsec = CALIBRATION_NS};
    while (nanosleep(&pause, &pause) < 0)
        continue;
    uint64_t end = read_both(k42_platform_now_ns, &end_ns);
    frequency = (uint64_t)((unsigned __int128)(end - begin) * 1000000000u / (end_ns - begin_ns));
    return frequency;
}

static void choose_uuid(uint8_t uuid[16]) {
    if (getrandom(uuid, 16, GRND_NONBLOCK) != 16)
        for (unsigned i = 0; i < 16; i++)
            uuid[i] = (uint8_t)(k42_trace_clock() >> i);
    uuid[6] = (uint8_t)((uuid[6] & 0x0f) | 0x40);
    uuid[8] = (uint8_t)((uuid[8] & 0x3f) | 0x80);
}

void k42_ctf_begin(struct k42_ctf_trace *trace) {
    choose_uuid(trace->uuid);
    trace->frequency = find_frequency();
    uint64_t now_ns = 0;
    uint64_t stamp = read_both(realtime_ns, &now_ns);
    unsigned __int128 ticks = (unsigned __int128)now_ns * trace->frequency / 1000000000u - stamp;
    trace->offset_s = (uint64_t)(ticks / trace->frequency);
    trace->offset = (uint64_t)(ticks % trace->frequency);
}

static void print_uuid(FILE *out, const uint8_t uuid[16]) {
    for (int i = 0; i < 16; i++)
        fprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static void print_environment(FILE *out, const struct k42_ctf_trace *trace) {
    char host[65] = "unknown";
    gethostname(host, sizeof(host) - 1);
    for (char *c = host; *c; c++)
        if (*c == '"' || *c == '\\')
            *c = '_';
    fprintf(out,
            "env {\n    hostname = \"%s\";\n    tracer_name = \"k42\";\n"
            "    tracer_major = %d;\n    tracer_minor = %d;\n    vpid = %ld;\n};\n\n",
            host, K42_VERSION_MAJOR, K42_VERSION_MINOR, (long)getpid());
    fprintf(out, "clock {\n    name = \"k42\";\n    uuid = \"");
    print_uuid(out, trace->uuid);
    fprintf(out,
            "\";\n    description = \"time-stamp counter\";\n    freq = %llu;\n"
            "    offset_s = %llu;\n    offset = %llu;\n    absolute = true;\n};\n\n",
            (unsigned long long)trace->frequency, (unsigned long long)trace->offset_s,
            (unsigned long long)trace->offset);
}

static const char types[] =
    "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
    "typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
    "typealias integer { size = 64; align = 8; signed = true; } := int64_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex64_t;\n\n";

static const char stream[] = "typealias integer {\n"
                             "    size = 64; align = 64; signed = false; map = clock.k42.value;\n"
                             "} := stamp_t;\n\n"
                             "stream {\n"
                             "    id = 0;\n"
                             "    event.header := struct {\n"
                             "        stamp_t timestamp;\n"
                             "        uint64_t id;\n"
                             "    } align(64);\n"
                             "    packet.context := struct {\n"
                             "        stamp_t timestamp_begin;\n"
                             "        stamp_t timestamp_end;\n"
                             "        uint64_t content_size;\n"
                             "        uint64_t packet_size;\n"
                             "        uint64_t events_discarded;\n"
                             "        uint64_t packet_seq_num;\n"
                             "        uint32_t cpu_id;\n"
                             "        uint32_t attached;\n"
                             "    };\n"
                             "};\n\n";

char *k42_ctf_describe_trace(const struct k42_ctf_trace *trace) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    fprintf(out, "/* CTF 1.8 */\n\n%strace {\n    major = 1;\n    minor = 8;\n    uuid = \"",
            types);
    print_uuid(out, trace->uuid);
    fprintf(out, "\";\n    byte_order = le;\n"
                 "    packet.header := struct {\n        uint32_t magic;\n"
                 "        uint8_t uuid[16];\n        uint32_t stream_id;\n"
                 "        uint64_t stream_instance_id;\n    };\n};\n\n");
    print_environment(out, trace);
    fputs(stream, out);
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}

static void print_field(FILE *out, const struct k42_trace_field *field) {
    static const char *const names[] = {
        [K42_TRACE_TYPE_u8] = "uint8_t",    [K42_TRACE_TYPE_u16] = "uint16_t",
        [K42_TRACE_TYPE_u32] = "uint32_t",  [K42_TRACE_TYPE_u64] = "uint64_t",
        [K42_TRACE_TYPE_i64] = "int64_t",   [K42_TRACE_TYPE_hex] = "hex64_t",
        [K42_TRACE_TYPE_string] = "string",
    };
    if (field->type == K42_TRACE_TYPE_bytes)
        fprintf(out, "        uint32_t _%s_length;\n        uint8_t _%s[_%s_length];\n",
                field->name, field->name, field->name);
    else
        fprintf(out, "        %s _%s;\n", names[field->type], field->name);
}

static void print_name(FILE *out, const char *name) {
    for (; *name; name++) {
        if (*name == '"' || *name == '\\')
            fputc('\\', out);
        fputc(*name, out);
    }
}

char *k42_ctf_describe_events(uint32_t from, uint32_t to) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    for (uint32_t id = from; id < to; id++) {
        const struct k42_trace_known *known = k42_trace_known(id);
        fprintf(out, "event {\n    name = \"");
        print_name(out, known->name);
        fprintf(out, "\";\n    id = %u;\n    stream_id = 0;\n    fields := struct {\n", id);
        for (uint32_t i = 0; i < known->field_count; i++)
            print_field(out, &known->fields[i]);
        fprintf(out, "    };\n};\n\n");
    }
    if (fclose(out) == 0)
        return text;
    free(text);
    return NULL;
}
