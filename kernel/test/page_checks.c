/*
 * Checks of the page caches of files where they run, on all CPUs: test=pages; and what a page that
 * is there costs: test=pagecosts.
 *
 * The host's tests (tests/host/test_file_pages*.c) look at everything else.
 */
#include "../arch/x86_64/arch.h"
#include "../copy.h"
#include "../kernel.h"
#include "../mem/fcm/file_pages.h"
#include "../mem/fr/fr_zero.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"

#include <k42/k42.h>

#define PAGES 100u

static struct crew crew;
static fcm_ref fcm;

static bool make(struct k42_class *class_, pm_ref pm, fr_ref fr, uint64_t pages) {
    struct fcm_file file = {.pm = pm, .fr = fr, .size = pages * FRAME_SIZE};
    k42_ref ref;
    if (k42_create(class_, &file, &ref) < 0)
        return false;
    fcm = (fcm_ref)ref;
    return true;
}

static bool end(void) {
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(fcm, resize, 0));
    k42_exit();
    return !result && !k42_destroy((k42_ref)fcm) && !k42_defer_flush();
}

static k42_result access_word(uint64_t at, uint64_t *word, bool write) {
    struct copy copy = copy_of_kernel(word, sizeof *word);
    k42_result result;
    k42_enter();
    if (write)
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(fcm, write, at, &copy, NULL));
    else
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(fcm, read, at, &copy));
    k42_exit();
    return result;
}

/* Each member has a word of each page, and counts rounds there. */
static void use_words(struct member *self) {
    uint64_t word;
    while (member_goes_on(self)) {
        for (uint64_t page = 0; page < PAGES; page++) {
            uint64_t at = page * FRAME_SIZE + self->number * sizeof word;
            if (access_word(at, &word, false) != sizeof word || word != self->done) {
                print("page %lu: %lu, expected %lu", page, word, self->done);
                __atomic_store_n((uint32_t *)self->shared, 0, __ATOMIC_RELAXED);
                return;
            }
            word++;
            if (access_word(at, &word, true) != sizeof word)
                return;
        }
        member_count(self);
    }
}

static bool swap(struct k42_class *to) {
    struct k42_swap request = {
        .ref = (k42_ref)fcm, .to = to, .deadline_ns = 30000000000ul, .attempts = 4};
    k42_result result = k42_swap_run(&request);
    if (result < 0)
        print("swap: %s", request.report.text);
    return result == 0;
}

KERNEL_CHECK(pages, words_of_a_file_survive_swaps_on_all_cpus) {
    static struct k42_class *const classes[] = {&fcm_pinned, &fcm_stream, &fcm_stream, &fcm_shared};
    uint32_t right = 1;
    if (!make(&fcm_shared, pm_machine, (fr_ref)K42_NULL_REF, PAGES) ||
        !crew_start(&crew, 2 * cpu_count(), true, use_words, &right))
        return false;
    bool swapped = true;
    for (unsigned i = 0; i < 20 && right; i++) {
        swapped = swapped && swap(classes[i % 4]);
        thread_sleep(2000000);
    }
    crew_end(&crew);
    return end() && swapped && right;
}

KERNEL_CHECK(pages, a_file_larger_than_the_limit_is_read_through_it) {
    k42_ref below, fr;
    struct pm_usage usage = {.used = 0};
    k42_enter();
    k42_result result = k42_call(pm_machine, divide, 64, &below);
    k42_exit();
    if (result || k42_create(&fr_zero, NULL, &fr) < 0 ||
        !make(&fcm_shared, (pm_ref)below, (fr_ref)fr, 20 * PAGES))
        return false;
    bool right = true;
    for (uint64_t page = 0; page < 20 * PAGES && right; page++) {
        uint64_t word = 1;
        right = access_word(page * FRAME_SIZE, &word, false) == sizeof word && !word;
    }
    k42_enter();
    result = k42_call((pm_ref)below, usage, &usage);
    k42_exit();
    bool ended = end() && !k42_destroy((k42_ref)fr) && !k42_destroy(below);
    if (usage.peak > 64 || usage.given_back < 19 * PAGES)
        print("at most %lu frames, %lu given back", usage.peak, usage.given_back);
    return right && !result && ended && usage.peak <= 64 && usage.given_back >= 19 * PAGES;
}

/* ---- costs ---- */

enum { TIMES = 10000 };

static uint64_t ticks(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* How many ticks 1,024 instructions take. */
static uint64_t ticks_of_1024(void) {
    uint64_t left = 1024 * 64 / 2, begin = ticks();
    __asm__ volatile("1: decq %0; jnz 1b" : "+r"(left)::"cc");
    return (ticks() - begin) / 64;
}

static bool report(const char *what, uint64_t pages, uint64_t begin, bool right) {
    uint64_t took = (ticks() - begin) * 1024 / ticks_of_1024() / TIMES;
    print("%s, of a file of %lu pages: %lu", what, pages, took);
    return right;
}

static bool measure(uint64_t pages) {
    struct fcm_page page;
    k42_result result = 0;
    uint64_t begin;
    if (!make(&fcm_shared, pm_machine, (fr_ref)K42_NULL_REF, pages))
        return false;
    k42_enter();
    for (uint64_t i = 0; i < pages; i++)
        result |= k42_call(fcm, get_page, i, FCM_WRITE, &page) | k42_call(fcm, put_page, i);
    begin = ticks();
    for (uint64_t i = 0; i < TIMES; i++)
        result |= k42_call(fcm, get_page, i % 64, 0, &page) | k42_call(fcm, mapped, i % 64, 1);
    bool right = report("get_page and mapped", pages, begin, !result);
    begin = ticks();
    for (uint64_t i = 0; i < TIMES; i++)
        result |=
            k42_call(fcm, get_page, i % 64, FCM_WRITE, &page) | k42_call(fcm, put_page, i % 64);
    right = report("get_page and put_page", pages, begin, !result) && right;
    k42_exit();
    return end() && right;
}

static bool measure_bytes(void) {
    uint64_t word = 0, begin;
    if (!make(&fcm_shared, pm_machine, (fr_ref)K42_NULL_REF, 4) ||
        access_word(0, &word, true) != sizeof word)
        return false;
    begin = ticks();
    for (uint64_t i = 0; i < TIMES; i++)
        if (access_word(0, &word, false) != sizeof word)
            return false;
    (void)report("reading a word by call", 4, begin, true);
    begin = ticks();
    for (uint64_t i = 0; i < TIMES; i++)
        if (access_word(0, &word, true) != sizeof word)
            return false;
    return report("writing a word by call", 4, begin, true) && end();
}

KERNEL_CHECK(pagecosts, a_page_that_is_there_is_given_in_some_dozen_instructions) {
    return measure(64) && measure(1000) && measure_bytes();
}
