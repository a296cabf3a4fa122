/*
 * Parallel search in one cached file, with the kernel's page caches on the host's processors.
 *
 *     page_search [--rounds=N] [--most=THREADS] [--pages=N]
 *
 * Threads read all pages of one file, each from a place of its own on, and look for a word in what
 * they have read. A round takes every class, and one that adapts itself (adaptive.h), with 1, 2, 4,
 * ... threads. Prints for each thread the nanoseconds of processor time for a page ("search-N
 * CLASS", pages read whole and searched; "look-N CLASS", 8 bytes of each page, which is the page
 * cache alone), and how often CPUs met
 * ("met-N CLASS", per thousand pages). A thread that was preempted has not used the processor; one
 * that waits for a cache line has. Every search must find all there is to find.
 */
#include "adaptive.h"
#include "measure.h"
#include "text_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_THREADS 64u
#define LOADS        14u /* whole pages and looks, each with 1, 2, 4, ... threads */
#define LOOKS        40u /* until an adaptive cache is what it becomes */

static const char *const classes[] = {"fcm.shared", "fcm.partitioned"};
#define CLASSES (sizeof classes / sizeof *classes)

static struct plan {
    fcm_ref file;
    uint64_t pages, turns; /* of each thread, over all pages */
    bool whole, watched;
    unsigned threads, ready;
    uint64_t reading; /* watched: a bit for each thread, modulo 64 */
} plan;

struct searcher {
    pthread_t thread;
    unsigned number;
    double ns; /* for a page */
    uint64_t meetings;
};

static uint64_t used_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static unsigned words_in(const char *text, size_t length) {
    unsigned found = 0;
    const char *end = text + length;
    while ((text = memmem(text, (size_t)(end - text), TEXT_WORD, strlen(TEXT_WORD)))) {
        found++;
        text += strlen(TEXT_WORD);
    }
    return found;
}

/* Words found in a page; of a look, as many as there are. */
static unsigned search_page(uint64_t page) {
    char text[FRAME_BYTES];
    size_t length = plan.whole ? FRAME_BYTES : 8;
    if (stage_read(plan.file, page * FRAME_BYTES, text, length) != (k42_result)length)
        measure_fail("reading a page", "it is not there");
    return plan.whole ? words_in(text, length) : text[0] == 'p' ? TEXT_PER_PAGE : 0;
}

/* The same while it is watched, as the kernel's hook does it. */
static unsigned search_watched(struct searcher *self, uint64_t page) {
    uint64_t own = 1ul << self->number % 64;
    self->meetings += (__atomic_fetch_or(&plan.reading, own, __ATOMIC_RELAXED) & ~own) != 0;
    unsigned found = search_page(page);
    __atomic_fetch_and(&plan.reading, ~own, __ATOMIC_RELAXED);
    return found;
}

/* All begin together, as far as the processors allow it. */
static void meet(void) {
    __atomic_add_fetch(&plan.ready, 1, __ATOMIC_ACQ_REL);
    while (__atomic_load_n(&plan.ready, __ATOMIC_ACQUIRE) < plan.threads)
        sched_yield();
}

static void *search(void *argument) {
    struct searcher *self = argument;
    uint64_t found = 0, page = plan.pages / plan.threads * self->number;
    measure_pin(self->number % measure_cpus());
    stage_attach("searcher");
    (void)search_page(page);
    meet();
    uint64_t begin = used_ns();
    for (uint64_t i = 0; i < plan.turns * plan.pages; i++) {
        found += plan.watched ? search_watched(self, page) : search_page(page);
        page = page + 1 == plan.pages ? 0 : page + 1;
    }
    self->ns = (double)(used_ns() - begin) / (double)(plan.turns * plan.pages);
    if (found != TEXT_PER_PAGE * plan.turns * plan.pages)
        measure_fail("searching", "some words were not found");
    measure_require(k42_detach(), "detaching a searcher");
    return NULL;
}

/* One run of a load. */
struct seen {
    double ns[MOST_THREADS], sum, met; /* for a page: of each thread, of all; per thousand pages */
    uint64_t meetings;
};

static void run(unsigned threads, struct seen *seen) {
    struct searcher searchers[MOST_THREADS];
    plan.threads = threads;
    plan.ready = 0;
    uint64_t met = text_file_contended(plan.file);
    for (unsigned i = 0; i < threads; i++) {
        searchers[i] = (struct searcher){.number = i};
        if (pthread_create(&searchers[i].thread, NULL, search, &searchers[i]))
            measure_fail("starting a searcher", "the system refused");
    }
    seen->sum = 0;
    seen->meetings = 0;
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(searchers[i].thread, NULL);
        seen->ns[i] = searchers[i].ns;
        seen->sum += searchers[i].ns;
        seen->meetings += searchers[i].meetings;
    }
    seen->met = (double)(text_file_contended(plan.file) - met) * 1000 /
                (double)(plan.turns * plan.pages * threads);
}

static void print_seen(const char *what, unsigned threads, const char *variant,
                       const struct seen *seen) {
    char row[32];
    snprintf(row, sizeof row, "%s-%u", what, threads);
    for (unsigned i = 0; i < threads; i++)
        measure_sample(row, variant, seen->ns[i]);
    snprintf(row, sizeof row, "met-%s-%u", what, threads);
    measure_sample(row, variant, seen->met);
}

static void be(const char *class_name) {
    measure_require(text_file_swap(plan.file, class_name), "swapping the page cache");
}

/* A load with a cache that has had time to become what suits it. What is watched is not measured:
 * in the kernel that is a small part of the time. */
static void run_adaptive(struct adaptive *adaptive, unsigned threads, struct seen *seen) {
    do {
        be(adaptive_class(adaptive));
        plan.watched = adaptive_is_watched(adaptive);
        run(threads, seen);
        plan.watched = false;
        adaptive_look(adaptive,
                      &(struct adaptive_run){
                          .users = threads,
                          .reads = plan.turns * plan.pages * threads,
                          .meetings = seen->meetings,
                          .ns = (uint64_t)(seen->sum * (double)(plan.turns * plan.pages))});
    } while (adaptive->looks < LOOKS);
    be(adaptive_class(adaptive));
    run(threads, seen);
}

/* Every class in turn, so that a disturbance meets all. */
static void run_load(const char *what, unsigned threads, struct adaptive *adaptive) {
    struct seen seen;
    for (unsigned i = 0; i < CLASSES; i++) {
        be(classes[i]);
        run(threads, &seen);
        print_seen(what, threads, classes[i], &seen);
    }
    run_adaptive(adaptive, threads, &seen);
    print_seen(what, threads, "adaptive", &seen);
}

int main(int argc, char **argv) {
    static struct adaptive adaptive[LOADS];
    long rounds = measure_option(argc, argv, "rounds", 100);
    unsigned most = (unsigned)measure_option(argc, argv, "most", 8);
    plan.pages = (uint64_t)measure_option(argc, argv, "pages", 64);
    if (most > MOST_THREADS || most < 1 || plan.pages < most || rounds < 1)
        measure_fail("reading the options", "rounds, threads or pages make no sense");
    text_open(plan.pages);
    plan.file = text_file(classes[0], plan.pages);
    for (long round = 0; round < rounds; round++)
        for (unsigned threads = 1, load = 0; threads <= most; threads *= 2) {
            plan.whole = true;
            plan.turns = 40;
            run_load("search", threads, &adaptive[load++]);
            plan.whole = false;
            plan.turns = 400;
            run_load("look", threads, &adaptive[load++]);
        }
    return 0;
}
