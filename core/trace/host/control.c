/*
 * Starting, stopping and dumping a trace on a Linux host; the thread that streams; marks.
 *
 * All writing is done by threads of our own, in which every signal is blocked: a dead peer or a
 * full disk is an error code there and disturbs nobody. The streaming thread does not stand in the
 * way of writers, who never wait for it; when it is too slow, events are lost and counted.
 *
 * When streaming fails, its thread disables all events, says so on the log, and ends; the trace is
 * over, and k42_trace_stop() returns the error. `control_lock` lets one control function in at a
 * time; emitting takes no lock.
 *
 * The child of a fork is not traced: the thread that streams is the parent's. It may start a trace
 * of its own. Forking in a signal handler that interrupted an event is not provided for.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../events.h"
#include "../../platform.h"
#include "drain.h"

#define DEFAULT_BUFFER_BYTES 65536
#define DEFAULT_BUFFER_COUNT 8
#define SHORTEST_SLEEP_NS    500000u
#define LONGEST_SLEEP_NS     16000000u

static struct k42_lock control_lock;

static struct {
    int running;
    int streaming;
    struct k42_platform_thread *thread;
    struct k42_trace_sink sink;
    struct k42_trace_drain drain;
    uint32_t stopping; /* writers are out; what there is now is all */
    int error;         /* the streaming thread's, to be read after joining it */
} session;

static k42_result say(k42_result error, char *why, size_t why_size, const char *sentence) {
    if (why && why_size)
        snprintf(why, why_size, "%s", sentence);
    return error;
}

/* ---- the streaming thread ---- */

/* Sleeps unless there was much to do; longer and longer while there is nothing. */
static uint64_t rest(long written, uint64_t sleep_ns) {
    if (written > (long)k42_trace_session.sub_mask)
        return SHORTEST_SLEEP_NS;
    k42_platform_park(&session.stopping, 0, sleep_ns);
    if (written)
        return SHORTEST_SLEEP_NS;
    return sleep_ns * 2 < LONGEST_SLEEP_NS ? sleep_ns * 2 : LONGEST_SLEEP_NS;
}

static int stream_until_stopped(void) {
    uint64_t sleep_ns = SHORTEST_SLEEP_NS;
    int error = k42_trace_sink_describe(&session.sink);
    while (!error) {
        /* Looked at before the pass: the pass after it was set finds the last events. */
        uint32_t stopping = __atomic_load_n(&session.stopping, __ATOMIC_ACQUIRE);
        long written = k42_trace_drain_pass(&session.drain);
        if (written < 0)
            return (int)written;
        if (stopping && written == 0)
            return k42_trace_drain_end(&session.drain);
        if (!stopping)
            sleep_ns = rest(written, sleep_ns);
    }
    return error;
}

static void stream(void *unused) {
    (void)unused;
    session.error = stream_until_stopped();
    if (!session.error)
        return;
    k42_trace_refresh(0);
    char line[160];
    snprintf(line, sizeof(line),
             "streaming the trace failed, so tracing has ended: %s; what is written so far is "
             "good, the rest is counted as overwritten",
             strerrordesc_np(-session.error));
    k42_platform_log(line);
}

/* ---- work done in a thread without signals ---- */

struct errand {
    const char *path;
    char *why;
    size_t why_size;
    int error;
};

static int run_apart(void (*work)(void *), struct errand *errand) {
    struct k42_platform_thread *thread = k42_platform_spawn("k42-trace", work, errand);
    if (!thread)
        return (int)say(-ENOMEM, errand->why, errand->why_size, "cannot start a thread to write");
    k42_platform_join(thread);
    return errand->error;
}

static void open_directory(void *argument) {
    struct errand *errand = argument;
    errand->error =
        k42_trace_sink_open_directory(&session.sink, errand->path, errand->why, errand->why_size);
}

static void dump(void *argument) {
    struct errand *errand = argument;
    struct k42_trace_sink sink;
    struct k42_trace_drain drain;
    errand->error =
        k42_trace_sink_open_directory(&sink, errand->path, errand->why, errand->why_size);
    if (errand->error)
        return;
    errand->error = k42_trace_drain_open(&drain, &sink, 0);
    if (!errand->error) {
        long written = k42_trace_drain_pass(&drain);
        errand->error = written < 0 ? (int)written : 0;
    }
    if (errand->error && errand->why && errand->why_size)
        snprintf(errand->why, errand->why_size, "the snapshot in \"%s\" is not whole: %s",
                 errand->path, strerrordesc_np(-errand->error));
    k42_trace_drain_close(&drain);
    k42_trace_sink_close(&sink);
}

/* ---- forks ---- */

static void after_fork_in_child(void) {
    k42_trace_let_go();
    k42_trace_abandon();
    k42_trace_sink_close(&session.sink);
    memset(&session, 0, sizeof(session));
    session.sink.directory = -1;
    control_lock.word = 0; /* whoever held it is the parent's */
}

static void watch_forks(void) {
    (void)pthread_atfork(k42_trace_hold, k42_trace_let_go, after_fork_in_child);
}

/* ---- control ---- */

static k42_result open_sink(const struct k42_trace_options *options, char *why, size_t why_size) {
    struct errand errand = {options->path, why, why_size, 0};
    if (options->path)
        return run_apart(open_directory, &errand);
    if (options->fd > 0)
        return k42_trace_sink_open_fd(&session.sink, options->fd, why, why_size);
    return 0;
}

static k42_result open_buffers(const struct k42_trace_options *options, char *why,
                               size_t why_size) {
    k42_result error = k42_trace_open(options->mode, options->buffer_bytes, options->buffer_count);
    if (error == -ENOSYS)
        return say(error, why, why_size,
                   "tracing needs membarrier(2), which this kernel lacks or a filter forbids");
    return error ? say(error, why, why_size, "no memory for trace buffers") : 0;
}

static k42_result start_streaming(char *why, size_t why_size) {
    int error = k42_trace_drain_open(&session.drain, &session.sink, 1);
    if (!error) {
        session.thread = k42_platform_spawn("k42-trace", stream, NULL);
        error = session.thread ? 0 : -ENOMEM;
    }
    if (error)
        k42_trace_drain_close(&session.drain);
    return error ? say(error, why, why_size, "no memory for the thread that streams") : 0;
}

static k42_result start(const struct k42_trace_options *options, char *why, size_t why_size) {
    if (session.running)
        return say(-EALREADY, why, why_size, "a trace is running; stop it first");
    if (options->path && options->fd > 0)
        return say(-EINVAL, why, why_size,
                   "a trace goes to a directory or to a descriptor, not to both");
    if (!k42_trace_geometry_fits(options->mode, options->buffer_bytes, options->buffer_count))
        return say(-EINVAL, why, why_size,
                   "a sub-buffer has a power of two of bytes, 4096 to 16777216, and there is a "
                   "power of two of them, 2 to 1024; the mode is one of enum k42_trace_mode");
    memset(&session, 0, sizeof(session));
    session.sink.directory = -1;
    session.streaming = options->path || options->fd > 0;
    k42_result error = open_sink(options, why, why_size);
    if (error)
        return error;
    error = open_buffers(options, why, why_size);
    if (!error && session.streaming) {
        error = start_streaming(why, why_size);
        if (error) {
            k42_trace_close();
            k42_trace_discard(0);
        }
    }
    if (error)
        k42_trace_sink_close(&session.sink);
    session.running = !error;
    return error;
}

k42_result k42_trace_start(const struct k42_trace_options *options, char *why, size_t why_size) {
    struct k42_trace_options whole = options ? *options : (struct k42_trace_options){0};
    if (!whole.buffer_bytes)
        whole.buffer_bytes = DEFAULT_BUFFER_BYTES;
    if (!whole.buffer_count)
        whole.buffer_count = DEFAULT_BUFFER_COUNT;
    static pthread_once_t watched = PTHREAD_ONCE_INIT;
    pthread_once(&watched, watch_forks);
    k42_lock(&control_lock);
    k42_result error = start(&whole, why, why_size);
    k42_unlock(&control_lock);
    return error;
}

static int stop_streaming(void) {
    __atomic_store_n(&session.sink.hurry, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&session.stopping, 1, __ATOMIC_RELEASE);
    k42_platform_wake(&session.stopping, 1);
    k42_platform_join(session.thread);
    k42_trace_drain_close(&session.drain);
    k42_trace_sink_close(&session.sink);
    return session.error;
}

k42_result k42_trace_stop(void) {
    k42_result error = -EINVAL;
    k42_lock(&control_lock);
    if (session.running) {
        k42_trace_close();
        error = session.streaming ? stop_streaming() : 0;
        k42_trace_discard(session.streaming);
        session.running = 0;
    }
    k42_unlock(&control_lock);
    return error;
}

k42_result k42_trace_snapshot(const char *path, char *why, size_t why_size) {
    struct errand errand = {path, why, why_size, 0};
    k42_lock(&control_lock);
    k42_result error = session.running
                           ? run_apart(dump, &errand)
                           : say(-EINVAL, why, why_size, "no trace is running; start one first");
    k42_unlock(&control_lock);
    return error;
}

void k42_trace_mark(const char *format, ...) {
    if (!k42_trace_enabled(&k42_trace_mark_event))
        return;
    char text[K42_TRACE_STRING_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    K42_TRACE(k42_trace_mark_event, text);
}
