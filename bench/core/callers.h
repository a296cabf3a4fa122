/*
 * Threads that call without pause, one on each CPU, and the longest of their turns in each of many
 * windows of time.
 *
 * A turn is enter, call, exit, and the clock read that separates it from the next, so that nothing
 * that delays a caller escapes. A turn belongs to every window that it overlaps, with its whole
 * length: also one that began before the window or lasts beyond its end.
 *
 * One thread, no caller itself, opens and closes windows. Figures are complete after callers_stop.
 */
#ifndef BENCH_CALLERS_H
#define BENCH_CALLERS_H

#include <k42/k42.h>

#include <stddef.h>
#include <stdint.h>

/* One call, made by an active thread; `random` is another number each time. */
typedef k42_result callers_call(void *context, uint32_t random);

/* Starts a caller on each of `threads` CPUs, or 0: on all; each makes that call without pause.
 * `windows` is the most that will be opened. */
void callers_start(callers_call *call, void *context, unsigned threads, size_t windows);
/* Stops them; returns how many calls were made. Ends the program when one of them failed. */
uint64_t callers_stop(void);

/* Begins the next window and returns its number; ends it. */
size_t window_open(void);
void window_close(void);

/* The longest turn of any caller in a window. After callers_stop. */
double window_longest_us(size_t window);
/* Whether in that turn the caller slept, waiting for the runtime, rather than ran or was preempted.
 */
int window_longest_slept(size_t window);

/* What the thread that opens windows does in one of them. */
enum window_kind {
    WINDOW_WORK, /* whatever is measured */
    WINDOW_REST, /* sleeps as long as the last WINDOW_WORK took */
    WINDOW_BUSY, /* computes as much as that took of its CPU, then sleeps for the rest of the time
                  */
    WINDOW_KINDS,
};

/*
 * One window of a kind: work(context) in WINDOW_WORK. Returns its number, after the turns that
 * overlapped it: so that no turn is counted to two windows, of which one may have made it long.
 */
struct window_pattern {
    void (*work)(void *context);
    void *context;
    uint64_t wall_ns, cpu_ns; /* of the last WINDOW_WORK */
};
size_t window_run(struct window_pattern *pattern, enum window_kind kind);

/* The words run.py knows the kinds by. */
const char *window_kind_name(enum window_kind kind);

#endif
