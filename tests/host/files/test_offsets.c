/*
 * Who moves the offset of an open file, and what kind of file it is because of that.
 */
#include "file_test.h"

#include <k42/k42.h>

enum { RECORD = 16, ROUNDS = 3000, THREADS = 3 };

static int is_of(int fd, const char *class_name) {
    char name[48];
    return !strcmp(calls_class_of(fd, name), class_name);
}

/* Until a change that was asked for is over. */
static void assert_becomes(int fd, const char *class_name) {
    for (int n = 0; n < 100 && !is_of(fd, class_name); n++)
        assert_int_equal(k42_swap_flush(), 0);
    assert_true(is_of(fd, class_name));
}

struct mover {
    int fd, copies;
    unsigned number, rounds;
};

/* Records of its number, each with its place among the thread's. */
static void *append(void *argument) {
    struct mover *mover = argument;
    struct task *task = calls_begin_thread("mover", mover->copies);
    unsigned record[RECORD / sizeof(unsigned)] = {mover->number};
    for (unsigned n = 0; n < mover->rounds; n++) {
        record[1] = n;
        calls_expect(CALL(SYS_write, mover->fd, record, RECORD) == RECORD, "a write failed");
    }
    calls_end_thread(task);
    return NULL;
}

static void move_once(int fd, int copies) {
    struct mover mover = {.fd = fd, .copies = copies, .number = 9, .rounds = 1};
    pthread_t thread;
    pthread_create(&thread, NULL, append, &mover);
    pthread_join(thread, NULL);
}

/* All records of all movers, each mover's in its order. */
static void assert_records(int fd, unsigned movers, unsigned rounds) {
    unsigned record[RECORD / sizeof(unsigned)], next[THREADS] = {0};
    for (unsigned n = 0; n < movers * rounds; n++) {
        assert_int_equal(CALL(SYS_pread64, fd, record, RECORD, (long)n * RECORD), RECORD);
        assert_true(record[0] < movers);
        assert_int_equal(record[1], next[record[0]]++);
    }
    assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_CUR), (long)movers * rounds * RECORD);
    assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_END), (long)movers * rounds * RECORD);
}

static void a_second_thread_makes_an_offset_shared(void **unused) {
    (void)unused;
    int fd = make_file("/f", "0123456789abcdef");
    assert_true(is_of(fd, "file.exclusive"));
    move_once(fd, 0);
    assert_true(is_of(fd, "file.shared"));
    assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_CUR), 16 + RECORD);
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/f"), 0);
}

static void *read_at_a_place(void *fd) {
    char text[4];
    struct task *task = calls_begin_thread("reader", 0);
    calls_expect(CALL(SYS_pread64, *(int *)fd, text, 4, 2) == 4, "no bytes");
    calls_end_thread(task);
    return NULL;
}

static void reading_at_a_place_shares_no_offset(void **unused) {
    pthread_t thread;
    (void)unused;
    int fd = make_file("/f", "0123456789");
    pthread_create(&thread, NULL, read_at_a_place, &fd);
    pthread_join(thread, NULL);
    assert_true(is_of(fd, "file.exclusive"));
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/f"), 0);
}

/* One program after the other, as a shell starts them with one output for all. */
static void an_offset_passes_from_thread_to_thread(void **unused) {
    (void)unused;
    int fd = open_file("/f", O_RDWR | O_CREAT);
    for (int n = 0; n < 5; n++)
        move_once(fd, 1);
    assert_true(is_of(fd, "file.exclusive"));
    assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_CUR), 5 * RECORD);
    assert_true(is_of(fd, "file.exclusive"));
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/f"), 0);
}

static void one_who_stays_alone_has_the_offset_for_himself_again(void **unused) {
    (void)unused;
    int fd = make_file("/f", "");
    for (int change = 1; change < 4; change++) {
        move_once(fd, 0);
        assert_true(is_of(fd, "file.shared"));
        int needed = 64 << change;
        for (int n = 0; n < needed / 2; n++)
            assert_true(CALL(SYS_lseek, fd, 0, SEEK_CUR) >= 0);
        assert_int_equal(k42_swap_flush(), 0);
        assert_true(is_of(fd, "file.shared"));
        for (int n = 0; n < needed; n++)
            assert_true(CALL(SYS_lseek, fd, 0, SEEK_CUR) >= 0);
        assert_becomes(fd, "file.exclusive");
    }
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/f"), 0);
}

static void many_move(int fd, unsigned rounds) {
    pthread_t threads[THREADS];
    struct mover movers[THREADS];
    for (unsigned n = 0; n < THREADS; n++) {
        movers[n] = (struct mover){.fd = fd, .copies = n & 1, .number = n, .rounds = rounds};
        pthread_create(&threads[n], NULL, append, &movers[n]);
    }
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
}

static void no_byte_is_lost_between_threads_that_move_one_offset(void **unused) {
    (void)unused;
    int fd = open_file("/f", O_RDWR | O_CREAT);
    many_move(fd, ROUNDS);
    assert_records(fd, THREADS, ROUNDS);
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/f"), 0);
}

static void no_byte_is_lost_while_the_kind_of_file_changes(void **unused) {
    (void)unused;
    int fd = open_file("/f", O_RDWR | O_CREAT);
    storm_begin();
    many_move(fd, ROUNDS / 3);
    assert_true(storm_end() > 0);
    assert_records(fd, THREADS, ROUNDS / 3);
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/f"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_thread_makes_an_offset_shared),
        cmocka_unit_test(reading_at_a_place_shares_no_offset),
        cmocka_unit_test(an_offset_passes_from_thread_to_thread),
        cmocka_unit_test(one_who_stays_alone_has_the_offset_for_himself_again),
        cmocka_unit_test(no_byte_is_lost_between_threads_that_move_one_offset),
        cmocka_unit_test(no_byte_is_lost_while_the_kind_of_file_changes),
    };
    return file_tests_run(tests);
}
