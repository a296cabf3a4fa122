/*
 * The page caches of files under load: readers, writers, programs, eviction, write-back, truncation
 * and swaps between all classes, at once, on a medium that answers late.
 *
 * Each thread owns one word of every page and knows what it last wrote there; so whatever is lost,
 * doubled or torn shows as a wrong word. Loops are counted, nothing is decided by time.
 */
#include "stage.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define THREADS      4u
#define PAGES        64u
#define BLOCK_PAGES  520u /* a block of 2 MiB and some */
#define FEW_PAGES    2u
#define LIMIT        40u
#define BLOCK_LIMIT  1500u
#define FRAMES       (32u << 20 >> FRAME_SHIFT)
#define BYTES(pages) ((uint64_t)(pages)*FRAME_BYTES)

static struct medium medium;
static pm_ref pm;
static fcm_ref fcm;
static uint32_t stop, failures, progress;
static struct space spaces[2];
static uint64_t pages; /* of the file that is used */
static bool is_mapped;

static bool goes_on(void) {
    return !__atomic_load_n(&stop, __ATOMIC_ACQUIRE) &&
           !__atomic_load_n(&failures, __ATOMIC_RELAXED);
}

static void complain(const char *what, uint64_t a, uint64_t b) {
    print_error("%s: %lu, %lu\n", what, a, b);
    __atomic_add_fetch(&failures, 1, __ATOMIC_RELAXED);
}

static uint64_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
    return *seed >> 24;
}

struct worker {
    pthread_t thread;
    void (*work)(struct worker *);
    unsigned number;
    uint64_t words[BLOCK_PAGES]; /* what this thread wrote last */
    uint64_t count;
};

static void *run(void *argument) {
    struct worker *worker = argument;
    stage_attach("worker");
    worker->work(worker);
    if (k42_detach() < 0)
        complain("detach", 0, 0);
    return NULL;
}

static void start(struct worker *worker, void (*work)(struct worker *), unsigned number) {
    *worker = (struct worker){.work = work, .number = number};
    assert_int_equal(pthread_create(&worker->thread, NULL, run, worker), 0);
}

static fcm_ref make_as(struct k42_class *class_, uint64_t size) {
    struct fcm_file file = {.pm = pm, .fr = medium.fr, .size = size};
    k42_ref ref;
    assert_int_equal(k42_create(class_, &file, &ref), 0);
    return (fcm_ref)ref;
}

static fcm_ref make(uint64_t size) {
    return make_as(&fcm_shared, size);
}

static void end(fcm_ref one) {
    assert_int_equal(CALL(one, resize, 0), 0);
    assert_int_equal(k42_destroy((k42_ref)one), 0);
    assert_int_equal(k42_defer_flush(), 0);
}

/* A pinned FCM at its limit has no memory to give: the access is made again later. */
static bool is_done(k42_result result, k42_result expected) {
    if (result != -ENOMEM && result != expected)
        complain("an access returned", (uint64_t)result, (uint64_t)expected);
    return result == expected;
}

/* ---- everything at once ---- */

static void use_words(struct worker *self) {
    uint64_t seed = self->number + 1, value;
    while (goes_on()) {
        uint64_t page = next_random(&seed) % pages, at = BYTES(page) + self->number * 8;
        struct space *space = &spaces[next_random(&seed) % 2];
        bool by_call = !is_mapped || next_random(&seed) % 2;
        if (next_random(&seed) % 2) {
            value = ++self->count;
            if (is_done(by_call ? stage_write(fcm, at, &value, 8) : space_store(space, at, value),
                        by_call ? 8 : 0))
                self->words[page] = value;
        } else if (is_done(by_call ? stage_read(fcm, at, &value, 8) : space_load(space, at, &value),
                           by_call ? 8 : 0) &&
                   value != self->words[page]) {
            complain("a word is not what was written", value, self->words[page]);
        }
        __atomic_add_fetch(&progress, 1, __ATOMIC_RELAXED);
    }
}

static void sync_and_give_back(struct worker *self) {
    (void)self;
    while (goes_on()) {
        k42_result result = CALL(fcm, give_back, 8);
        if (result < 0)
            complain("give_back returned", (uint64_t)result, 0);
        result = CALL(fcm, sync, 0, ~0ul, 1);
        if (result)
            complain("sync returned", (uint64_t)result, 0);
    }
}

/* Behind the others' pages: what was cut off is zero when it comes back. */
static void cut_and_grow(struct worker *self) {
    uint64_t seed = 99, value;
    (void)self;
    while (goes_on()) {
        uint64_t at = BYTES(pages) + next_random(&seed) % BYTES(pages) / 8 * 8;
        uint64_t mark = 42;
        if (!is_done(stage_write(fcm, at, &mark, 8), 8))
            continue;
        if (stage_read(fcm, at, &value, 8) == 8 && value != mark)
            complain("a written word is", value, mark);
        is_done(CALL(fcm, resize, at), 0);
        if (CALL(fcm, size) == (k42_result)at && is_done(CALL(fcm, resize, BYTES(2 * pages)), 0) &&
            stage_read(fcm, at, &value, 8) == 8 && value)
            complain("a word that was cut off is", value, at);
    }
}

static void swap(k42_ref ref, struct k42_class *to) {
    struct k42_swap request = {.ref = ref, .to = to, .deadline_ns = 60000000000ul, .attempts = 8};
    k42_result result = k42_swap_run(&request);
    if (result) {
        print_error("%s\n", request.report.text);
        complain("swap returned", (uint64_t)result, 0);
    }
}

static void await_progress(uint32_t more) {
    uint32_t from = __atomic_load_n(&progress, __ATOMIC_RELAXED);
    while (goes_on() && __atomic_load_n(&progress, __ATOMIC_RELAXED) - from < more)
        sched_yield();
}

/* From each class to each. */
static void swap_to_all(void) {
    static struct k42_class *const pms[] = {&pm_arc, &pm_2q,    &pm_turns, &pm_mru,
                                            &pm_arc, &pm_turns, &pm_clock};
    for (unsigned i = 0; i < 2 * STAGE_CLASSES * STAGE_CLASSES && goes_on(); i++) {
        await_progress(40);
        swap((k42_ref)fcm, stage_classes[i % 2 ? i / 2 % STAGE_CLASSES : i / 2 / STAGE_CLASSES]);
        if (i % 8 == 0)
            swap((k42_ref)pm, pms[i / 8 % (sizeof pms / sizeof *pms)]);
    }
}

/* With blocks that are mapped and come to their end. */
static void swap_to_and_from_blocks(void) {
    for (unsigned i = 0; i < STAGE_CLASSES && goes_on(); i++) {
        await_progress(400);
        swap((k42_ref)fcm, stage_classes[i]);
        await_progress(40);
        swap((k42_ref)fcm, &fcm_large);
    }
}

static void use_a_file(fcm_ref file, uint64_t count, bool mapped, void (*swaps)(void)) {
    static struct worker workers[THREADS + 2];
    stop = 0;
    pages = count;
    is_mapped = mapped;
    fcm = file;
    for (unsigned i = 0; i < 2 && mapped; i++)
        space_open(&spaces[i], fcm);
    for (unsigned i = 0; i < THREADS; i++)
        start(&workers[i], use_words, i);
    start(&workers[THREADS], sync_and_give_back, THREADS);
    start(&workers[THREADS + 1], cut_and_grow, THREADS + 1);
    swaps();
    swap((k42_ref)fcm, &fcm_shared);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < THREADS + 2; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < THREADS; i++)
        for (uint64_t page = 0; page < pages; page++) {
            uint64_t value = ~0ul;
            assert_int_equal(stage_read(fcm, BYTES(page) + i * 8, &value, 8), 8);
            assert_int_equal(value, workers[i].words[page]);
        }
    for (unsigned i = 0; i < 2 && mapped; i++)
        space_close(&spaces[i]);
    end(fcm);
    assert_int_equal(failures, 0);
}

static void words_survive_eviction_write_back_and_swaps(void **state) {
    (void)state;
    use_a_file(make(BYTES(PAGES)), PAGES, true, swap_to_all);
}

static void words_of_a_small_file_survive_the_same(void **state) {
    (void)state;
    use_a_file(make(BYTES(FEW_PAGES)), FEW_PAGES, true, swap_to_all);
    use_a_file(make(BYTES(FEW_PAGES)), FEW_PAGES, false, swap_to_all);
}

/* A block that has come to its end is not made again: many files. */
static void words_of_blocks_survive_the_same(void **state) {
    (void)state;
    assert_int_equal(CALL(pm, limit, BLOCK_LIMIT), 0);
    for (unsigned round = 0; round < 6; round++) {
        uint64_t size = BYTES(BLOCK_PAGES);
        use_a_file(make_as(&fcm_large, size), BLOCK_PAGES, round % 3, swap_to_and_from_blocks);
        assert_int_equal(CALL((fr_ref)medium.fr, resize, 0), 0);
    }
}

/* ---- appending ---- */

#define RECORDS 400u

static void append(struct worker *self) {
    for (uint64_t i = 0; i < RECORDS && goes_on();) {
        uint64_t record[3] = {self->number, i, self->number ^ i};
        struct copy copy = copy_of_kernel(record, sizeof record);
        i += is_done(CALL(fcm, write, FCM_APPEND, &copy, NULL), sizeof record);
        __atomic_add_fetch(&progress, 1, __ATOMIC_RELAXED);
    }
}

static void appended_records_are_all_there_once_and_in_order(void **state) {
    (void)state;
    static struct worker workers[THREADS];
    static struct k42_class *const classes[] = {&fcm_plain, &fcm_shared};
    stop = 0;
    fcm = make(0);
    for (unsigned i = 0; i < THREADS; i++)
        start(&workers[i], append, i);
    for (unsigned i = 0; i < 6; i++) {
        swap((k42_ref)fcm, classes[i % 2]);
        sched_yield();
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    uint64_t next[THREADS] = {0}, record[3];
    assert_int_equal(CALL(fcm, size), THREADS * RECORDS * sizeof record);
    for (uint64_t i = 0; i < THREADS * RECORDS; i++) {
        assert_int_equal(stage_read(fcm, i * sizeof record, record, sizeof record), sizeof record);
        assert_in_range(record[0], 0, THREADS - 1);
        assert_int_equal(record[1], next[record[0]]++);
        assert_int_equal(record[2], record[0] ^ record[1]);
    }
    end(fcm);
    assert_int_equal(failures, 0);
}

/* ---- syncing ---- */

static void keep_writing(struct worker *self) {
    for (uint64_t i = 0; goes_on(); i++)
        is_done(space_store(&spaces[0], BYTES(i % 16) + self->number * 8, i), 0);
}

static void a_sync_ends_although_writers_do_not(void **state) {
    (void)state;
    static struct worker workers[2];
    stop = 0;
    fcm = make(BYTES(16));
    space_open(&spaces[0], fcm);
    for (unsigned i = 0; i < 2; i++)
        start(&workers[i], keep_writing, i);
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(CALL(fcm, sync, 0, 16, 1), 0);
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(workers[i].thread, NULL);
    space_close(&spaces[0]);
    end(fcm);
    assert_int_equal(failures, 0);
}

static uint64_t used_before;

static int begin_test(void **state) {
    (void)state;
    used_before = stage_frames_used();
    medium = (struct medium){.late = true};
    medium_open(&medium);
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, LIMIT, &below), 0);
    pm = (pm_ref)below;
    return 0;
}

static int end_test(void **state) {
    (void)state;
    medium_close(&medium);
    if (k42_destroy((k42_ref)pm) < 0 || stage_frames_used() != used_before)
        print_error("%lu frames are in use, %lu were\n", stage_frames_used(), used_before);
    return stage_frames_used() != used_before;
}

#define TEST(statement) cmocka_unit_test_setup_teardown(statement, begin_test, end_test)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(words_survive_eviction_write_back_and_swaps),
        TEST(words_of_a_small_file_survive_the_same),
        TEST(words_of_blocks_survive_the_same),
        TEST(appended_records_are_all_there_once_and_in_order),
        TEST(a_sync_ends_although_writers_do_not),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    stage_open_with(FRAMES);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
