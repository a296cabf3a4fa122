/*
 * The stress run on a Linux host:
 *
 *     stress [--seconds S] [--threads N] [--objects N] [--seed SEED]
 *
 * A failure is tried again with the seed it printed.
 */
#include "stress.h"

#include <errno.h>
#include <k42/k42.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct stress_options options = {.threads = 4, .objects = 64};
static double seconds = 5;

void stress_say(const char *format, ...) {
    va_list list;
    va_start(list, format);
    vprintf(format, list);
    va_end(list);
    printf("\n");
    fflush(stdout);
}

void stress_die(const char *what) {
    fprintf(stderr, "stress: %s\n", what);
    abort();
}

static void *thread_main(void *number) {
    stress_work((unsigned)(uintptr_t)number);
    return NULL;
}

static void rest(void) {
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (!stress_stopped() && nanosleep(&left, &left) && errno == EINTR)
        ;
}

static void parse(int argc, char **argv) {
    options.seed = (uint64_t)time(NULL);
    for (int i = 1; i < argc; i += 2) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (value && !strcmp(argv[i], "--seconds"))
            seconds = atof(value);
        else if (value && !strcmp(argv[i], "--threads"))
            options.threads = (unsigned)atoi(value);
        else if (value && !strcmp(argv[i], "--objects"))
            options.objects = (unsigned)atoi(value);
        else if (value && !strcmp(argv[i], "--seed"))
            options.seed = strtoull(value, NULL, 0);
        else {
            fprintf(stderr,
                    "stress: unknown option %s; usage: stress [--seconds S] [--threads N] "
                    "[--objects N] [--seed SEED]\n",
                    argv[i]);
            exit(2);
        }
    }
    if (!options.threads || options.threads > STRESS_THREADS_MAX || !options.objects ||
        options.objects > STRESS_OBJECTS_MAX) {
        fprintf(stderr, "stress: needs 1 to %u threads and 1 to %u objects\n", STRESS_THREADS_MAX,
                STRESS_OBJECTS_MAX);
        exit(2);
    }
}

int main(int argc, char **argv) {
    parse(argc, argv);
    pthread_t threads[STRESS_THREADS_MAX];
    if (k42_init(NULL) < 0 || stress_begin(&options) < 0)
        return 2;
    for (unsigned i = 0; i < options.threads; i++)
        if (pthread_create(&threads[i], NULL, thread_main, (void *)(uintptr_t)i))
            return 2;
    rest();
    stress_stop();
    for (unsigned i = 0; i < options.threads; i++)
        pthread_join(threads[i], NULL);
    int failures = stress_report();
    if (k42_shutdown() < 0)
        failures++;
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
