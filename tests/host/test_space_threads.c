/*
 * Address spaces under several threads, and under swaps: no thread loses what it wrote, reads what
 * another address space wrote, or reaches what it has unmapped, while others map, unmap, protect
 * and fork in the same space, file pages leave, and objects are exchanged for others of their kind.
 */
#include "paging_fixture.h"

#include <pthread.h>
#include <sched.h>

#include "../../kernel/mem/hat/hat.h"
#include "../../kernel/mem/region/region.h"

#define BASE    0x10000000ul
#define THREADS 3u
#define WORDS   24u /* pages in which each thread has a word */
#define SLOTS   8u  /* pieces of address space of each thread's own */
#define SLOT    (8 * PAGE)
#define ROUNDS  400u /* or what K42_SPACE_ROUNDS says */

static unsigned rounds = ROUNDS;
static space_ref shared_space;
static k42_ref shared_file, file_of_blocks;
static uintptr_t shared_blocks;
static uint32_t stop;

struct worker {
    pthread_t thread;
    uint32_t cpu;
    unsigned random;
    uint64_t words[WORDS];
    bool mapped[SLOTS], of_file[SLOTS];
    uint64_t values[SLOTS]; /* in page 1 of each */
};

static unsigned below(struct worker *worker, unsigned limit) {
    worker->random = worker->random * 1103515245 + 12345;
    return (worker->random >> 8) % limit;
}

static uintptr_t word_at(const struct worker *worker, unsigned n) {
    return BASE + n * PAGE + worker->cpu * sizeof(uint64_t);
}

/* All slots of all threads lie in few leaves, side by side. */
static uintptr_t slot_at(const struct worker *worker, unsigned n) {
    return BASE + (1 + n * THREADS + worker->cpu - 1) * 32 * PAGE;
}

static void check(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void words_are(struct worker *worker, space_ref space) {
    for (unsigned n = 0; n < WORDS; n++) {
        uint64_t value = 0;
        check(program_read(space, word_at(worker, n), &value) == 0, "a word is not mapped");
        check(value == worker->words[n], "a word is another one");
    }
}

static void do_words(struct worker *worker) {
    for (unsigned round = 0; round < 20; round++) {
        unsigned n = below(worker, WORDS);
        worker->words[n]++;
        check(program_write(shared_space, word_at(worker, n), worker->words[n]) == 0,
              "a word cannot be written");
    }
    words_are(worker, shared_space);
}

static void slot_is(struct worker *worker, space_ref space, unsigned n) {
    uint64_t value = 0;
    k42_result result = program_read(space, slot_at(worker, n) + PAGE, &value);
    check(result == (worker->mapped[n] ? 0 : -EFAULT), "a slot is not what it should be");
    check(result < 0 || value == worker->values[n], "a slot has another value");
}

static void do_slot(struct worker *worker) {
    unsigned n = below(worker, SLOTS);
    uintptr_t at = slot_at(worker, n);
    slot_is(worker, shared_space, n);
    if (!worker->mapped[n]) {
        worker->of_file[n] = below(worker, 2);
        struct space_request request = {.address = at,
                                        .length = SLOT,
                                        .protection = SPACE_READ | SPACE_WRITE,
                                        .most = SPACE_ALL,
                                        .flags = SPACE_FIXED,
                                        .fcm = worker->of_file[n] ? shared_file : K42_NULL_REF,
                                        .first = n};
        check(program_map(shared_space, &request).result == 0, "a slot cannot be mapped");
        worker->mapped[n] = true;
        worker->values[n] = worker->of_file[n] ? file_word(n + 1) : 0;
    } else if (below(worker, 2)) {
        check(program_unmap(shared_space, at, SLOT) == 0, "a slot cannot be unmapped");
        worker->mapped[n] = false;
    } else {
        worker->values[n] = below(worker, 1000);
        check(program_write(shared_space, at + PAGE, worker->values[n]) == 0,
              "a slot cannot be written");
    }
    slot_is(worker, shared_space, n);
}

static void do_protect(struct worker *worker) {
    unsigned n = below(worker, SLOTS);
    uintptr_t at = slot_at(worker, n);
    if (!worker->mapped[n])
        return;
    check(program_protect(shared_space, at, 2 * PAGE, SPACE_READ) == 0, "cannot protect");
    check(program_write(shared_space, at + PAGE, 1) == -EACCES, "protection lets a write through");
    check(program_protect(shared_space, at, 2 * PAGE, SPACE_READ | SPACE_WRITE) == 0,
          "cannot allow");
    slot_is(worker, shared_space, n);
}

static void do_fork(struct worker *worker) {
    space_ref child = program_fork(shared_space);
    words_are(worker, child);
    for (unsigned n = 0; n < SLOTS; n++)
        slot_is(worker, child, n);
    for (unsigned n = 0; n < WORDS; n += 5)
        check(program_write(child, word_at(worker, n), ~0ul) == 0, "a child cannot write");
    words_are(worker, shared_space);
    do_words(worker);
    fixture_end_space(child);
}

static void do_evict(struct worker *worker) {
    fixture_file_evict(shared_file, below(worker, 16));
}

/* All look at the same blocks, from which pages are taken away. */
static void do_blocks(struct worker *worker) {
    for (unsigned round = 0; round < 20; round++) {
        unsigned page = below(worker, FILE_PAGES);
        uint64_t value = 0;
        check(program_read(shared_space, shared_blocks + page * PAGE, &value) == 0,
              "a page of a block cannot be read");
        check(value == file_word(page), "a page of a block is another one");
    }
    fixture_file_evict(file_of_blocks, below(worker, FILE_PAGES));
}

/* Objects are to be swapped so often while they are in use, and the workers go on until they were.
 */
static uint64_t swapped, swaps_awaited;

static bool are_swaps_awaited(void) {
    return __atomic_load_n(&swapped, __ATOMIC_RELAXED) < swaps_awaited;
}

static void *work(void *argument) {
    static void (*const acts[])(struct worker *) = {
        do_words, do_words, do_slot, do_slot, do_slot, do_protect, do_fork, do_evict, do_blocks};
    struct worker *worker = argument;
    machine_this_cpu = worker->cpu;
    check(k42_attach("worker") == 0, "cannot attach");
    for (unsigned round = 0; round < rounds || are_swaps_awaited(); round++)
        acts[below(worker, sizeof acts / sizeof *acts)](worker);
    check(k42_detach() == 0, "cannot detach");
    return NULL;
}

static void run_workers(void) {
    struct worker workers[THREADS] = {0};
    shared_space = fixture_space();
    shared_file = fixture_file();
    program_map_memory(shared_space, BASE, 24 * PAGE, 0);
    file_of_blocks = fixture_file_of_blocks();
    struct space_request request = {.length = FILE_PAGES * PAGE,
                                    .protection = SPACE_READ,
                                    .most = SPACE_READ,
                                    .fcm = file_of_blocks};
    shared_blocks = program_map(shared_space, &request).word;
    for (unsigned n = 0; n < THREADS; n++) {
        workers[n].cpu = n + 1;
        workers[n].random = n + 1;
        check(!pthread_create(&workers[n].thread, NULL, work, &workers[n]), "no thread");
    }
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(workers[n].thread, NULL);
}

static void end_workers(void) {
    fixture_end_space(shared_space);
    fixture_settle();
    assert_int_equal(fixture_attachments(shared_file), 0);
    assert_int_equal(k42_destroy(shared_file), 0);
    assert_int_equal(fixture_attachments(file_of_blocks), 0);
    assert_int_equal(k42_destroy(file_of_blocks), 0);
}

static void threads_of_one_program_do_not_disturb_each_other(void **state) {
    (void)state;
    run_workers();
    end_workers();
}

/* ---- a range that goes while it is touched ---- */

static uintptr_t touched;

static void *touch(void *argument) {
    uint64_t *faults = argument;
    machine_this_cpu = 2;
    check(k42_attach("toucher") == 0, "cannot attach");
    for (unsigned n = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); n++)
        *faults += program_write(shared_space, touched + n % 4 * PAGE, 1) < 0;
    check(k42_detach() == 0, "cannot detach");
    return NULL;
}

/* What is mapped there next is read-only: nobody can have written to it. */
static void nothing_is_left_of_a_range_that_was_unmapped_under_faults(void **state) {
    (void)state;
    pthread_t toucher;
    uint64_t faults = 0, value;
    struct space_request request = {.address = BASE,
                                    .length = 4 * PAGE,
                                    .protection = SPACE_READ,
                                    .most = SPACE_ALL,
                                    .flags = SPACE_FIXED};
    touched = BASE;
    shared_space = fixture_space();
    machine_this_cpu = 1;
    assert_int_equal(pthread_create(&toucher, NULL, touch, &faults), 0);
    for (unsigned round = 0; round < rounds * 10; round++) {
        program_map_memory(shared_space, BASE, 4 * PAGE, 0);
        while (round % 64 == 0 && program_read(shared_space, BASE, &value) == 0 && value == 0)
            sched_yield();
        assert_int_equal(program_unmap(shared_space, BASE, 4 * PAGE), 0);
        assert_int_equal(program_map(shared_space, &request).result, 0);
        for (unsigned page = 0; page < 4; page++) {
            assert_int_equal(program_read(shared_space, BASE + page * PAGE, &value), 0);
            assert_int_equal(value, 0);
        }
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(toucher, NULL);
    stop = 0;
    machine_this_cpu = 0;
    assert_true(faults > 0);
    fixture_end_space(shared_space);
}

/* ---- pages that go out ---- */

static uint64_t sent;

static void *relieve(void *unused) {
    machine_this_cpu = THREADS + 1;
    check(k42_attach("relief") == 0, "cannot attach");
    for (unsigned n = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); n++) {
        __atomic_add_fetch(&sent, fixture_page_out(16), __ATOMIC_RELAXED);
        k42_enter();
        (void)swap_give_back(n % 32);
        k42_exit();
    }
    check(k42_detach() == 0, "cannot detach");
    return unused;
}

static void no_word_is_lost_while_pages_go_out_and_come_back(void **state) {
    (void)state;
    pthread_t relief;
    fixture_swap_on(4096);
    assert_int_equal(pthread_create(&relief, NULL, relieve, NULL), 0);
    run_workers();
    while (__atomic_load_n(&sent, __ATOMIC_RELAXED) <= 100) { /* a busy host ran them one by one */
        end_workers();
        run_workers();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(relief, NULL);
    stop = 0;
    end_workers();
    k42_enter();
    (void)swap_give_back(0);
    k42_exit();
    assert_int_equal(fixture_swap_used(), 0);
    fixture_swap_off();
}

/* ---- swaps ---- */

static long swap_one(const struct k42_object_info *info, void *context) {
    struct k42_class *to = k42_class_find(info->class_name);
    struct k42_swap request = {
        .ref = k42_id_ref(info->id), .to = to, .deadline_ns = 2000000000, .attempts = 2};
    (void)context;
    k42_result result = k42_swap_run(&request);
    if (result == 0)
        __atomic_add_fetch(&swapped, 1, __ATOMIC_RELAXED);
    else if (result != -K42_STALE && result != -ETIMEDOUT && result != -EBUSY)
        fprintf(stderr, "%s: %s\n", info->class_name, request.report.text);
    return __atomic_load_n(&stop, __ATOMIC_ACQUIRE);
}

static void *swap_all(void *unused) {
    static const struct k42_interface *const interfaces[] = {&space_interface, &hat_interface,
                                                             &region_interface};
    machine_this_cpu = THREADS + 1;
    check(k42_attach("swapper") == 0, "cannot attach");
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        for (unsigned n = 0; n < 3; n++)
            (void)k42_each_object(interfaces[n], swap_one, NULL);
    check(k42_detach() == 0, "cannot detach");
    return unused;
}

static void nobody_notices_when_spaces_hats_and_regions_are_swapped(void **state) {
    (void)state;
    pthread_t swapper;
    assert_int_equal(pthread_create(&swapper, NULL, swap_all, NULL), 0);
    swaps_awaited = 11;
    run_workers();
    __atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
    pthread_join(swapper, NULL);
    assert_true(swapped > 10);
    end_workers();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(threads_of_one_program_do_not_disturb_each_other,
                                        fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_a_range_that_was_unmapped_under_faults,
                                        fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(no_word_is_lost_while_pages_go_out_and_come_back,
                                        fixture_begin, fixture_end),
        cmocka_unit_test_setup_teardown(nobody_notices_when_spaces_hats_and_regions_are_swapped,
                                        fixture_begin, fixture_end),
    };
    if (getenv("K42_SPACE_ROUNDS"))
        rounds = (unsigned)atoi(getenv("K42_SPACE_ROUNDS"));
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
