/*
 * The classes of page caches on files of the host, "big" and "small", in the folder behind the tag
 * "share0".
 *
 *   test=host_caches   swaps from each class to each under readers, writers, truncation, write-back
 *                      and eviction, on all CPUs
 *   test=filecosts     what reading the file costs with each class, on one CPU
 *
 * For the latter the emulator counts instructions as nanoseconds (-icount shift=0,sleep=off); those
 * of the idle thread are taken off. The file is new to the cache each time.
 */
#include <k42/class.h>

#include "../arch/x86_64/arch.h"
#include "../copy.h"
#include "../fs/9p/mount_9p.h"
#include "../fs/file.h"
#include "../fs/values.h"
#include "../kernel.h"
#include "../mem/fcm/fcm.h"
#include "../print.h"
#include "../sched/sched.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"
#include "runtime.h"

enum { AT_ONCE = 128 << 10, PAGE = 4096 };

#define CALL(result, ...) WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, __VA_ARGS__)

static k42_result keep(struct k42_pair pair, uint64_t *word) {
    *word = pair.word;
    return pair.result;
}

static const char *const class_names[] = {"fcm.shared",      "fcm.stream", "fcm.small",
                                          "fcm.partitioned", "fcm.large",  "fcm.pinned"};
enum { CLASSES = sizeof class_names / sizeof *class_names };

static bool swap_to(fcm_ref fcm, const char *class_name) {
    return swap_surely((k42_ref)fcm, k42_class_find(class_name));
}

/* Opens the file, active. 0, its FCM and how long it is; or an error. */
static k42_result open_file(node_ref share, const char *text, file_ref *file, fcm_ref *fcm) {
    struct file_map map;
    uint32_t length = (uint32_t)k42_text_length(text);
    const struct credentials root_user = {.effective = ~0ul, .permitted = ~0ul};
    const struct node_name name = {text, length, node_hash(text, length)};
    uint64_t node, opened = 0;
    k42_result result;
    CALL(result, keep(k42_call(share, lookup, &name, &root_user), &node));
    if (result >= 0)
        CALL(result, keep(k42_call((node_ref)node, open, OPEN_READ_WRITE), &opened));
    *file = (file_ref)opened;
    if (result >= 0)
        result = k42_call(*file, map, &map);
    *fcm = (fcm_ref)map.fcm;
    if (result < 0)
        print("%s: %s", text, k42_error_name(result));
    return result;
}

/* The check, inactive, on the file while it is open. */
static bool with_file(const char *name, bool (*check)(file_ref file, fcm_ref fcm)) {
    static node_ref share;
    file_ref file;
    fcm_ref fcm;
    if (!share && p9_attach("share0", 0, &share) < 0)
        return false;
    k42_enter();
    k42_result result = open_file(share, name, &file, &fcm);
    k42_exit();
    if (result < 0)
        return false;
    bool held = check(file, fcm);
    k42_enter();
    result = k42_call(file, release);
    k42_exit();
    return held && result >= 0;
}

/* ---- costs ---- */

/* The whole file, in pieces as cat takes them. Returns how many bytes, or an error. */
static k42_result read_all(file_ref file, char *bytes) {
    uint64_t at = 0;
    for (;;) {
        struct copy copy = copy_of_kernel(bytes, AT_ONCE);
        k42_result result;
        CALL(result, k42_call(file, read, (int64_t)at, &copy));
        if (result <= 0)
            return result < 0 ? result : (k42_result)at;
        at += (uint64_t)result;
    }
}

static uint64_t busy_ns(void) {
    struct sched_cpu_times times;
    sched_cpu_times(0, &times);
    return times.user + times.system;
}

/* Active. */
static bool measure_reading(const char *class_name, file_ref file, fcm_ref fcm, char *bytes) {
    struct fcm_counts before, after;
    struct fcm_usage usage;
    k42_result size = k42_call(fcm, size), result;
    CALL(result, k42_call(fcm, renew, (uint64_t)size));
    if (result < 0 || k42_call(fcm, counts, &before) < 0)
        return false;
    uint64_t begin = busy_ns();
    result = read_all(file, bytes);
    uint64_t took = busy_ns() - begin;
    if (result != size || k42_call(fcm, counts, &after) < 0 || k42_call(fcm, usage, &usage) < 0)
        return false;
    print("%s: %lu instructions a page, %lu requests, %lu waits, %lu of %lu pages stay", class_name,
          took / ((uint64_t)size / PAGE), after.requests - before.requests,
          after.waits - before.waits, usage.present, (uint64_t)size / PAGE);
    return true;
}

static bool measure_classes(file_ref file, fcm_ref fcm) {
    char *bytes = k42_platform_alloc(AT_ONCE);
    bool right = bytes;
    for (unsigned i = 0; i < CLASSES && right; i++) {
        right = swap_to(fcm, class_names[i]);
        k42_enter();
        right = right && measure_reading(class_names[i], file, fcm, bytes);
        k42_exit();
    }
    k42_platform_free(bytes);
    return right && swap_to(fcm, class_names[0]);
}

KERNEL_CHECK(filecosts, a_file_of_the_host_is_read_with_each_class) {
    return with_file("big", measure_classes);
}

/* All pages are there, and stay: they are handed over by pointer. */
static bool measure_swaps(file_ref file, fcm_ref fcm) {
    char *bytes = k42_platform_alloc(AT_ONCE);
    struct fcm_usage usage;
    bool right = bytes;
    if (right) {
        k42_enter();
        right = read_all(file, bytes) > 0;
        k42_exit();
    }
    for (unsigned i = 0; i < 2 * CLASSES && right; i++) {
        const char *name = class_names[(i + 1) % CLASSES];
        uint64_t begin = busy_ns();
        right = swap_to(fcm, name);
        uint64_t took = busy_ns() - begin;
        k42_enter();
        right = right && k42_call(fcm, usage, &usage) >= 0;
        k42_exit();
        print("%s: %lu instructions for a swap to it with %lu pages", name, took, usage.present);
    }
    k42_platform_free(bytes);
    return right && swap_to(fcm, class_names[0]);
}

KERNEL_CHECK(filecosts, a_file_of_many_pages_is_swapped_to_each_class) {
    return with_file("big", measure_swaps);
}

/* A file that is there is read from one end to the other. */
static bool measure_again(const char *class_name, file_ref file, fcm_ref fcm, char *bytes) {
    struct fcm_usage usage;
    enum { TIMES = 1000 };
    k42_result size = read_all(file, bytes), result = size;
    uint64_t begin = busy_ns();
    for (unsigned i = 0; i < TIMES && result == size; i++) {
        struct copy copy = copy_of_kernel(bytes, (size_t)size);
        CALL(result, k42_call(fcm, read, 0, &copy));
    }
    uint64_t took = busy_ns() - begin;
    if (size <= 0 || result != size || k42_call(fcm, usage, &usage) < 0)
        return false;
    print("%s: %lu instructions to read %lu bytes again, %lu pages in memory", class_name,
          took / TIMES, (uint64_t)size, usage.present);
    return true;
}

static bool measure_small(file_ref file, fcm_ref fcm) {
    char *bytes = k42_platform_alloc(AT_ONCE);
    bool right = bytes;
    for (unsigned i = 0; i < CLASSES && right; i++) {
        right = swap_to(fcm, class_names[i]);
        k42_enter();
        right = right && measure_again(class_names[i], file, fcm, bytes);
        k42_exit();
    }
    k42_platform_free(bytes);
    return right && swap_to(fcm, class_names[0]);
}

KERNEL_CHECK(filecosts, a_small_file_that_is_there_is_read_with_each_class) {
    return with_file("small", measure_small);
}

/* ---- swaps under load ---- */

#define PAGES 64u /* of the words; what is behind them is cut off and grows */

static struct crew crew;

struct load {
    fcm_ref fcm;
    uint32_t right;
};

static bool complain(struct load *load, const char *what, uint64_t a, uint64_t b) {
    print("%s: %lu, %lu", what, a, b);
    __atomic_store_n(&load->right, 0, __ATOMIC_RELAXED);
    return false;
}

static k42_result access_word(fcm_ref fcm, uint64_t at, uint64_t *word, bool write) {
    struct copy copy = copy_of_kernel(word, sizeof *word);
    k42_result result;
    k42_enter();
    if (write)
        CALL(result, k42_call(fcm, write, at, &copy, NULL));
    else
        CALL(result, k42_call(fcm, read, at, &copy));
    k42_exit();
    return result;
}

/* Each member has a word of each page, and counts its rounds there. */
static bool use_words(struct load *load, struct member *self) {
    for (uint64_t page = 0; page < PAGES; page++) {
        uint64_t at = page * PAGE + self->number * sizeof(uint64_t), word, next = self->done + 1;
        if (self->done &&
            (access_word(load->fcm, at, &word, false) != sizeof word || word != self->done))
            return complain(load, "a word is not what was written", word, self->done);
        if (access_word(load->fcm, at, &next, true) != sizeof next)
            return complain(load, "a word was not written", page, next);
    }
    return true;
}

/* Cuts the end off at a word, and lets the file grow over it: it is zero then. */
static bool cut_and_grow(struct load *load, struct member *self) {
    uint64_t at = (PAGES + self->done % 7) * PAGE + self->done % 500 * 8, word = 42;
    k42_result result;
    if (access_word(load->fcm, at, &word, true) != sizeof word)
        return complain(load, "the end was not written", at, 0);
    k42_enter();
    CALL(result, k42_call(load->fcm, resize, at));
    if (!result)
        CALL(result, k42_call(load->fcm, resize, 2 * PAGES * PAGE));
    k42_exit();
    if (result || access_word(load->fcm, at, &word, false) != sizeof word || word)
        return complain(load, "what was cut off is", word, (uint64_t)result);
    return true;
}

static bool write_and_give_back(struct load *load) {
    k42_result result;
    k42_enter();
    result = k42_call(load->fcm, give_back, 8);
    if (result >= 0)
        CALL(result, k42_call(load->fcm, sync, 0, PAGES, 0));
    k42_exit();
    return !result || complain(load, "sync returned", (uint64_t)result, 0);
}

/* One that has failed goes on counting, since it is waited for. */
static void work(struct member *self) {
    struct load *load = self->shared;
    bool right = true;
    for (; member_goes_on(self); member_count(self)) {
        if (!right)
            thread_sleep(1000000);
        else if (self->number == 0)
            right = write_and_give_back(load);
        else
            right = self->number == 1 ? cut_and_grow(load, self) : use_words(load, self);
    }
}

static bool swap_under_load(file_ref file, fcm_ref fcm) {
    struct load load = {.fcm = fcm, .right = 1};
    (void)file;
    if (!crew_start(&crew, 2 + 2 * cpu_count(), true, work, &load))
        return false;
    bool swapped = true;
    for (unsigned i = 0;
         i < 2 * CLASSES * CLASSES && __atomic_load_n(&load.right, __ATOMIC_RELAXED) && swapped;
         i++) {
        swapped = swap_to(fcm, class_names[i % 2 ? i / 2 % CLASSES : i / 2 / CLASSES]);
        crew_await(&crew, 1);
    }
    crew_end(&crew);
    return swap_to(fcm, class_names[0]) && swapped && load.right;
}

KERNEL_CHECK(host_caches, words_survive_swaps_from_each_class_to_each) {
    return with_file("big", swap_under_load);
}
