/*
 * Parallel search in one cached file, with the kernel's page caches on the host's processors.
 *
 *     page_search [--rounds=N] [--most=THREADS] [--pages=N]
 *
 * Threads read all pages of one file, each from a place of its own on, and look for a word in what
 * they have read. A round takes every class with 1, 2, 4, ... threads. Prints for each thread the
 * nanoseconds of processor time for a page ("search-N CLASS", pages read whole and searched;
 * "look-N CLASS", 8 bytes of each page, which is the page cache alone), and how often CPUs met
 * ("met-N CLASS", per thousand pages). A thread that was preempted has not used the processor; one
 * that waits for a cache line has. Every search must find all there is to find.
 */
#include "measure.h"
#include "text_file.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_THREADS 64u

static const char *const classes[] = {"fcm.shared", "fcm.partitioned"};
#define CLASSES (sizeof classes / sizeof *classes)

static struct plan {
    fcm_ref file;
    uint64_t pages, turns; /* of each thread, over all pages */
    bool whole;
    unsigned threads, ready;
} plan;

struct searcher {
    pthread_t thread;
    unsigned number;
    double ns; /* for a page */
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
        found += search_page(page);
        page = page + 1 == plan.pages ? 0 : page + 1;
    }
    self->ns = (double)(used_ns() - begin) / (double)(plan.turns * plan.pages);
    if (found != TEXT_PER_PAGE * plan.turns * plan.pages)
        measure_fail("searching", "some words were not found");
    measure_require(k42_detach(), "detaching a searcher");
    return NULL;
}

static void run(const char *class_name, unsigned threads, const char *what) {
    struct searcher searchers[MOST_THREADS];
    char row[32];
    plan.threads = threads;
    plan.ready = 0;
    uint64_t met = text_file_contended(plan.file);
    for (unsigned i = 0; i < threads; i++) {
        searchers[i].number = i;
        if (pthread_create(&searchers[i].thread, NULL, search, &searchers[i]))
            measure_fail("starting a searcher", "the system refused");
    }
    snprintf(row, sizeof row, "%s-%u", what, threads);
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(searchers[i].thread, NULL);
        measure_sample(row, class_name, searchers[i].ns);
    }
    snprintf(row, sizeof row, "met-%s-%u", what, threads);
    measure_sample(row, class_name,
                   (double)(text_file_contended(plan.file) - met) * 1000 /
                       (double)(plan.turns * plan.pages * threads));
}

int main(int argc, char **argv) {
    long rounds = measure_option(argc, argv, "rounds", 100);
    unsigned most = (unsigned)measure_option(argc, argv, "most", 8);
    plan.pages = (uint64_t)measure_option(argc, argv, "pages", 64);
    if (most > MOST_THREADS || most < 1 || plan.pages < most || rounds < 1)
        measure_fail("reading the options", "rounds, threads or pages make no sense");
    text_open(plan.pages);
    plan.file = text_file(classes[0], plan.pages);
    for (long round = 0; round < rounds; round++)
        for (unsigned i = 0; i < CLASSES; i++) {
            measure_require(text_file_swap(plan.file, classes[i]), "swapping the page cache");
            for (unsigned threads = 1; threads <= most; threads *= 2) {
                plan.whole = true;
                plan.turns = 40;
                run(classes[i], threads, "search");
                plan.whole = false;
                plan.turns = 400;
                run(classes[i], threads, "look");
            }
        }
    return 0;
}
