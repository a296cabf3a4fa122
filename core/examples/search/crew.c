/*
 * The crew's threads and their stop-watches.
 *
 * Each worker writes its own counters and the main thread reads them: those read while it runs are
 * atomic, the rest is read after it has been joined. `phase` and `active` are the main thread's.
 */
#define _GNU_SOURCE
#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <x86intrin.h>

#include "file.h"

enum phase {
    PHASE_WARM,
    PHASE_MEASURE,
    PHASE_STOP,
};

/* A moment, on the clocks that matter to one thread. */
struct moment {
    uint64_t cycles;
    uint64_t wall_ns;
    uint64_t cpu_ns;
    uint64_t waited_ns; /* ready to run, without a processor */
};

struct worker {
    pthread_t thread;
    struct crew *crew;
    unsigned number;
    int measuring;
    struct moment begin, end;
    uint64_t measured, holds, failures;
    uint64_t searches; /* read by others while it counts */
} __attribute__((aligned(128)));

struct crew {
    struct crew_plan plan;
    uint64_t matches;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum phase phase;
    unsigned active;
    unsigned started;
    unsigned arrived; /* attached, or failed to */
    struct worker workers[];
};

/* ---- clocks ---- */

static uint64_t clock_ns(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* 0 where the kernel does not count it; then time slicing shows in the result. */
static uint64_t waited_ns(void) {
    unsigned long long ran, waited = 0;
    FILE *file = fopen("/proc/thread-self/schedstat", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &ran, &waited) != 2)
        waited = 0;
    fclose(file);
    return waited;
}

static struct moment moment_now(void) {
    return (struct moment){
        .waited_ns = waited_ns(),
        .cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID),
        .wall_ns = clock_ns(CLOCK_MONOTONIC),
        .cycles = __rdtsc(),
    };
}

/* ---- one worker ---- */

/* The page was evicted, or was never there: gets it from the file. */
static k42_result fill_and_hold(cache_ref cache, uint64_t number, const void **bytes) {
    char page[CACHE_PAGE_SIZE];
    file_page(number, page);
    k42_result result = k42_call(cache, fill, number, page, sizeof(page));
    if (result < 0 && result != -EEXIST) /* another thread may have filled it meanwhile */
        return result;
    return k42_call(cache, hold, number, bytes);
}

/* Searches one page; 1 when the word is in it. */
static int search_page(struct worker *worker, uint64_t number) {
    cache_ref cache = worker->crew->plan.cache;
    const void *bytes;
    k42_result result = k42_call(cache, hold, number, &bytes);
    if (result == -ENOENT)
        result = fill_and_hold(cache, number, &bytes);
    if (result < 0) {
        worker->failures++;
        return 0;
    }
    int found = file_page_matches(bytes);
    worker->holds++;
    if (k42_call(cache, release, number) < 0)
        worker->failures++;
    return found;
}

/* Searches the whole file, beginning where no other thread does. */
static void search_file(struct worker *worker) {
    const struct crew_plan *plan = &worker->crew->plan;
    uint64_t number = worker->number * plan->pages / plan->threads;
    uint64_t found = 0;
    k42_enter();
    for (uint64_t i = 0; i < plan->pages; i++) {
        found += (uint64_t)search_page(worker, number);
        if (++number == plan->pages)
            number = 0;
        k42_safe_point();
    }
    k42_exit();
    if (found != worker->crew->matches)
        worker->failures++;
    __atomic_store_n(&worker->searches, worker->searches + 1, __ATOMIC_RELAXED);
}

/* Waits while this worker is one too many, and says what there is to do. */
static enum phase next_phase(struct worker *worker) {
    struct crew *crew = worker->crew;
    enum phase phase = __atomic_load_n(&crew->phase, __ATOMIC_RELAXED);
    if (worker->number < __atomic_load_n(&crew->active, __ATOMIC_RELAXED))
        return phase;
    pthread_mutex_lock(&crew->lock);
    while (worker->number >= crew->active && crew->phase != PHASE_STOP)
        pthread_cond_wait(&crew->changed, &crew->lock);
    phase = crew->phase;
    pthread_mutex_unlock(&crew->lock);
    return phase;
}

static void work(struct worker *worker) {
    const struct crew_plan *plan = &worker->crew->plan;
    for (;;) {
        enum phase phase = next_phase(worker);
        if (phase == PHASE_STOP)
            return;
        if (phase == PHASE_MEASURE && !worker->measuring) {
            worker->measuring = 1;
            worker->begin = moment_now();
        }
        search_file(worker);
        if (worker->measuring && ++worker->measured == plan->searches)
            return;
    }
}

/* Waits until all threads of the crew are here, or it is given up. */
static void arrive(struct crew *crew) {
    pthread_mutex_lock(&crew->lock);
    crew->arrived++;
    pthread_cond_broadcast(&crew->changed);
    while (crew->arrived < crew->plan.threads && crew->phase != PHASE_STOP)
        pthread_cond_wait(&crew->changed, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}

static void *worker_main(void *argument) {
    struct worker *worker = argument;
    char name[16];
    snprintf(name, sizeof(name), "search %u", worker->number % 1000);
    int attached = k42_attach(name) >= 0;
    arrive(worker->crew);
    if (!attached) {
        worker->failures++;
        return NULL;
    }
    work(worker);
    if (worker->measuring)
        worker->end = moment_now();
    if (k42_detach() < 0)
        worker->failures++;
    return NULL;
}

/* ---- the crew, from outside ---- */

static void set_phase(struct crew *crew, enum phase phase, unsigned active) {
    pthread_mutex_lock(&crew->lock);
    __atomic_store_n(&crew->phase, phase, __ATOMIC_RELAXED);
    __atomic_store_n(&crew->active, active, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&crew->changed);
    pthread_mutex_unlock(&crew->lock);
}

static void join_all(struct crew *crew) {
    for (unsigned i = 0; i < crew->started; i++)
        pthread_join(crew->workers[i].thread, NULL);
}

static void dispose(struct crew *crew) {
    pthread_cond_destroy(&crew->changed);
    pthread_mutex_destroy(&crew->lock);
    free(crew);
}

struct crew *crew_start(const struct crew_plan *plan) {
    size_t size = sizeof(struct crew) + plan->threads * sizeof(struct worker);
    size = (size + 127) / 128 * 128;
    struct crew *crew = aligned_alloc(128, size);
    if (!crew)
        return NULL;
    *crew = (struct crew){
        .plan = *plan,
        .matches = file_matches(plan->pages),
        .active = plan->active ? plan->active : plan->threads,
    };
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->changed, NULL);
    for (unsigned i = 0; i < plan->threads; i++) {
        struct worker *worker = &crew->workers[i];
        *worker = (struct worker){.crew = crew, .number = i};
        int error = pthread_create(&worker->thread, NULL, worker_main, worker);
        if (error) {
            set_phase(crew, PHASE_STOP, 0);
            join_all(crew);
            dispose(crew);
            errno = error;
            return NULL;
        }
        crew->started++;
    }
    return crew;
}

void crew_measure(struct crew *crew) {
    set_phase(crew, PHASE_MEASURE, crew->active);
}

void crew_set_active(struct crew *crew, unsigned active) {
    set_phase(crew, crew->phase, active);
}

uint64_t crew_searches(struct crew *crew) {
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->started; i++)
        sum += __atomic_load_n(&crew->workers[i].searches, __ATOMIC_RELAXED);
    return sum;
}

/* Cycles per nanosecond, by this thread's own two moments. */
static double cycles_per_ns(const struct worker *worker) {
    double ns = (double)(worker->end.wall_ns - worker->begin.wall_ns);
    return ns > 0 ? (double)(worker->end.cycles - worker->begin.cycles) / ns : 0;
}

static void add_worker(struct crew_result *result, const struct worker *worker) {
    result->holds += worker->holds;
    result->failures += worker->failures;
    if (!worker->measuring)
        return;
    const struct moment *begin = &worker->begin, *end = &worker->end;
    double rate = cycles_per_ns(worker);
    double seconds = (double)(end->wall_ns - begin->wall_ns) * 1e-9;
    double cpu = rate * (double)(end->cpu_ns - begin->cpu_ns);
    double occupied =
        (double)(end->cycles - begin->cycles) - rate * (double)(end->waited_ns - begin->waited_ns);
    result->searches += worker->measured;
    result->cpu_cycles += cpu;
    /* What is more than processor time was slept away, for a lock; the clocks differ a little. */
    result->cycles += occupied > cpu ? occupied : cpu;
    if (seconds > result->seconds)
        result->seconds = seconds;
}

void crew_finish(struct crew *crew, struct crew_result *result) {
    if (!crew->plan.searches)
        set_phase(crew, PHASE_STOP, 0);
    join_all(crew);
    *result = (struct crew_result){0};
    for (unsigned i = 0; i < crew->started; i++)
        add_worker(result, &crew->workers[i]);
    if (result->searches) {
        result->cycles /= (double)result->searches;
        result->cpu_cycles /= (double)result->searches;
    }
    dispose(crew);
}
