/*
 * Pipes and FIFOs: order, atomic writes, ends that are gone, threads that wait for one another.
 */
#include "file_test.h"

#include "copy.h"
#include "fs/file.h"
#include "fs/pipe/pipe.h"

#include <k42/k42.h>

static void a_pipe_carries_bytes_in_order(void **unused) {
    static char out[5000], in[5000];
    int pipe[2];
    (void)unused;
    assert_int_equal(CALL(SYS_pipe2, pipe, O_NONBLOCK), 0);
    unsigned next = 0, expected = 0;
    for (int turn = 0; turn < 200; turn++) {
        for (unsigned n = 0; n < sizeof out; n++)
            out[n] = (char)(next + n);
        long put = CALL(SYS_write, pipe[1], out, (unsigned)(turn * 37) % sizeof out);
        next += put > 0 ? (unsigned)put : 0;
        long got = CALL(SYS_read, pipe[0], in, (unsigned)(turn * 61) % sizeof in);
        for (long n = 0; n < got; n++)
            assert_int_equal((unsigned char)in[n], (unsigned char)expected++);
    }
    close_file(pipe[0]);
    close_file(pipe[1]);
}

static void a_full_pipe_takes_no_more_and_an_ended_one_says_so(void **unused) {
    static char bytes[70000];
    int pipe[2], left;
    (void)unused;
    assert_int_equal(CALL(SYS_pipe2, pipe, O_NONBLOCK), 0);
    assert_int_equal(CALL(SYS_read, pipe[0], bytes, 1), -EAGAIN);
    assert_int_equal(CALL(SYS_write, pipe[1], bytes, sizeof bytes), 65536);
    assert_int_equal(CALL(SYS_write, pipe[1], bytes, 1), -EAGAIN);
    assert_int_equal(CALL(SYS_ioctl, pipe[0], 0x541b, &left), 0);
    assert_int_equal(left, 65536);
    assert_int_equal(CALL(SYS_fcntl, pipe[1], F_GETPIPE_SZ, 0), 65536);
    assert_int_equal(CALL(SYS_fcntl, pipe[1], F_SETPIPE_SZ, 4096), -EBUSY);
    assert_int_equal(CALL(SYS_fcntl, pipe[1], F_SETPIPE_SZ, 100000), 131072);
    assert_int_equal(CALL(SYS_write, pipe[1], bytes, sizeof bytes), 65536);
    assert_int_equal(CALL(SYS_read, pipe[0], bytes, 4096), 4096);
    /* Less than an atomic write's worth goes in as a whole or not at all. */
    assert_int_equal(CALL(SYS_write, pipe[1], bytes, 4000), 4000);
    assert_int_equal(CALL(SYS_write, pipe[1], bytes, 4000), -EAGAIN);
    close_file(pipe[1]);
    for (long got, all = 0;; all += got) {
        got = CALL(SYS_read, pipe[0], bytes, sizeof bytes);
        assert_true(got >= 0);
        if (got)
            continue;
        assert_int_equal(all, 131072 - 96);
        break;
    }
    close_file(pipe[0]);
}

static void writing_to_nobody_is_a_broken_pipe(void **unused) {
    int pipe[2];
    (void)unused;
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    close_file(pipe[0]);
    unsigned before = calls_signals;
    assert_int_equal(CALL(SYS_write, pipe[1], "x", 1), -EPIPE);
    assert_int_equal(calls_signals, before + 1);
    close_file(pipe[1]);
}

/* One thread's work on a pipe of the first task. */
struct end {
    int fd;
    unsigned long bytes, sum;
};

static void *write_much(void *argument) {
    struct end *end = argument;
    struct task *task = calls_begin_thread("writer", 0);
    static __thread char bytes[20000];
    unsigned long seed = 1;
    for (unsigned long done = 0; done < end->bytes;) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        unsigned long size = (seed >> 33) % sizeof bytes + 1;
        size = size < end->bytes - done ? size : end->bytes - done;
        for (unsigned long n = 0; n < size; n++)
            end->sum += (unsigned char)(bytes[n] = (char)(seed + n));
        long put = CALL(SYS_write, end->fd, bytes, size);
        calls_expect(put == (long)size, "a blocking write was short");
        done += size;
    }
    calls_end_thread(task);
    return NULL;
}

static void *read_much(void *argument) {
    struct end *end = argument;
    struct task *task = calls_begin_thread("reader", 0);
    static __thread char bytes[9000];
    unsigned long seed = 7;
    for (;;) {
        seed = seed * 6364136223846793005ul + 1442695040888963407ul;
        long got = CALL(SYS_read, end->fd, bytes, (seed >> 33) % sizeof bytes + 1);
        calls_expect(got >= 0, "a read failed");
        if (!got)
            break;
        end->bytes += (unsigned long)got;
        for (long n = 0; n < got; n++)
            end->sum += (unsigned char)bytes[n];
    }
    calls_end_thread(task);
    return NULL;
}

static void nothing_is_lost_between_threads_that_wait_for_one_another(void **unused) {
    enum { WRITERS = 3, READERS = 2, EACH = 1000000 };
    pthread_t writer[WRITERS], reader[READERS];
    struct end writes[WRITERS], reads[READERS];
    int pipe[2];
    (void)unused;
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    storm_begin();
    for (int n = 0; n < WRITERS; n++) {
        writes[n] = (struct end){pipe[1], EACH, 0};
        pthread_create(&writer[n], NULL, write_much, &writes[n]);
    }
    for (int n = 0; n < READERS; n++) {
        reads[n] = (struct end){pipe[0], 0, 0};
        pthread_create(&reader[n], NULL, read_much, &reads[n]);
    }
    unsigned long wrote = 0, got = 0, bytes = 0;
    for (int n = 0; n < WRITERS; n++) {
        pthread_join(writer[n], NULL);
        wrote += writes[n].sum;
    }
    close_file(pipe[1]);
    for (int n = 0; n < READERS; n++) {
        pthread_join(reader[n], NULL);
        got += reads[n].sum;
        bytes += reads[n].bytes;
    }
    assert_true(storm_end() > 0);
    close_file(pipe[0]);
    assert_int_equal(bytes, WRITERS * EACH);
    assert_int_equal(got, wrote);
}

static int is_of(int fd, const char *class_name) {
    char name[48];
    return !strcmp(calls_class_of_pipe(fd, name), class_name);
}

/* Fills and empties a pipe from the calling thread, so that all its pages have been at work. */
static void use_both_ends(const int *pipe, int times) {
    char byte;
    for (int n = 0; n < times; n++) {
        assert_int_equal(CALL(SYS_write, pipe[1], "x", 1), 1);
        assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), 1);
    }
}

static void *read_one(void *fd) {
    struct task *task = calls_begin_thread("reader", 0);
    char byte;
    calls_expect(CALL(SYS_read, *(int *)fd, &byte, 1) == 1 && byte == 'b', "not that byte");
    calls_end_thread(task);
    return NULL;
}

static void a_second_reader_makes_a_pipe_general_and_one_alone_makes_it_his(void **unused) {
    pthread_t reader;
    int pipe[2];
    (void)unused;
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    assert_int_equal(CALL(SYS_fcntl, pipe[1], F_SETPIPE_SZ, 8192), 8192);
    use_both_ends(pipe, 1);
    for (int change = 1; change < 4; change++) {
        assert_true(is_of(pipe[0], "pipe.spsc"));
        pthread_create(&reader, NULL, read_one, &pipe[0]);
        assert_int_equal(CALL(SYS_write, pipe[1], "b", 1), 1);
        pthread_join(reader, NULL);
        assert_true(is_of(pipe[0], "pipe.general"));
        use_both_ends(pipe, 64 << change >> 1);
        assert_int_equal(k42_swap_flush(), 0);
        assert_true(is_of(pipe[0], "pipe.general"));
        use_both_ends(pipe, 64 << change);
        for (int n = 0; n < 100 && !is_of(pipe[0], "pipe.spsc"); n++)
            assert_int_equal(k42_swap_flush(), 0);
    }
    close_file(pipe[0]);
    close_file(pipe[1]);
}

/* As between two programs, one of which started the other: each has a copy of both descriptors. */
static void one_writer_and_one_reader_keep_their_pipe_to_themselves(void **unused) {
    pthread_t writer;
    int pipe[2];
    (void)unused;
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    struct end writes = {pipe[1], 500000, 0}, reads = {pipe[0], 0, 0};
    pthread_create(&writer, NULL, write_much, &writes);
    static char bytes[9000];
    while (reads.bytes < writes.bytes) {
        long got = CALL(SYS_read, pipe[0], bytes, sizeof bytes);
        assert_true(got > 0);
        for (long n = 0; n < got; n++)
            reads.sum += (unsigned char)bytes[n];
        reads.bytes += (unsigned long)got;
    }
    pthread_join(writer, NULL);
    assert_true(is_of(pipe[0], "pipe.spsc"));
    assert_int_equal(reads.sum, writes.sum);
    close_file(pipe[0]);
    close_file(pipe[1]);
}

/* Every byte says where it is among all. */
static void *write_numbered(void *argument) {
    struct end *end = argument;
    struct task *task = calls_begin_thread("writer", 0);
    static char bytes[5000];
    for (unsigned long at = 0; at < end->bytes;) {
        unsigned long size = at % sizeof bytes + 1;
        size = size < end->bytes - at ? size : end->bytes - at;
        for (unsigned long n = 0; n < size; n++)
            bytes[n] = (char)((at + n) * 131 >> 3);
        calls_expect(CALL(SYS_write, end->fd, bytes, size) == (long)size, "a write was short");
        at += size;
    }
    calls_end_thread(task);
    return NULL;
}

static void bytes_stay_in_order_while_the_kind_of_pipe_changes(void **unused) {
    enum { ALL = 1500000 };
    static char bytes[7000];
    pthread_t writer;
    int pipe[2];
    (void)unused;
    assert_int_equal(CALL(SYS_pipe, pipe), 0);
    struct end end = {pipe[1], ALL, 0};
    storm_begin();
    pthread_create(&writer, NULL, write_numbered, &end);
    for (unsigned long at = 0; at < ALL;) {
        long got = CALL(SYS_read, pipe[0], bytes, at % sizeof bytes + 1);
        assert_true(got > 0);
        for (long n = 0; n < got; n++, at++)
            calls_expect(bytes[n] == (char)(at * 131 >> 3), "a byte is not where it was");
    }
    pthread_join(writer, NULL);
    assert_true(storm_end() > 0);
    close_file(pipe[0]);
    close_file(pipe[1]);
}

static void assert_bytes(int fd, const char *bytes, long size) {
    static char got[40000];
    for (long at = 0, more; at < size; at += more) {
        more = CALL(SYS_read, fd, got + at, size - at);
        assert_true(more > 0);
    }
    assert_memory_equal(got, bytes, size);
}

/* Through two pipes, with and without whole pages, and from a file to a pipe to a file. */
static void spliced_bytes_arrive_as_they_were(void **unused) {
    static const long sizes[] = {1, 4095, 4096, 4097, 8192, 20000, 32768};
    static char bytes[40000];
    int from[2], to[2];
    (void)unused;
    for (unsigned n = 0; n < sizeof bytes; n++)
        bytes[n] = (char)(n * 131 >> 4);
    assert_int_equal(CALL(SYS_pipe, from), 0);
    assert_int_equal(CALL(SYS_pipe, to), 0);
    int file = make_file("/spliced", "");
    for (unsigned n = 0; n < sizeof sizes / sizeof *sizes; n++)
        for (unsigned skew = 0; skew < 2;
             skew++) { /* pages of the second pipe: as they come, or not */
            long size = sizes[n];
            assert_int_equal(CALL(SYS_write, from[1], bytes, size), size);
            if (skew)
                assert_int_equal(CALL(SYS_write, to[1], bytes, 5), 5);
            for (long moved = 0; moved < size;) {
                long more = CALL(SYS_splice, from[0], 0, to[1], 0, size - moved, 0);
                assert_true(more > 0);
                moved += more;
            }
            if (skew)
                assert_bytes(to[0], bytes, 5);
            assert_bytes(to[0], bytes, size);
            long at = 0, back = 0;
            assert_int_equal(CALL(SYS_pwrite64, file, bytes, size, 0), size);
            for (; at < size;)
                assert_true(CALL(SYS_splice, file, &at, to[1], 0, size - at, 0) > 0);
            for (; back < size;)
                assert_true(CALL(SYS_splice, to[0], 0, file, &back, size - back, 0) > 0);
            assert_int_equal(CALL(SYS_lseek, file, 0, SEEK_SET), 0);
            assert_bytes(file, bytes, size);
        }
    close_file(file);
    assert_int_equal(CALL(SYS_unlink, "/spliced"), 0);
    for (int n = 0; n < 2; n++) {
        close_file(from[n]);
        close_file(to[n]);
    }
}

static void whole_pages_are_passed_and_not_copied(void **unused) {
    k42_ref reader, writer;
    (void)unused;
    char *in = aligned_alloc(4096, 4096), *other = aligned_alloc(4096, 4096);
    struct copy_range pages[2] = {{(uintptr_t)in, 4096}, {(uintptr_t)other, 4096}};
    memset(in, 'i', 4096);
    memset(other, 'o', 4096);
    k42_enter();
    assert_int_equal(pipe_open(0, &reader, &writer), 0);
    struct copy copy = copy_of_pages(pages, 4096 + 100);
    assert_int_equal(k42_call((file_ref)writer, write, -1, &copy), 4096 + 100);
    assert_true(pages[0].start != (uintptr_t)in);    /* passed */
    assert_true(pages[1].start == (uintptr_t)other); /* copied, being but a part */
    copy = copy_of_pages(pages, 8192);
    assert_int_equal(k42_call((file_ref)reader, read, -1, &copy), 4096 + 100);
    assert_true(pages[0].start == (uintptr_t)in && in[0] == 'i' && in[4095] == 'i');
    assert_true(pages[1].start == (uintptr_t)other && other[99] == 'o');
    (void)!k42_call((file_ref)reader, release);
    (void)!k42_call((file_ref)writer, release);
    k42_exit();
    free(in);
    free(other);
}

static void *open_other_end(void *name) {
    struct task *task = calls_begin_thread("opener", 0);
    long fd = CALL(SYS_open, name, O_WRONLY, 0);
    calls_expect(fd >= 0 && CALL(SYS_write, fd, "over", 4) == 4, "the FIFO did not open");
    CALL(SYS_close, fd);
    calls_end_thread(task);
    return NULL;
}

static void opening_a_fifo_waits_for_the_other_end(void **unused) {
    char text[8] = {0};
    pthread_t other;
    (void)unused;
    assert_int_equal(CALL(SYS_mknod, "/fifo", S_IFIFO | 0600, 0), 0);
    assert_int_equal(CALL(SYS_open, "/fifo", O_WRONLY | O_NONBLOCK), -ENXIO);
    calls_interrupted = 1;
    assert_int_equal(CALL(SYS_open, "/fifo", O_RDONLY), -4200);
    calls_interrupted = 0;
    pthread_create(&other, NULL, open_other_end, "/fifo");
    int fd = open_file("/fifo", O_RDONLY);
    assert_true(fd >= 0);
    assert_int_equal(CALL(SYS_read, fd, text, sizeof text), 4);
    assert_string_equal(text, "over");
    assert_int_equal(CALL(SYS_read, fd, text, sizeof text), 0);
    pthread_join(other, NULL);
    close_file(fd);
    assert_int_equal(CALL(SYS_unlink, "/fifo"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_carries_bytes_in_order),
        cmocka_unit_test(a_full_pipe_takes_no_more_and_an_ended_one_says_so),
        cmocka_unit_test(writing_to_nobody_is_a_broken_pipe),
        cmocka_unit_test(nothing_is_lost_between_threads_that_wait_for_one_another),
        cmocka_unit_test(a_second_reader_makes_a_pipe_general_and_one_alone_makes_it_his),
        cmocka_unit_test(one_writer_and_one_reader_keep_their_pipe_to_themselves),
        cmocka_unit_test(bytes_stay_in_order_while_the_kind_of_pipe_changes),
        cmocka_unit_test(spliced_bytes_arrive_as_they_were),
        cmocka_unit_test(whole_pages_are_passed_and_not_copied),
        cmocka_unit_test(opening_a_fifo_waits_for_the_other_end),
    };
    return file_tests_run(tests);
}
