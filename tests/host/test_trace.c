/*
 * Trace: what is emitted is recorded or counted as discarded, exactly; interrupted writers, exact
 * boundaries, largest events, lapped readers, toggling, streaming, and destinations that fail.
 *
 * With arguments it is the emitter for test_trace_ctf.py instead: see emit_for_python().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <k42/k42.h>

#include "../../core/events.h"
#include "../../core/trace/trace.h"

#define SUB     4096u
#define HEADER  sizeof(struct k42_trace_header)
#define WRITERS 3

K42_TRACE_EVENT(test_number, "test:number", (u32, writer), (u64, number));
K42_TRACE_EVENT(test_bytes, "test:bytes", (bytes, data));
K42_TRACE_EVENT(test_nothing, "test:nothing");
K42_TRACE_EVENT(test_all, "test:all", (u8, small), (u16, medium), (u32, large), (u64, huge),
                (i64, below), (hex, address), (string, text), (bytes, data));

static char scratch[] = "/tmp/k42-trace-XXXXXX";
static char why[256];
static char filling[2 * SUB];

static const char *in_scratch(const char *name) {
    static char path[128];
    snprintf(path, sizeof(path), "%s/%s", scratch, name);
    return path;
}

static void start(enum k42_trace_mode mode, uint32_t count, const char *path) {
    struct k42_trace_options options = {
        .mode = mode, .buffer_bytes = SUB, .buffer_count = count, .path = path};
    if (k42_trace_start(&options, why, sizeof(why)))
        fail_msg("%s", why);
}

static struct k42_trace_counts stop(void) {
    struct k42_trace_counts counts;
    assert_int_equal(k42_trace_stop(), 0);
    k42_trace_stats(&counts);
    return counts;
}

static struct k42_trace_counts counts_now(void) {
    struct k42_trace_counts counts;
    k42_trace_stats(&counts);
    return counts;
}

/* The sub-buffers of this thread's CPU, read from the beginning as a second reader would. */
struct reader {
    struct k42_trace_cpu *cpu;
    struct k42_trace_cursor cursor;
    uint64_t accounted[1024];
    char copy[SUB] __attribute__((aligned(8)));
    struct k42_trace_chunk chunk;
};

static struct reader *open_reader(void) {
    struct reader *reader = calloc(1, sizeof(*reader));
    int cpu = k42_cpu();
    reader->cpu = &k42_trace_session.cpus[cpu < 0 ? (int)K42_TRACE_MAX_CPUS : cpu];
    reader->cursor.accounted = reader->accounted;
    return reader;
}

static int read_on(struct reader *reader) {
    return k42_trace_read(reader->cpu, &reader->cursor, reader->copy, &reader->chunk);
}

static uint64_t read_all(struct reader *reader) {
    while (read_on(reader))
        continue;
    return reader->cursor.read;
}

static void emit_bytes(size_t whole_event) {
    K42_TRACE(test_bytes, filling, whole_event - HEADER - 4);
}

static void emit_numbers(uint32_t writer, uint64_t from, uint64_t to) {
    for (uint64_t n = from; n < to; n++)
        K42_TRACE(test_number, writer, n);
}

/* ---- emitting ---- */

static int evaluations;

static uint32_t evaluate(void) {
    return (uint32_t)__atomic_add_fetch(&evaluations, 1, __ATOMIC_RELAXED);
}

static void disabled_event_does_not_evaluate_its_arguments(void **state) {
    (void)state;
    evaluations = 0;
    assert_true(k42_trace_disable("test:number", NULL, 0) > 0);
    start(K42_TRACE_OVERWRITE, 2, NULL);
    K42_TRACE(test_number, evaluate(), 1);
    struct k42_trace_counts counts = stop();
    assert_true(k42_trace_enable("test:*", NULL, 0) > 0);
    assert_int_equal(evaluations, 0);
    assert_int_equal(counts.recorded, 0);
}

static void enabled_event_does_nothing_while_no_trace_runs(void **state) {
    (void)state;
    evaluations = 0;
    K42_TRACE(test_number, evaluate(), 1);
    assert_int_equal(evaluations, 0);
}

struct search {
    const char *name;
    uint64_t recorded;
};

static long add_recorded(const struct k42_trace_event_info *info, void *context) {
    struct search *search = context;
    if (strcmp(info->name, search->name) == 0)
        search->recorded += info->recorded;
    return 0;
}

static uint64_t find_recorded(const char *name) {
    struct search search = {name, 0};
    k42_trace_each_event(add_recorded, &search);
    return search.recorded;
}

static void events_are_counted_by_name(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    emit_numbers(0, 0, 1000);
    K42_TRACE(test_nothing);
    stop();
    assert_int_equal(find_recorded("test:number"), 1000);
    assert_int_equal(find_recorded("test:nothing"), 1);
}

static void mark_is_enabled_from_the_beginning(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    k42_trace_mark("%s %d", "mark", 1);
    assert_int_equal(stop().recorded, 1);
}

static void runtime_emits_its_own_events(void **state) {
    (void)state;
    assert_true(k42_trace_enable("k42:miss", NULL, 0) > 0);
    start(K42_TRACE_OVERWRITE, 2, NULL);
    k42_event_miss(5, 0);
    k42_event_create(5, NULL);
    struct k42_trace_counts counts = stop();
    assert_true(k42_trace_disable("k42:miss", NULL, 0) > 0);
    assert_int_equal(counts.recorded, 1);
}

static void field_values_are_stored_in_order(void **state) {
    (void)state;
    static const char expected[] = "\x01\x02\x00\x03\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00"
                                   "\xff\xff\xff\xff\xff\xff\xff\xff\x06\x00\x00\x00\x00\x00\x00"
                                   "\x00seven\0\x03\x00\x00\x00"
                                   "abc";
    start(K42_TRACE_OVERWRITE, 2, NULL);
    struct reader *reader = open_reader();
    K42_TRACE(test_all, 1, 2, 3, 4, -1, 6, "seven", "abc", 3);
    assert_int_equal(read_on(reader), 1);
    assert_int_equal(reader->chunk.bytes, HEADER + sizeof(expected) - 1);
    assert_memory_equal(reader->copy + HEADER, expected, sizeof(expected) - 1);
    stop();
    free(reader);
}

static void long_string_is_cut(void **state) {
    (void)state;
    char text[2 * K42_TRACE_STRING_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    assert_int_equal(k42_trace_string_size(text), K42_TRACE_STRING_MAX);
}

static void string_that_shrinks_meanwhile_keeps_its_length(void **state) {
    (void)state;
    char out[9];
    k42_trace_put_string(out, "abc", sizeof(out));
    assert_string_equal(out, "abc     ");
}

/* ---- boundaries ---- */

static void events_that_fill_a_buffer_exactly_all_fit(void **state) {
    (void)state;
    start(K42_TRACE_STOP, 2, NULL);
    struct reader *reader = open_reader();
    for (unsigned i = 0; i < 2 * SUB / 64; i++)
        emit_bytes(64);
    assert_int_equal(counts_now().discarded, 0);
    emit_bytes(64);
    assert_int_equal(read_all(reader), 2 * SUB / 64);
    struct k42_trace_counts counts = stop();
    assert_int_equal(counts.recorded, 2 * SUB / 64);
    assert_int_equal(counts.discarded, 1);
    free(reader);
}

static void event_that_does_not_fit_goes_to_the_next_sub_buffer_whole(void **state) {
    (void)state;
    start(K42_TRACE_STOP, 2, NULL);
    struct reader *reader = open_reader();
    for (unsigned i = 0; i < 2 * (SUB / 48); i++)
        emit_bytes(48);
    assert_int_equal(counts_now().discarded, 0);
    emit_bytes(48);
    assert_int_equal(read_on(reader), 1);
    assert_int_equal(reader->chunk.bytes, SUB / 48 * 48);
    assert_int_equal(read_on(reader), 1);
    assert_int_equal(reader->chunk.events, SUB / 48);
    assert_int_equal(stop().discarded, 1);
    free(reader);
}

static void event_of_maximum_size_takes_a_sub_buffer(void **state) {
    (void)state;
    start(K42_TRACE_STOP, 4, NULL);
    struct reader *reader = open_reader();
    emit_bytes(32);
    emit_bytes(SUB);
    emit_bytes(SUB);
    emit_bytes(32);
    assert_int_equal(read_all(reader), 4);
    assert_int_equal(stop().recorded, 4);
    free(reader);
}

static void event_larger_than_a_sub_buffer_is_discarded_and_others_go_on(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    emit_bytes(SUB + 1);
    K42_TRACE(test_bytes, filling, (size_t)UINT32_MAX);
    emit_bytes(32);
    struct k42_trace_counts counts = stop();
    assert_int_equal(counts.recorded, 1);
    assert_int_equal(counts.discarded, 2);
}

static void events_of_any_size_are_read_as_they_were_written(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 4, NULL);
    struct reader *reader = open_reader();
    uint64_t emitted = 0;
    for (size_t size = HEADER + 4; size <= SUB; size++) {
        emit_bytes(size);
        emitted++;
        assert_int_equal(read_on(reader), 1);
        assert_int_equal(reader->chunk.events, 1);
        assert_int_equal(reader->chunk.bytes, size);
        assert_memory_equal(reader->copy + HEADER + 4, filling, size - HEADER - 4);
    }
    assert_int_equal(reader->cursor.read, emitted);
    assert_int_equal(reader->cursor.lost, 0);
    assert_int_equal(stop().discarded, 0);
    free(reader);
}

/* ---- interrupted writers ---- */

static void writer_interrupted_for_many_laps_keeps_its_bytes(void **state) {
    (void)state;
    struct k42_trace_slot slot;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    struct reader *reader = open_reader();
    uint32_t *fields = k42_trace_reserve(&test_number, 12, &slot);
    emit_numbers(1, 0, 10 * SUB);
    uint64_t value = 77;
    memcpy(fields, &(uint32_t){9}, 4);
    memcpy((char *)fields + 4, &value, 8);
    k42_trace_commit(&slot);
    assert_int_equal(read_on(reader), 1);
    assert_memory_equal(reader->copy + HEADER + 4, &value, 8);
    struct k42_trace_counts counts = stop();
    assert_true(counts.discarded > 0);
    assert_int_equal(counts.recorded + counts.discarded, 10 * SUB + 1);
    free(reader);
}

static void sub_buffer_of_an_interrupted_writer_is_not_read(void **state) {
    (void)state;
    struct k42_trace_slot slot;
    start(K42_TRACE_OVERWRITE, 4, NULL);
    struct reader *reader = open_reader();
    void *fields = k42_trace_reserve(&test_number, 12, &slot);
    emit_numbers(1, 0, 2 * SUB / 32);
    assert_int_equal(read_on(reader), 0);
    memset(fields, 0, 12);
    k42_trace_commit(&slot);
    assert_int_equal(read_all(reader), 2 * SUB / 32 + 1);
    stop();
    free(reader);
}

static void writing_goes_on_after_an_interrupted_writer_returned(void **state) {
    (void)state;
    struct k42_trace_slot slot;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    void *fields = k42_trace_reserve(&test_number, 12, &slot);
    emit_numbers(1, 0, SUB);
    memset(fields, 0, 12);
    k42_trace_commit(&slot);
    uint64_t discarded = counts_now().discarded;
    emit_numbers(1, 0, SUB);
    assert_int_equal(stop().discarded, discarded);
}

static volatile uint64_t from_handler;

static void emit_in_handler(int signal_number) {
    (void)signal_number;
    for (int i = 0; i < 3; i++)
        K42_TRACE(test_number, 1, ++from_handler);
}

/* Numbers of each source ascend and are read once; gaps are losses. */
static void check_ascending(const struct reader *reader, uint64_t last[2]) {
    size_t at = 0;
    for (uint64_t i = 0; i < reader->chunk.events; i++, at += 32) {
        uint32_t writer;
        uint64_t number;
        memcpy(&writer, reader->copy + at + HEADER, 4);
        memcpy(&number, reader->copy + at + HEADER + 4, 8);
        assert_in_range(writer, 0, 1);
        assert_true(number > last[writer] || number == 0);
        last[writer] = number;
    }
}

static void signal_storm_loses_no_count_and_garbles_nothing(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = emit_in_handler};
    struct itimerval storm = {{0, 50}, {0, 50}}, calm = {{0, 0}, {0, 0}};
    uint64_t last[2] = {0, 0}, emitted = 0;
    from_handler = 0;
    sigaction(SIGALRM, &action, NULL);
    start(K42_TRACE_OVERWRITE, 4, NULL);
    struct reader *reader = open_reader();
    setitimer(ITIMER_REAL, &storm, NULL);
    while (from_handler < 3000) {
        for (int i = 0; i < 100; i++)
            K42_TRACE(test_number, 0, ++emitted);
        if (read_on(reader))
            check_ascending(reader, last);
    }
    setitimer(ITIMER_REAL, &calm, NULL);
    usleep(1); /* ThreadSanitizer keeps a signal back until the next call that may block */
    uint64_t handled = from_handler;
    while (read_on(reader))
        check_ascending(reader, last);
    struct k42_trace_counts counts = stop();
    assert_int_equal(from_handler, handled);
    assert_int_equal(counts.recorded + counts.discarded, emitted + handled);
    assert_int_equal(reader->cursor.read + reader->cursor.lost, counts.recorded);
    free(reader);
}

/* ---- readers ---- */

static void lapped_reader_loses_whole_sub_buffers_and_knows_how_many(void **state) {
    (void)state;
    uint64_t last[2] = {0, 0};
    start(K42_TRACE_OVERWRITE, 4, NULL);
    struct reader *reader = open_reader();
    emit_numbers(0, 1, 300);
    assert_int_equal(read_on(reader), 1);
    check_ascending(reader, last);
    emit_numbers(0, 300, 10000);
    while (read_on(reader))
        check_ascending(reader, last);
    assert_int_equal(reader->cursor.lost + reader->cursor.read, counts_now().recorded);
    /* A lap more without losses, so that every sub-buffer has been looked at again. */
    for (uint64_t n = 10000; n < 10000 + 6 * SUB / 32; n++) {
        emit_numbers(0, n, n + 1);
        assert_int_equal(read_on(reader), 1);
        check_ascending(reader, last);
    }
    assert_int_equal(last[0], 10000 + 6 * SUB / 32 - 1);
    struct k42_trace_counts counts = stop();
    assert_true(reader->cursor.lost > 0);
    assert_int_equal(reader->cursor.lost + reader->cursor.read, counts.recorded);
    free(reader);
}

static char *faulting;

static void lap_the_reader(int signal_number) {
    (void)signal_number;
    if (mprotect(faulting, SUB, PROT_READ | PROT_WRITE))
        abort();
    emit_numbers(0, 1000, 1000 + 10 * SUB / 32);
}

/* The copy faults at its first word, and the handler of that overwrites what is being copied. */
static void reader_lapped_in_the_middle_of_a_copy_throws_it_away(void **state) {
    (void)state;
    uint64_t last[2] = {0, 0};
    struct sigaction action = {.sa_handler = lap_the_reader}, before;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    struct reader *reader = open_reader();
    emit_numbers(0, 1, 200);
    faulting = mmap(NULL, SUB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaction(SIGSEGV, &action, &before);
    int got = k42_trace_read(reader->cpu, &reader->cursor, faulting, &reader->chunk);
    sigaction(SIGSEGV, &before, NULL);
    memcpy(reader->copy, faulting, SUB);
    assert_int_equal(got, 1);
    check_ascending(reader, last);
    assert_in_range(last[0], 1000, UINT64_MAX);
    while (read_on(reader))
        check_ascending(reader, last);
    assert_int_equal(last[0], 1000 + 10 * SUB / 32 - 1);
    stop();
    munmap(faulting, SUB);
    free(reader);
}

static void quiet_buffer_is_read_up_to_its_last_event(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 4, NULL);
    struct reader *reader = open_reader();
    for (uint64_t i = 1; i < 1000; i++) {
        K42_TRACE(test_number, 0, i);
        assert_int_equal(read_all(reader), i);
    }
    stop();
    free(reader);
}

static void stop_mode_keeps_the_oldest_events(void **state) {
    (void)state;
    uint64_t last[2] = {0, 0};
    start(K42_TRACE_STOP, 2, NULL);
    struct reader *reader = open_reader();
    emit_numbers(0, 1, 10000);
    while (read_on(reader))
        check_ascending(reader, last);
    struct k42_trace_counts counts = stop();
    assert_int_equal(counts.recorded, 2 * SUB / 32);
    assert_int_equal(last[0], counts.recorded);
    assert_int_equal(counts.recorded + counts.discarded, 9999);
    free(reader);
}

/* ---- threads ---- */

struct writer {
    pthread_t thread;
    uint32_t number;
    int attached;
    uint64_t rounds;
    uint64_t emitted;
};

static uint32_t count_emitted(struct writer *writer) {
    writer->emitted++;
    return writer->number;
}

static void *write_events(void *argument) {
    struct writer *writer = argument;
    if (writer->attached && k42_attach("writer"))
        abort();
    for (uint64_t n = 0; n < writer->rounds; n++)
        K42_TRACE(test_number, count_emitted(writer), n);
    if (writer->attached && k42_detach())
        abort();
    return NULL;
}

/* WRITERS attached threads and two that are not. */
static void start_writers(struct writer *writers, uint64_t rounds) {
    for (uint32_t i = 0; i < WRITERS + 2; i++) {
        writers[i] = (struct writer){.number = i, .attached = i < WRITERS, .rounds = rounds};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_events, &writers[i]), 0);
    }
}

static uint64_t join_writers(struct writer *writers) {
    uint64_t emitted = 0;
    for (uint32_t i = 0; i < WRITERS + 2; i++) {
        pthread_join(writers[i].thread, NULL);
        emitted += writers[i].emitted;
    }
    return emitted;
}

static void toggling_while_writing_keeps_counts_exact(void **state) {
    (void)state;
    struct writer writers[WRITERS + 2];
    start(K42_TRACE_OVERWRITE, 4, NULL);
    start_writers(writers, 100000);
    for (int i = 0; i < 200; i++) {
        assert_int_equal(k42_trace_disable("test:number", NULL, 0), 1);
        assert_int_equal(k42_trace_enable("test:number", NULL, 0), 1);
    }
    uint64_t emitted = join_writers(writers);
    struct k42_trace_counts counts = stop();
    assert_int_equal(counts.recorded + counts.discarded, emitted);
}

static void reader_of_a_busy_cpu_never_sees_a_mixture(void **state) {
    (void)state;
    struct writer writer = {.number = 0, .rounds = 400000};
    uint64_t last[2] = {0, 0};
    assert_int_equal(k42_detach(), 0);
    start(K42_TRACE_OVERWRITE, 2, NULL);
    struct reader *reader = open_reader(); /* the shared buffer's */
    K42_TRACE(test_number, 1, 1);
    assert_int_equal(pthread_create(&writer.thread, NULL, write_events, &writer), 0);
    for (int i = 0; i < 100000 && last[0] + 1 < writer.rounds; i++)
        if (read_on(reader))
            check_ascending(reader, last);
    pthread_join(writer.thread, NULL);
    while (read_on(reader))
        check_ascending(reader, last);
    stop();
    assert_int_equal(k42_attach("test"), 0);
    assert_int_equal(last[0], writer.rounds - 1);
    free(reader);
}

static void stream_while_writing(enum k42_trace_mode mode, const char *path) {
    struct writer writers[WRITERS + 2];
    start(mode, 8, path);
    start_writers(writers, 50000);
    uint64_t emitted = join_writers(writers);
    struct k42_trace_counts counts = stop();
    assert_int_equal(emitted, (WRITERS + 2) * 50000);
    assert_int_equal(counts.recorded + counts.discarded, emitted);
    assert_int_equal(counts.read + counts.overwritten, counts.recorded);
    assert_true(counts.read > 0);
    if (mode == K42_TRACE_STOP)
        assert_int_equal(counts.overwritten, 0);
}

static void overwriting_stream_accounts_for_every_event(void **state) {
    (void)state;
    stream_while_writing(K42_TRACE_OVERWRITE, in_scratch("overwriting"));
}

static void stopping_stream_accounts_for_every_event(void **state) {
    (void)state;
    stream_while_writing(K42_TRACE_STOP, in_scratch("stopping"));
}

static void trace_stops_and_starts_under_writers(void **state) {
    (void)state;
    struct writer writers[WRITERS + 2];
    uint64_t seen = 0;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    start_writers(writers, 300000);
    for (int i = 0; i < 100; i++) {
        struct k42_trace_counts counts = stop();
        seen += counts.recorded + counts.discarded;
        start(K42_TRACE_OVERWRITE, 2, NULL);
    }
    uint64_t emitted = join_writers(writers);
    struct k42_trace_counts counts = stop();
    seen += counts.recorded + counts.discarded;
    /* An event that finds the trace stopped after it looked is neither. */
    assert_true(seen <= emitted);
    for (uint32_t i = 0; i <= K42_TRACE_MAX_CPUS; i++)
        assert_null(k42_trace_session.cpus[i].memory);
}

static void unattached_threads_share_a_buffer(void **state) {
    (void)state;
    struct k42_trace_counts counts;
    struct writer writers[WRITERS + 2];
    start(K42_TRACE_OVERWRITE, 4, NULL);
    start_writers(writers, 1000);
    join_writers(writers);
    stop();
    k42_trace_cpu_stats(K42_TRACE_UNATTACHED, &counts);
    assert_int_equal(counts.recorded + counts.discarded, 2000);
}

/* What is wrong in the child, as an exit status; 0: nothing. */
static int trace_in_child(void) {
    evaluations = 0;
    K42_TRACE(test_number, evaluate(), 1);
    if (evaluations)
        return 1;
    if (k42_trace_stop() != -EINVAL)
        return 2;
    if (k42_trace_start(NULL, NULL, 0))
        return 3;
    K42_TRACE(test_number, evaluate(), 1);
    return k42_trace_stop() ? 4 : counts_now().recorded != 1 ? 5 : 0;
}

static void child_of_a_fork_is_not_traced_and_may_trace_itself(void **state) {
    (void)state;
    int status;
    start(K42_TRACE_OVERWRITE, 8, in_scratch("forking"));
    emit_numbers(0, 0, 100);
    pid_t child = fork();
    if (child == 0)
        _exit(trace_in_child());
    assert_int_equal(waitpid(child, &status, 0), child);
    emit_numbers(0, 0, 100);
    assert_int_equal(stop().read, 200);
    assert_int_equal(status, 0);
}

/* ---- which events ---- */

static void unknown_event_is_answered_with_near_names(void **state) {
    (void)state;
    assert_int_equal(k42_trace_enable("k42:swap_beginn", why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "k42:swap_begin"));
    assert_int_equal(k42_trace_enable("grace_period_ned", why, sizeof(why)), -ENOENT);
    assert_non_null(strstr(why, "k42:grace_period_end"));
}

static void pattern_of_no_or_too_many_characters_is_refused(void **state) {
    (void)state;
    char pattern[65];
    memset(pattern, '*', 64);
    pattern[64] = 0;
    assert_int_equal(k42_trace_enable("", why, sizeof(why)), -EINVAL);
    assert_int_equal(k42_trace_disable(pattern, why, sizeof(why)), -EINVAL);
}

static void star_and_question_mark_match_names(void **state) {
    (void)state;
    assert_int_equal(k42_trace_enable("*st:*in?", NULL, 0), 1);
    assert_int_equal(k42_trace_enable("test:*", NULL, 0), 4);
    assert_int_equal(k42_trace_enable("test:byte", NULL, 0), -ENOENT);
}

/* A descriptor as a component would bring it, in memory that goes away. */
static struct k42_trace_event *load_event(const char *name) {
    struct module {
        struct k42_trace_event event;
        struct k42_trace_field field;
        char name[32];
    } *module = calloc(1, sizeof(*module));
    snprintf(module->name, sizeof(module->name), "%s", name);
    module->field = (struct k42_trace_field){K42_TRACE_TYPE_u32, "value"};
    module->event.name = module->name;
    module->event.fields = &module->field;
    module->event.field_count = 1;
    struct k42_trace_event *event = &module->event;
    k42_trace_register(&event, &event + 1);
    return event;
}

static void unload_event(struct k42_trace_event *event) {
    k42_trace_unregister(&event, &event + 1);
    memset(event, 0xdd, sizeof(*event));
    free(event);
}

static void component_loaded_later_follows_the_patterns(void **state) {
    (void)state;
    assert_true(k42_trace_enable("test:*", NULL, 0) > 0);
    start(K42_TRACE_OVERWRITE, 2, NULL);
    struct k42_trace_event *event = load_event("test:later");
    assert_int_equal(k42_trace_enabled(event), 1);
    unload_event(event);
    stop();
}

static void event_keeps_its_id_when_its_component_comes_back(void **state) {
    (void)state;
    struct k42_trace_event *event = load_event("test:again");
    uint32_t id = event->id;
    unload_event(event);
    event = load_event("test:again");
    assert_int_equal(event->id, id);
    unload_event(event);
}

static void registering_twice_is_harmless(void **state) {
    (void)state;
    struct k42_trace_event *event = load_event("test:twice");
    k42_trace_register(&event, &event + 1);
    unload_event(event);
    assert_true(k42_trace_enable("test:twice", NULL, 0) == 1);
}

/* ---- destinations ---- */

static k42_result try_start(const char *path, int fd) {
    struct k42_trace_options options = {.path = path, .fd = fd};
    why[0] = 0;
    return k42_trace_start(&options, why, sizeof(why));
}

static void directory_that_cannot_be_made_is_refused_by_name(void **state) {
    (void)state;
    const char *path = in_scratch("no/such");
    assert_int_equal(try_start(path, 0), -ENOENT);
    assert_non_null(strstr(why, path));
    assert_int_equal(k42_trace_stop(), -EINVAL);
}

static void file_in_place_of_a_directory_is_refused(void **state) {
    (void)state;
    close(open(in_scratch("file"), O_CREAT | O_WRONLY, 0600));
    assert_int_equal(try_start(in_scratch("file"), 0), -ENOTDIR);
}

static void directory_with_a_trace_in_it_is_refused(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 2, in_scratch("twice"));
    stop();
    assert_int_equal(try_start(in_scratch("twice"), 0), -EEXIST);
}

static void two_destinations_or_bad_sizes_are_refused(void **state) {
    (void)state;
    struct k42_trace_options odd = {.buffer_bytes = 5000};
    assert_int_equal(try_start(in_scratch("both"), 2), -EINVAL);
    assert_int_equal(k42_trace_start(&odd, NULL, 0), -EINVAL);
}

static void second_trace_is_refused_while_one_runs(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    assert_int_equal(try_start(NULL, 0), -EALREADY);
    stop();
}

static void descriptor_that_cannot_be_written_is_refused(void **state) {
    (void)state;
    int fd = open("/dev/null", O_RDONLY);
    assert_int_equal(try_start(NULL, fd), -EBADF);
    close(fd);
    assert_int_equal(try_start(NULL, 999), -EBADF);
}

static void snapshot_without_a_trace_is_refused(void **state) {
    (void)state;
    assert_int_equal(k42_trace_snapshot(in_scratch("none"), why, sizeof(why)), -EINVAL);
}

static void snapshot_into_a_missing_folder_leaves_tracing_on(void **state) {
    (void)state;
    start(K42_TRACE_OVERWRITE, 2, NULL);
    assert_int_equal(k42_trace_snapshot(in_scratch("no/such"), why, sizeof(why)), -ENOENT);
    emit_numbers(0, 0, 10);
    assert_int_equal(stop().recorded, 10);
}

/* Streams to a descriptor that fails: the program goes on, and the sums are right. */
static k42_result stream_to(int fd) {
    assert_int_equal(try_start(NULL, fd), 0);
    for (int i = 0; i < 200; i++) {
        emit_numbers(0, 0, 1000);
        usleep(50);
    }
    k42_result result = k42_trace_stop();
    struct k42_trace_counts counts = counts_now();
    assert_int_equal(counts.read + counts.overwritten, counts.recorded);
    return result;
}

static void full_device_ends_the_trace_with_its_error(void **state) {
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_int_equal(stream_to(fd), -ENOSPC);
    close(fd);
}

static void dead_socket_peer_ends_the_trace_without_a_signal(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    close(pair[0]);
    assert_int_equal(stream_to(pair[1]), -EPIPE);
    close(pair[1]);
}

static void dead_pipe_peer_ends_the_trace_without_a_signal(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(pipe(pair), 0);
    close(pair[0]);
    assert_int_equal(stream_to(pair[1]), -EPIPE);
    close(pair[1]);
}

static void peer_that_never_reads_does_not_hold_up_the_stop(void **state) {
    (void)state;
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_int_equal(stream_to(pair[1]), -ETIMEDOUT);
    close(pair[0]);
    close(pair[1]);
}

/* A file-size limit stands for a full disk: both refuse the bytes beyond. */
static void full_disk_leaves_whole_packets_behind(void **state) {
    (void)state;
    struct rlimit before, small;
    struct stat file;
    char stream[160];
    getrlimit(RLIMIT_FSIZE, &before);
    small = (struct rlimit){200000, before.rlim_max};
    assert_int_equal(try_start(in_scratch("full"), 0), 0);
    setrlimit(RLIMIT_FSIZE, &small);
    for (int i = 0; i < 200; i++) {
        emit_numbers(0, 0, 1000);
        usleep(500);
    }
    k42_result result = k42_trace_stop();
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(result, -EFBIG);
    snprintf(stream, sizeof(stream), "%s/stream_%d", in_scratch("full"), k42_cpu());
    assert_int_equal(stat(stream, &file), 0);
    assert_true(file.st_size > 0 && file.st_size <= 200000);
    assert_true(counts_now().read > 0);
}

/* ---- for test_trace_ctf.py ---- */

static void emit_samples(unsigned rounds) {
    static const char data[] = {1, 2, 3};
    for (unsigned i = 0; i < rounds; i++) {
        K42_TRACE(test_all, 255, 65535, 4294967295u, UINT64_MAX, -5, 0xabcdef, "text \"quoted\"",
                  data, sizeof(data));
        K42_TRACE(test_number, 0, i);
        K42_TRACE(test_nothing);
    }
    K42_TRACE(test_bytes, filling, (size_t)SUB); /* more than the smallest sub-buffer */
    k42_trace_mark("the %s", "end");
    struct k42_trace_event *event = load_event("test:unloaded");
    if (k42_trace_enabled(event)) {
        struct k42_trace_slot slot;
        void *at = k42_trace_reserve(event, 4, &slot);
        if (at) {
            memset(at, 7, 4);
            k42_trace_commit(&slot);
        }
    }
    unload_event(event);
}

/*
 * MODE DESTINATION ROUNDS [BYTES COUNT]: emits ROUNDS times all events, from this thread, and from
 * unattached and attached ones for as long; then prints what was counted.
 *   stream, stop   stream to the directory, overwriting or stopping
 *   fd             stream to standard output's number 3
 *   full           as stream, to a disk that takes 64 KiB in a file
 *   snapshot       record in memory and dump at the end
 */
static int emit_for_python(int count, char **arguments) {
    const char *mode = arguments[1], *path = arguments[2];
    unsigned rounds = (unsigned)strtoul(arguments[3], NULL, 10);
    struct k42_trace_counts counts;
    struct writer writers[WRITERS + 2];
    struct k42_trace_options options = {
        .mode = strcmp(mode, "stop") == 0 ? K42_TRACE_STOP : K42_TRACE_OVERWRITE,
        .path = strcmp(mode, "snapshot") && strcmp(mode, "fd") ? path : NULL,
        .fd = strcmp(mode, "fd") ? 0 : 3,
        .buffer_bytes = count > 4 ? strtoul(arguments[4], NULL, 10) : 0,
        .buffer_count = count > 5 ? (uint32_t)strtoul(arguments[5], NULL, 10) : 0,
    };
    if (k42_trace_start(&options, why, sizeof(why))) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    if (strcmp(mode, "full") == 0)
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){65536, RLIM_INFINITY});
    start_writers(writers, rounds);
    emit_samples(rounds);
    join_writers(writers);
    if (strcmp(mode, "snapshot") == 0 && k42_trace_snapshot(path, why, sizeof(why))) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    k42_result result = k42_trace_stop();
    k42_trace_stats(&counts);
    printf("%ld %lu %lu %lu %lu\n", result, counts.recorded, counts.discarded, counts.overwritten,
           counts.read);
    return 0;
}

static int open_runtime(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(filling); i++)
        filling[i] = (char)i;
    if (!mkdtemp(scratch) || k42_init(NULL) || k42_attach("test"))
        return -1;
    return k42_trace_enable("test:*", NULL, 0) > 0 ? 0 : -1;
}

static int close_runtime(void **state) {
    (void)state;
    char command[160];
    snprintf(command, sizeof(command), "rm -rf %s", scratch);
    return k42_detach() || k42_shutdown() || system(command) ? -1 : 0;
}

/* A test that failed while tracing must not fail the next ones. */
static int end_trace(void **state) {
    (void)state;
    k42_result ended = k42_trace_stop();
    return ended == -EINVAL || k42_trace_enable("test:*", NULL, 0) > 0 ? 0 : -1;
}

#define TRACE_TEST(test) cmocka_unit_test_teardown(test, end_trace)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TRACE_TEST(disabled_event_does_not_evaluate_its_arguments),
        TRACE_TEST(enabled_event_does_nothing_while_no_trace_runs),
        TRACE_TEST(events_are_counted_by_name),
        TRACE_TEST(mark_is_enabled_from_the_beginning),
        TRACE_TEST(runtime_emits_its_own_events),
        TRACE_TEST(field_values_are_stored_in_order),
        TRACE_TEST(long_string_is_cut),
        TRACE_TEST(string_that_shrinks_meanwhile_keeps_its_length),
        TRACE_TEST(events_that_fill_a_buffer_exactly_all_fit),
        TRACE_TEST(event_that_does_not_fit_goes_to_the_next_sub_buffer_whole),
        TRACE_TEST(event_of_maximum_size_takes_a_sub_buffer),
        TRACE_TEST(event_larger_than_a_sub_buffer_is_discarded_and_others_go_on),
        TRACE_TEST(events_of_any_size_are_read_as_they_were_written),
        TRACE_TEST(writer_interrupted_for_many_laps_keeps_its_bytes),
        TRACE_TEST(sub_buffer_of_an_interrupted_writer_is_not_read),
        TRACE_TEST(writing_goes_on_after_an_interrupted_writer_returned),
        TRACE_TEST(signal_storm_loses_no_count_and_garbles_nothing),
        TRACE_TEST(lapped_reader_loses_whole_sub_buffers_and_knows_how_many),
        TRACE_TEST(reader_lapped_in_the_middle_of_a_copy_throws_it_away),
        TRACE_TEST(quiet_buffer_is_read_up_to_its_last_event),
        TRACE_TEST(stop_mode_keeps_the_oldest_events),
        TRACE_TEST(toggling_while_writing_keeps_counts_exact),
        TRACE_TEST(reader_of_a_busy_cpu_never_sees_a_mixture),
        TRACE_TEST(overwriting_stream_accounts_for_every_event),
        TRACE_TEST(stopping_stream_accounts_for_every_event),
        TRACE_TEST(trace_stops_and_starts_under_writers),
        TRACE_TEST(unattached_threads_share_a_buffer),
        TRACE_TEST(child_of_a_fork_is_not_traced_and_may_trace_itself),
        TRACE_TEST(unknown_event_is_answered_with_near_names),
        TRACE_TEST(pattern_of_no_or_too_many_characters_is_refused),
        TRACE_TEST(star_and_question_mark_match_names),
        TRACE_TEST(component_loaded_later_follows_the_patterns),
        TRACE_TEST(event_keeps_its_id_when_its_component_comes_back),
        TRACE_TEST(registering_twice_is_harmless),
        TRACE_TEST(directory_that_cannot_be_made_is_refused_by_name),
        TRACE_TEST(file_in_place_of_a_directory_is_refused),
        TRACE_TEST(directory_with_a_trace_in_it_is_refused),
        TRACE_TEST(two_destinations_or_bad_sizes_are_refused),
        TRACE_TEST(second_trace_is_refused_while_one_runs),
        TRACE_TEST(descriptor_that_cannot_be_written_is_refused),
        TRACE_TEST(snapshot_without_a_trace_is_refused),
        TRACE_TEST(snapshot_into_a_missing_folder_leaves_tracing_on),
        TRACE_TEST(full_device_ends_the_trace_with_its_error),
        TRACE_TEST(dead_socket_peer_ends_the_trace_without_a_signal),
        TRACE_TEST(dead_pipe_peer_ends_the_trace_without_a_signal),
        TRACE_TEST(peer_that_never_reads_does_not_hold_up_the_stop),
        TRACE_TEST(full_disk_leaves_whole_packets_behind),
    };
    if (count > 3) {
        if (open_runtime(NULL))
            return 1;
        int result = emit_for_python(count, arguments);
        return close_runtime(NULL) || result;
    }
    return cmocka_run_group_tests_name("trace", tests, open_runtime, close_runtime);
}
