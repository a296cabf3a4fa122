/*
 * Trace: events with a time stamp, from any context, into lock-free buffers of each CPU.
 *
 * An event is declared in the source that emits it, with typed fields:
 *
 *     K42_TRACE_EVENT(cache_evict, "cache:evict", (u32, page), (string, reason));
 *     ...
 *     K42_TRACE(cache_evict, page, "cold");
 *
 * While it is disabled that is one load and a predicted branch, and the arguments are not
 * evaluated. While it is enabled and tracing runs, it is written to the buffer of the calling
 * thread's CPU without a lock; a thread that is not attached shares one further buffer with others
 * of its kind. Emitting is legal in any context, signal handlers included.
 *
 * Tracing either records in memory, to be dumped on demand (a flight recorder), or is streamed to a
 * directory or a file descriptor while the program runs. What is written is CTF 1.8, for
 * babeltrace2. Nothing is lost silently: an event that finds no room is counted where it happened.
 */
#ifndef K42_TRACE_H
#define K42_TRACE_H

#include <k42/class.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- control: not from signal handlers, nor under a lock ----------------------------------------
 */

enum k42_trace_mode {
    K42_TRACE_OVERWRITE, /* when the buffers are full, the newest events replace the oldest */
    K42_TRACE_STOP,      /* when the buffers are full, new events are discarded until read */
};

struct k42_trace_options {
    enum k42_trace_mode mode;
    size_t buffer_bytes;   /* of one sub-buffer: a power of two, 4096 to 16 MiB; 0: 64 KiB */
    uint32_t buffer_count; /* sub-buffers per CPU: a power of two, 2 to 1024; 0: 8 */
    const char *path;      /* stream to this directory, made if need be; NULL: not */
    int fd; /* or to this descriptor (socket, pipe, file), which stays the caller's */
};

/*
 * Starts tracing of the events that are enabled. One trace runs at a time. With neither path nor fd
 * (0 or less) it is a flight recorder. `options` may be NULL: a flight recorder that overwrites.
 * `why` (may be NULL) receives a sentence on failure.
 *
 * Errors: -EALREADY; -EINVAL (sizes; both path and fd); -EEXIST (the directory holds a trace);
 * -ENOMEM; -ENOSYS (no membarrier); else what the system said of the directory or descriptor.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_trace_start(const struct k42_trace_options *options, char *why, size_t why_size);

/*
 * Stops tracing: waits until writers are out, streams what is left and frees the buffers.
 * Statistics stay until the next start. Errors: -EINVAL when no trace runs; what made streaming end
 * early (-ENOSPC, -EPIPE, ...; -ETIMEDOUT: the peer would not read): then tracing had ended, or
 * ended now, and what was not written is counted as overwritten.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_trace_stop(void);

/*
 * Writes what the buffers hold now into a new directory, while tracing goes on. Errors: -EINVAL
 * when no trace runs; -EEXIST; -ENOMEM; what the system said.
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_trace_snapshot(const char *path, char *why, size_t why_size);

/*
 * Enables or disables the events whose names match the pattern (`*` any characters, `?` one), now
 * and in components loaded later. Any time, also while tracing. Returns how many events matched.
 * Errors: -ENOENT, with `why` (may be NULL) naming the nearest events; -ENOSPC (64 patterns are in
 * force already); -EINVAL (a pattern is 1 to 63 characters).
 */
K42_EXPORT K42_MUST_CHECK
k42_result k42_trace_enable(const char *pattern, char *why, size_t why_size);
K42_EXPORT K42_MUST_CHECK
k42_result k42_trace_disable(const char *pattern, char *why, size_t why_size);

/*
 * Emits "k42:mark", which is enabled from the beginning, with formatted text of at most 255
 * characters. Any context in which vsnprintf() may be called.
 */
K42_EXPORT void k42_trace_mark(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- statistics: exact once tracing has stopped -------------------------------------------------
 */

/* Every event emitted while enabled was recorded or discarded; every recorded one was read,
 * overwritten, or is still in the buffers. */
struct k42_trace_counts {
    uint64_t recorded;    /* written to a buffer */
    uint64_t discarded;   /* found no room, or was larger than a sub-buffer */
    uint64_t overwritten; /* streaming only: recorded, but gone before they were written out */
    uint64_t read;        /* streaming only: written out */
};

#define K42_TRACE_UNATTACHED 0xffffffffu /* the "CPU" of threads that are not attached */

/* The sum over all CPUs, of the trace that runs or, when none does, ran last. */
K42_EXPORT void k42_trace_stats(struct k42_trace_counts *counts);
/* The same for one CPU, or K42_TRACE_UNATTACHED. All zero for one that has recorded nothing. */
K42_EXPORT void k42_trace_cpu_stats(uint32_t cpu, struct k42_trace_counts *counts);

struct k42_trace_event_info {
    const char *name;
    uint32_t id;
    int enabled;
    int loaded;        /* false: its component is gone; its events stay readable */
    uint64_t recorded; /* by the trace that runs or ran last */
};
/* Visits every event known, until visit returns nonzero, which it returns. `visit` must not call
 * k42_trace_*(). */
K42_EXPORT long k42_trace_each_event(long (*visit)(const struct k42_trace_event_info *,
                                                   void *context),
                                     void *context);

/* ---- declaring and emitting ---------------------------------------------------------------------
 */

/*
 * K42_TRACE_EVENT(symbol, "provider:name", fields...) at file scope, with up to eight fields
 * (type, name):
 *
 *   u8 u16 u32 u64     unsigned integers        i64      a signed one
 *   hex                uint64_t, shown in base 16
 *   string             const char *, cut after K42_TRACE_STRING_MAX - 1 characters; NULL: "(null)"
 *   bytes              two arguments, const void * and length; an event must fit in a sub-buffer
 *
 * To emit one event from several files, K42_TRACE_DECLARE() stands in their header and
 * K42_TRACE_DEFINE() in one file, with the same fields.
 */
#define K42_TRACE_EVENT(symbol, name, ...)                                                         \
    K42_TRACE_DECLARE(symbol, __VA_ARGS__);                                                        \
    K42_TRACE_DEFINE(symbol, name, __VA_ARGS__)

/* Emits an event: K42_TRACE(symbol, values...). The values are evaluated only when it is enabled.
 */
#define K42_TRACE(symbol, ...)                                                                     \
    do {                                                                                           \
        if (__builtin_expect(k42_trace_enabled(&(symbol)), 0))                                     \
            symbol##_emit(&(symbol)__VA_OPT__(, ) __VA_ARGS__);                                    \
    } while (0)

#define K42_TRACE_STRING_MAX 256

enum k42_trace_type {
    K42_TRACE_TYPE_u8,
    K42_TRACE_TYPE_u16,
    K42_TRACE_TYPE_u32,
    K42_TRACE_TYPE_u64,
    K42_TRACE_TYPE_i64,
    K42_TRACE_TYPE_hex,
    K42_TRACE_TYPE_string,
    K42_TRACE_TYPE_bytes,
};

struct k42_trace_field {
    enum k42_trace_type type;
    const char *name;
};

/* An event's descriptor. It may go away with its component: the runtime keeps a copy. */
struct k42_trace_event {
    uint32_t enabled; /* and tracing runs; the only word an emitter looks at */
    uint32_t id;      /* the runtime's, as is `next` */
    const char *name;
    const struct k42_trace_field *fields;
    uint32_t field_count;
    struct k42_trace_event *next;
};

/* True when emitting would record: to guard work that only the event's values need. */
static inline __attribute__((always_inline)) int
k42_trace_enabled(const struct k42_trace_event *event) {
    return __atomic_load_n(&event->enabled, __ATOMIC_RELAXED) != 0;
}

/* ---- what the macros are made of ----------------------------------------------------------------
 */

/* A reservation; its members are the runtime's. */
struct k42_trace_slot {
    void *cpu, *sub;
    uint64_t bytes;
    uint32_t id;
};

/*
 * Reserves room for `size` bytes of fields; NULL when the event is not to be recorded. The bytes
 * must be written and the slot committed by the same thread, at once. Any context.
 */
K42_EXPORT void *k42_trace_reserve(const struct k42_trace_event *event, size_t size,
                                   struct k42_trace_slot *slot);
/* Makes what was written into the slot an event. By who reserved it. Any context. */
K42_EXPORT void k42_trace_commit(const struct k42_trace_slot *slot);

/* The bytes a string takes, its end included; and writing exactly that many at `at`, which returns
 * the place behind them. Any context. */
K42_EXPORT size_t k42_trace_string_size(const char *string);
K42_EXPORT void *k42_trace_put_string(void *at, const char *string, size_t size);
K42_EXPORT void *k42_trace_put_bytes(void *at, const void *data, size_t size);

#define K42_TRACE_DECLARE(symbol, ...)                                                             \
    extern struct k42_trace_event symbol __attribute__((visibility("hidden")));                    \
    static __attribute__((noinline, unused)) void symbol##_emit(                                   \
        const struct k42_trace_event *k42_event_ K42_TRACE_EACH(K42_TRACE_PARAMETER,               \
                                                                __VA_ARGS__)) {                    \
        struct k42_trace_slot k42_slot_;                                                           \
        size_t k42_size_ = 0;                                                                      \
        K42_TRACE_EACH(K42_TRACE_MEASURE, __VA_ARGS__)                                             \
        char *k42_at_ = (char *)k42_trace_reserve(k42_event_, k42_size_, &k42_slot_);              \
        if (!k42_at_)                                                                              \
            return;                                                                                \
        K42_TRACE_EACH(K42_TRACE_PUT, __VA_ARGS__)                                                 \
        k42_trace_commit(&k42_slot_);                                                              \
    }                                                                                              \
    extern struct k42_trace_event symbol

#define K42_TRACE_DEFINE(symbol, name, ...)                                                        \
    static const struct k42_trace_field symbol##_fields[] = {                                      \
        K42_TRACE_EACH(K42_TRACE_FIELD, __VA_ARGS__){K42_TRACE_TYPE_u8, NULL}};                    \
    K42_SECTION_ITEM(struct k42_trace_event, symbol, "k42_trace_events");                          \
    struct k42_trace_event symbol = {0,                                                            \
                                     0,                                                            \
                                     name,                                                         \
                                     symbol##_fields,                                              \
                                     sizeof(symbol##_fields) / sizeof(symbol##_fields[0]) - 1,     \
                                     NULL}

#define K42_TRACE_FIELD(type, name)     {K42_TRACE_TYPE_##type, #name},
#define K42_TRACE_PARAMETER(type, name) K42_TRACE_PARAMETER_##type(name)
#define K42_TRACE_MEASURE(type, name)   K42_TRACE_MEASURE_##type(name)
#define K42_TRACE_PUT(type, name)       K42_TRACE_PUT_##type(name)

#define K42_TRACE_PARAMETER_u8(name)     , uint8_t name
#define K42_TRACE_PARAMETER_u16(name)    , uint16_t name
#define K42_TRACE_PARAMETER_u32(name)    , uint32_t name
#define K42_TRACE_PARAMETER_u64(name)    , uint64_t name
#define K42_TRACE_PARAMETER_i64(name)    , int64_t name
#define K42_TRACE_PARAMETER_hex(name)    , uint64_t name
#define K42_TRACE_PARAMETER_string(name) , const char *name
#define K42_TRACE_PARAMETER_bytes(name)  , const void *name, size_t name##_length

#define K42_TRACE_MEASURE_u8(name)  k42_size_ += 1;
#define K42_TRACE_MEASURE_u16(name) k42_size_ += 2;
#define K42_TRACE_MEASURE_u32(name) k42_size_ += 4;
#define K42_TRACE_MEASURE_u64(name) k42_size_ += 8;
#define K42_TRACE_MEASURE_i64(name) k42_size_ += 8;
#define K42_TRACE_MEASURE_hex(name) k42_size_ += 8;
#define K42_TRACE_MEASURE_string(name)                                                             \
    size_t name##_size_ = k42_trace_string_size(name);                                             \
    k42_size_ += name##_size_;
#define K42_TRACE_MEASURE_bytes(name) k42_size_ += 4 + (name##_length & 0xffffffffu);

#define K42_TRACE_PUT_u8(name)  K42_TRACE_PUT_VALUE_(name)
#define K42_TRACE_PUT_u16(name) K42_TRACE_PUT_VALUE_(name)
#define K42_TRACE_PUT_u32(name) K42_TRACE_PUT_VALUE_(name)
#define K42_TRACE_PUT_u64(name) K42_TRACE_PUT_VALUE_(name)
#define K42_TRACE_PUT_i64(name) K42_TRACE_PUT_VALUE_(name)
#define K42_TRACE_PUT_hex(name) K42_TRACE_PUT_VALUE_(name)
#define K42_TRACE_PUT_string(name)                                                                 \
    k42_at_ = (char *)k42_trace_put_string(k42_at_, name, name##_size_);
#define K42_TRACE_PUT_bytes(name)                                                                  \
    {                                                                                              \
        uint32_t k42_length_ = (uint32_t)name##_length;                                            \
        K42_TRACE_PUT_VALUE_(k42_length_)                                                          \
        k42_at_ = (char *)k42_trace_put_bytes(k42_at_, name, k42_length_);                         \
    }
#define K42_TRACE_PUT_VALUE_(name)                                                                 \
    __builtin_memcpy(k42_at_, &name, sizeof(name));                                                \
    k42_at_ += sizeof(name);

/* macro field, for each of up to eight fields in parentheses. */
#define K42_TRACE_EACH(macro, ...) __VA_OPT__(K42_TRACE_EACH_1_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_1_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_2_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_2_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_3_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_3_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_4_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_4_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_5_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_5_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_6_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_6_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_7_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_7_(macro, field, ...)                                                       \
    macro field __VA_OPT__(K42_TRACE_EACH_8_(macro, __VA_ARGS__))
#define K42_TRACE_EACH_8_(macro, field) macro field

#ifdef __cplusplus
}
#endif
#endif
