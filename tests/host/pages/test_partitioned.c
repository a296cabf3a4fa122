/*
 * Pages that CPUs keep: whoever wants them gone or written has them, and readers lose nothing.
 *
 * The last test also says what reading costs one thread and two, of a shared cache and of a
 * partitioned one; that decides nothing.
 */
#include "file_test.h"

#include <pthread.h>
#include <time.h>

enum { PAGES = 16, READS = 200000 };

static fcm_ref make_read(void) {
    file_class = &fcm_partitioned;
    fcm_ref fcm = file_make_on_medium(BYTES(PAGES));
    for (uint64_t page = 0; page < PAGES; page++)
        file_put_word(fcm, BYTES(page), page + 1);
    assert_int_equal(CALL(fcm, sync, 0, PAGES, 0), 0);
    for (unsigned round = 0; round < 2; round++)
        for (uint64_t page = 0; page < PAGES; page++)
            assert_int_equal(file_word(fcm, BYTES(page)), page + 1);
    return fcm;
}

static void pages_that_are_kept_are_given_back_and_cut_off_at_once(void **state) {
    (void)state;
    fcm_ref fcm = make_read();
    k42_result freed = 0;
    for (unsigned round = 0; round < 3; round++)
        freed += CALL(fcm, give_back, 100);
    assert_int_equal(freed, PAGES);
    for (uint64_t page = 0; page < PAGES; page++)
        assert_int_equal(file_word(fcm, BYTES(page)), page + 1);
    assert_int_equal(TRY(fcm, resize, BYTES(2)), 0);
    assert_int_equal(file_word(fcm, BYTES(1)), 2);
    assert_int_equal(TRY(fcm, punch, 0, BYTES(1)), 0);
    assert_int_equal(file_word(fcm, 0), 0);
    file_end(fcm);
}

static void a_page_that_was_kept_is_written_back_when_it_is_dirty(void **state) {
    (void)state;
    fcm_ref fcm = make_read();
    for (uint64_t round = 1; round < 4; round++) {
        file_put_word(fcm, BYTES(3), round * 10);
        assert_int_equal(file_word(fcm, BYTES(3)), round * 10);
        if (round % 2)
            assert_int_equal(TRY(fcm, sync, 0, PAGES, 0), 0);
        else
            assert_int_equal(CALL(fcm, give_back, 0), 0);
        assert_int_equal(medium_word(&file_medium, 3, 0), round * 10);
        assert_int_equal(file_word(fcm, BYTES(3)), round * 10);
    }
    file_end(fcm);
}

static void more_pages_than_a_cpu_keeps_take_each_others_place(void **state) {
    (void)state;
    file_class = &fcm_partitioned;
    fcm_ref fcm = file_make_on_medium(BYTES(300));
    for (unsigned round = 0; round < 3; round++)
        for (uint64_t page = 0; page < 300; page += round + 1)
            assert_int_equal(file_word(fcm, BYTES(page)), 0);
    assert_int_equal(file_usage(fcm).held, 0);
    k42_result freed = 0;
    for (unsigned round = 0; round < 8; round++)
        freed += CALL(fcm, give_back, 300);
    assert_int_equal(freed, 300);
    file_end(fcm);
}

/* ---- threads ---- */

struct reader {
    pthread_t thread;
    fcm_ref fcm;
    uint64_t wrong, took_ns;
    bool alone; /* nobody else does anything meanwhile */
};

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000ul + (uint64_t)now.tv_nsec;
}

static void *read_words(void *argument) {
    struct reader *reader = argument;
    stage_attach("reader");
    uint64_t begin = now_ns();
    for (uint64_t i = 0; i < (reader->alone ? READS : READS / 10); i++) {
        uint64_t page = i % 4, word = 0;
        reader->wrong += stage_read(reader->fcm, BYTES(page), &word, sizeof word) != sizeof word ||
                         word != page + 1;
    }
    reader->took_ns = now_ns() - begin;
    if (k42_detach() < 0)
        stage_die("a reader cannot detach");
    return NULL;
}

static void start(struct reader *readers, unsigned count, fcm_ref fcm, bool alone) {
    for (unsigned i = 0; i < count; i++) {
        readers[i] = (struct reader){.fcm = fcm, .alone = alone};
        assert_int_equal(pthread_create(&readers[i].thread, NULL, read_words, &readers[i]), 0);
    }
}

/* Returns the mean ns of a read. */
static uint64_t end(struct reader *readers, unsigned count) {
    uint64_t took = 0, wrong = 0;
    for (unsigned i = 0; i < count; i++) {
        pthread_join(readers[i].thread, NULL);
        took += readers[i].took_ns;
        wrong += readers[i].wrong;
    }
    assert_int_equal(wrong, 0);
    return took / READS / count;
}

static void readers_of_the_same_pages_are_right_while_these_come_and_go(void **state) {
    (void)state;
    struct reader readers[3];
    file_medium.late = true;
    fcm_ref fcm = make_read();
    start(readers, 3, fcm, false);
    for (uint64_t round = 0; round < 200; round++) {
        file_put_word(fcm, BYTES(round % 4) + 8, round);
        assert_int_equal(CALL(fcm, sync, 0, PAGES, 0), 0);
        assert_true(CALL(fcm, give_back, 4) >= 0);
        if (round % 10 == 0)
            assert_int_equal(CALL(fcm, resize, BYTES(4 + round / 10 % 4)), 0);
    }
    (void)end(readers, 3);
    file_end(fcm);
}

static void every_class_is_right_for_two_who_read_the_same(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        struct reader readers[2];
        fcm_ref fcm = make_read();
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        start(readers, 1, fcm, true);
        uint64_t one = end(readers, 1);
        start(readers, 2, fcm, true);
        print_message("%s: %lu ns a read, %lu when two do\n", stage_classes[i]->name, one,
                      end(readers, 2));
        file_end(fcm);
    }
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(pages_that_are_kept_are_given_back_and_cut_off_at_once),
        FILE_TEST(a_page_that_was_kept_is_written_back_when_it_is_dirty),
        FILE_TEST(more_pages_than_a_cpu_keeps_take_each_others_place),
        FILE_TEST(readers_of_the_same_pages_are_right_while_these_come_and_go),
        FILE_TEST(every_class_is_right_for_two_who_read_the_same),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
