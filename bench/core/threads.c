/*
 * How calls of one object go faster with more threads, each on a CPU of its own.
 *
 *     threads [--rounds=N] [--slice=ns]
 *
 * In each round, for each way of calling and each number of threads 1 to N, that many threads make
 * calls of the same object at once. Prints million calls a second of all of them together, as rows
 * "threads-1", "threads-2", ...: the sum of each thread's own rate, over the same stretch of time.
 */
#include "loops.h"
#include "measure.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_THREADS 64

static const char *const variants[] = {"k42",       "k42+enter-exit", "ops-pointer",
                                       "urcu-memb", "refcount",       "rwlock"};
#define VARIANTS (sizeof(variants) / sizeof(*variants))

/* Written by main between two passes of the barrier, read by the workers after the second. */
static struct {
    const struct loop *loop; /* NULL: end */
    unsigned threads;
    long slice_ns;
} job;
static pthread_barrier_t barrier;
static struct subject subject;
static unsigned running; /* workers that have begun this job, so that they begin together */
static struct { double rate __attribute__((aligned(64))); } result[MOST_THREADS];

/* Calls per nanosecond, counted in chunks until the slice is over. */
static double call_for_a_slice(const struct loop *loop, long slice_ns) {
    const long chunk = 2000;
    long turns = 0;
    uint64_t start_ns = measure_now_ns(), now_ns;
    do {
        loop->run(&subject, chunk);
        turns += chunk;
        now_ns = measure_now_ns();
    } while (now_ns - start_ns < (uint64_t)slice_ns);
    return (double)turns / (double)(now_ns - start_ns);
}

static void *work(void *argument) {
    unsigned number = (unsigned)(uintptr_t)argument;
    measure_pin(number);
    loop_thread_begin("caller");
    for (;;) {
        pthread_barrier_wait(&barrier);
        if (!job.loop)
            break;
        if (number < job.threads) {
            __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
            while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < job.threads)
                ;
            job.loop->run(&subject, 5000);
            result[number].rate = call_for_a_slice(job.loop, job.slice_ns);
        }
        pthread_barrier_wait(&barrier);
    }
    loop_thread_end();
    return NULL;
}

static void run_job(const char *variant, unsigned threads) {
    char row[32];
    double rate = 0;
    job.loop = loop_find("call", variant);
    job.threads = threads;
    running = 0;
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < threads; i++)
        rate += result[i].rate;
    snprintf(row, sizeof(row), "threads-%u", threads);
    measure_sample(row, variant, rate * 1000);
}

int main(int argc, char **argv) {
    long rounds = measure_option(argc, argv, "rounds", 300);
    unsigned most = measure_cpus() < MOST_THREADS ? measure_cpus() : MOST_THREADS;
    pthread_t threads[MOST_THREADS];

    job.slice_ns = measure_option(argc, argv, "slice", 1000000);
    measure_require(k42_init(NULL), "starting the runtime");
    measure_require(k42_attach("main"), "attaching a thread");
    subject_open(&subject);
    pthread_barrier_init(&barrier, NULL, most + 1);
    for (unsigned i = 0; i < most; i++) {
        if (pthread_create(&threads[i], NULL, work, (void *)(uintptr_t)i))
            measure_fail("starting a thread", "the system refused");
    }
    for (long round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < VARIANTS; i++) {
            for (unsigned n = 1; n <= most; n++)
                run_job(variants[i], n);
        }
    }
    job.loop = NULL;
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < most; i++)
        pthread_join(threads[i], NULL);
    subject_close(&subject);
    return 0;
}
