/*
 * The stress run's engine, which runs on a Linux host (host.c) and in the kernel.
 *
 * Random creates, calls, swaps, interpositions, upgrades and destroys on many threads. A seed fixes
 * each thread's sequence of operations (how they interleave is the machine's). At the end all must
 * add up (account.h), every error must be one that the operation may return, and nothing may be
 * left: no mediator, no interposer, no root but those that were there before.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdint.h>

#define STRESS_OBJECTS_MAX 4096
#define STRESS_THREADS_MAX 256

struct stress_options {
    unsigned threads, objects;
    uint64_t seed;
};

/* Makes the objects; the runtime runs. The options stay. 0 or a negative error. */
long stress_begin(const struct stress_options *options);
/* What thread `number` does from its start to its end. */
void stress_work(unsigned number);
/* Tells all threads to end; one does so itself when it sees a failure. */
void stress_stop(void);
int stress_stopped(void);
/* When all threads have ended: says what was done, and returns the number of failures. */
int stress_report(void);

/* Provided by who runs the engine: writes a line; ends the run at once, for `what` went wrong. */
void stress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void stress_die(const char *what);

#endif
