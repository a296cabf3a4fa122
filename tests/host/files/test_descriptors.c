/*
 * Descriptors, the locks that belong to them, bytes that go from one to another, and how many may.
 */
#include "file_test.h"

static void descriptors_are_the_lowest_and_close_on_exec(void **unused) {
    (void)unused;
    int a = open_file("/", O_RDONLY), b = open_file("/", O_RDONLY | O_CLOEXEC);
    assert_int_equal(b, a + 1);
    assert_int_equal(CALL(SYS_fcntl, b, F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(CALL(SYS_fcntl, a, F_DUPFD, 500), 500);
    assert_int_equal(CALL(SYS_fcntl, a, F_DUPFD, 1024), -EINVAL);
    assert_int_equal(CALL(SYS_dup2, a, 1024), -EBADF);
    assert_int_equal(CALL(SYS_dup3, a, 600, O_CLOEXEC), 600);
    close_file(a);
    assert_int_equal(CALL(SYS_dup, b), a);
    assert_int_equal(CALL(SYS_close_range, a, 599, 0), 0);
    assert_int_equal(CALL(SYS_fcntl, b, F_GETFD, 0), -EBADF);
    assert_int_equal(CALL(SYS_fcntl, 600, F_GETFD, 0), FD_CLOEXEC);
    close_file(600);
    int first = a;
    for (;;) {
        int fd = open_file("/", O_RDONLY);
        if (fd == -EMFILE)
            break;
        assert_true(fd >= 0);
    }
    assert_int_equal(CALL(SYS_fcntl, 1023, F_GETFD, 0), 0);
    assert_int_equal(CALL(SYS_close_range, first, ~0u, 0), 0);
}

static void locks_of_two_files_exclude_each_other(void **unused) {
    (void)unused;
    int one = make_file("/lock", "0123456789"), two = open_file("/lock", O_RDWR);
    struct flock write = {.l_type = F_WRLCK, .l_start = 2, .l_len = 4};
    struct flock ask = {.l_type = F_RDLCK, .l_start = 5, .l_len = 1};
    struct flock none = {.l_type = F_UNLCK, .l_start = 3, .l_len = 1};
    assert_int_equal(CALL(SYS_fcntl, one, F_OFD_SETLK, &write), 0);
    assert_int_equal(CALL(SYS_fcntl, two, F_OFD_SETLK, &ask), -EAGAIN);
    assert_int_equal(CALL(SYS_fcntl, two, F_OFD_GETLK, &ask), 0);
    assert_int_equal(ask.l_type, F_WRLCK);
    assert_int_equal(ask.l_start, 2);
    assert_int_equal(ask.l_len, 4);
    assert_int_equal(CALL(SYS_fcntl, one, F_OFD_SETLK, &none), 0);
    struct flock gap = {.l_type = F_WRLCK, .l_start = 3, .l_len = 1};
    assert_int_equal(CALL(SYS_fcntl, two, F_OFD_SETLK, &gap), 0);
    assert_int_equal(CALL(SYS_flock, one, LOCK_EX), 0);
    assert_int_equal(CALL(SYS_flock, two, LOCK_SH | LOCK_NB), -EAGAIN);
    close_file(one);
    assert_int_equal(CALL(SYS_flock, two, LOCK_SH | LOCK_NB), 0);
    assert_int_equal(CALL(SYS_fcntl, two, F_OFD_SETLK, &write), 0);
    close_file(two);
    assert_int_equal(CALL(SYS_unlink, "/lock"), 0);
}

static void bytes_go_from_file_to_file(void **unused) {
    int pipe[2];
    (void)unused;
    int from = make_file("/from", "abcdefghij"), to = open_file("/to", O_RDWR | O_CREAT);
    int64_t offset = 2;
    assert_int_equal(CALL(SYS_sendfile, to, from, &offset, 3), 3);
    assert_int_equal(offset, 5);
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    assert_int_equal(CALL(SYS_splice, from, &offset, pipe[1], 0, 4, 0), 4);
    assert_int_equal(CALL(SYS_splice, pipe[0], 0, to, 0, 10, 0), 4);
    assert_text("/to", "cdefghi");
    close_file(pipe[0]);
    close_file(pipe[1]);
    close_file(from);
    close_file(to);
    CALL(SYS_unlink, "/from");
    CALL(SYS_unlink, "/to");
}

static void a_limit_of_length_holds_in_every_call_that_writes(void **unused) {
    static char bytes[3000];
    struct stat stat;
    (void)unused;
    int fd = open_file("/limited", O_RDWR | O_CREAT), from = make_file("/from", "some bytes");
    int last = open_file("/limited", O_RDWR | O_APPEND);
    unsigned signals = calls_signals;
    calls_limit_files(5000);
    assert_int_equal(CALL(SYS_write, fd, bytes, 3000), 3000);
    assert_int_equal(CALL(SYS_write, last, bytes, 3000), 2000);
    assert_int_equal(calls_signals, signals);
    assert_int_equal(CALL(SYS_write, last, bytes, 1), -EFBIG);
    assert_int_equal(CALL(SYS_pwrite64, fd, bytes, 1, 5000), -EFBIG);
    assert_int_equal(CALL(SYS_ftruncate, fd, 5001), -EFBIG);
    assert_int_equal(CALL(SYS_truncate, "/limited", 5001), -EFBIG);
    assert_int_equal(CALL(SYS_fallocate, fd, 0, 4000, 1001), -EFBIG);
    assert_int_equal(CALL(SYS_lseek, from, 0, SEEK_SET), 0);
    assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_END), 5000);
    assert_int_equal(CALL(SYS_sendfile, fd, from, 0, 10), -EFBIG);
    assert_int_equal(CALL(SYS_sendfile, last, from, 0, 10), -EINVAL); /* nowhere but at the end */
    assert_int_equal(calls_signals, signals + 6);
    assert_int_equal(CALL(SYS_lseek, from, 0, SEEK_CUR), 0);
    assert_int_equal(CALL(SYS_fstat, fd, &stat), 0);
    assert_int_equal(stat.st_size, 5000);
    assert_int_equal(CALL(SYS_ftruncate, fd, 5000), 0);
    assert_int_equal(CALL(SYS_write, last, bytes, 0), 0);
    assert_int_equal(calls_signals, signals + 6);
    calls_limit_files(~0ul);
    assert_int_equal(CALL(SYS_write, last, bytes, 1), 1);
    close_file(fd);
    close_file(from);
    close_file(last);
    assert_int_equal(CALL(SYS_unlink, "/limited"), 0);
    assert_int_equal(CALL(SYS_unlink, "/from"), 0);
}

/* Across the pieces that long calls are made of, in ranges that have nothing to do with those. */
static void long_transfers_are_complete(void **unused) {
    enum { LONG = 7 << 20, RANGES = 9 };
    struct iovec ranges[RANGES];
    size_t lengths[RANGES] = {1, 0, (2 << 20) - 1, 0, 3, 2 << 20, 1000003, 5, LONG};
    char *out = malloc(LONG), *in = malloc(LONG), *at = in;
    (void)unused;
    for (size_t n = 0; n < LONG; n++)
        out[n] = (char)(n * 7 + n / 4096);
    int fd = open_file("/long", O_RDWR | O_CREAT);
    assert_int_equal(CALL(SYS_write, fd, out, LONG), LONG);
    assert_int_equal(CALL(SYS_lseek, fd, 0, SEEK_SET), 0);
    assert_int_equal(CALL(SYS_read, fd, in, LONG), LONG);
    assert_memory_equal(in, out, LONG);
    memset(in, 0, LONG);
    for (unsigned n = 0; n < RANGES; at += ranges[n++].iov_len)
        ranges[n] = (struct iovec){at, n < RANGES - 1 ? lengths[n] : (size_t)(in + LONG - at)};
    assert_int_equal(CALL(SYS_preadv, fd, ranges, RANGES, 0), LONG);
    assert_memory_equal(in, out, LONG);
    assert_int_equal(CALL(SYS_ftruncate, fd, 0), 0);
    assert_int_equal(CALL(SYS_pwritev, fd, ranges, RANGES, 1), LONG);
    assert_int_equal(CALL(SYS_pread64, fd, in, LONG, 1), LONG);
    assert_memory_equal(in, out, LONG);
    calls_limit_files(5 << 20);
    unsigned signals = calls_signals;
    assert_int_equal(CALL(SYS_pwritev, fd, ranges, RANGES, 0), 5 << 20);
    assert_int_equal(calls_signals, signals);
    calls_limit_files(~0ul);
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/long"), 0);
    free(out);
    free(in);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_the_lowest_and_close_on_exec),
        cmocka_unit_test(locks_of_two_files_exclude_each_other),
        cmocka_unit_test(bytes_go_from_file_to_file),
        cmocka_unit_test(a_limit_of_length_holds_in_every_call_that_writes),
        cmocka_unit_test(long_transfers_are_complete),
    };
    return file_tests_run(tests);
}
