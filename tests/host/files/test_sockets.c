/*
 * Sockets: what many threads send and receive, who talks to whom, and what is on its way when all
 * is closed, while every object is swapped.
 */
#include "file_test.h"

#include <sys/socket.h>
#include <sys/un.h>

/* Each pair of a chain asks for grace periods, which ThreadSanitizer makes long. */
#ifdef __SANITIZE_THREAD__
enum { PAIR_TRIES = 200 };
#else
enum { PAIR_TRIES = 3000 };
#endif

static void make_pair(int kind, int *ends) {
    calls_expect(CALL(SYS_socketpair, AF_UNIX, kind, 0, ends) == 0, "no pair");
}

static void close_pair(const int *ends) {
    close_file(ends[0]);
    close_file(ends[1]);
}

/* A message with files, as sendmsg() takes it. */
struct message {
    struct msghdr header;
    struct iovec vector;
    char byte;
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control;
};

static void prepare(struct message *message, size_t room) {
    *message = (struct message){.byte = 'f'};
    message->vector = (struct iovec){&message->byte, 1};
    message->header = (struct msghdr){.msg_iov = &message->vector,
                                      .msg_iovlen = 1,
                                      .msg_control = message->control.bytes,
                                      .msg_controllen = room};
}

static long send_files(int fd, const int *files, int count) {
    struct message message;
    size_t size = sizeof(int) * (size_t)count;
    prepare(&message, CMSG_SPACE(size));
    struct cmsghdr *control = &message.control.align;
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(control), files, size);
    return CALL(SYS_sendmsg, fd, &message.header, MSG_DONTWAIT);
}

/* How many files came; -1: nothing did. */
static int receive_files(int fd, int *files, int flags) {
    struct message message;
    prepare(&message, sizeof message.control);
    if (CALL(SYS_recvmsg, fd, &message.header, MSG_DONTWAIT | flags) < 0)
        return -1;
    struct cmsghdr *control = CMSG_FIRSTHDR(&message.header);
    if (!control)
        return 0;
    size_t size = control->cmsg_len - CMSG_LEN(0);
    memcpy(files, CMSG_DATA(control), size);
    return (int)(size / sizeof(int));
}

/* ---- bytes ---- */

struct sender {
    int fd, bytes;
};

static void *send_bytes(void *argument) {
    struct sender *sender = argument;
    struct task *task = calls_begin_thread("sender", 0);
    static __thread char bytes[5000];
    for (int at = 0; at < sender->bytes;) {
        int size = at % 4999 + 1 < sender->bytes - at ? at % 4999 + 1 : sender->bytes - at;
        for (int i = 0; i < size; i++)
            bytes[i] = (char)((at + i) % 251);
        calls_expect(CALL(SYS_sendto, sender->fd, bytes, size, 0, 0, 0) == size,
                     "not all was sent");
        at += size;
    }
    calls_expect(CALL(SYS_shutdown, sender->fd, SHUT_WR) == 0, "not shut down");
    calls_end_thread(task);
    return NULL;
}

static void carries_in_order(int kind) {
    pthread_t thread;
    int ends[2], at = 0;
    static char bytes[6000];
    make_pair(kind, ends);
    struct sender sender = {ends[0], 2000000};
    storm_begin();
    assert_int_equal(pthread_create(&thread, NULL, send_bytes, &sender), 0);
    for (long got; (got = CALL(SYS_recvfrom, ends[1], bytes, sizeof bytes, 0, 0, 0)) > 0;)
        for (long i = 0; i < got; i++, at++)
            assert_int_equal(bytes[i], (char)(at % 251));
    pthread_join(thread, NULL);
    assert_true(storm_end() > 0);
    assert_int_equal(at, sender.bytes);
    close_pair(ends);
}

static void a_stream_carries_bytes_in_order(void **unused) {
    (void)unused;
    carries_in_order(SOCK_STREAM);
}

static void packets_come_in_order(void **unused) {
    (void)unused;
    carries_in_order(SOCK_SEQPACKET);
}

/* ---- datagrams from many to many ---- */

enum { SENDERS = 3, RECEIVERS = 2, DATAGRAMS = 3000 };
static struct sockaddr_un well_known = {.sun_family = AF_UNIX, .sun_path = "\0datagrams"};
static int receiver_fd;
static unsigned seen[SENDERS * DATAGRAMS], seen_in_all;

static void *send_datagrams(void *number) {
    struct task *task = calls_begin_thread("sender", 0);
    int fd = (int)CALL(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
    for (int i = 0; i < DATAGRAMS; i++) {
        int what = (int)(long)number * DATAGRAMS + i;
        calls_expect(CALL(SYS_sendto, fd, &what, sizeof what, 0, &well_known, sizeof well_known) ==
                         sizeof what,
                     "a datagram was not sent");
    }
    CALL(SYS_close, fd);
    calls_end_thread(task);
    return NULL;
}

/* One more than all tells each receiver to end. */
static void *receive_datagrams(void *unused) {
    struct task *task = calls_begin_thread("receiver", 0);
    for (int what;;) {
        calls_expect(CALL(SYS_recvfrom, receiver_fd, &what, sizeof what, 0, 0, 0) == sizeof what,
                     "no datagram");
        if (what == SENDERS * DATAGRAMS)
            break;
        __atomic_add_fetch(&seen[what], 1, __ATOMIC_RELAXED);
        __atomic_add_fetch(&seen_in_all, 1, __ATOMIC_RELAXED);
    }
    calls_end_thread(task);
    return unused;
}

static void each_datagram_is_received_once(void **unused) {
    pthread_t senders[SENDERS], receivers[RECEIVERS];
    int last = SENDERS * DATAGRAMS, fd = (int)CALL(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
    (void)unused;
    receiver_fd = (int)CALL(SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(CALL(SYS_bind, receiver_fd, &well_known, sizeof well_known), 0);
    storm_begin();
    for (long i = 0; i < SENDERS; i++)
        pthread_create(&senders[i], NULL, send_datagrams, (void *)i);
    for (int i = 0; i < RECEIVERS; i++)
        pthread_create(&receivers[i], NULL, receive_datagrams, NULL);
    for (int i = 0; i < SENDERS; i++)
        pthread_join(senders[i], NULL);
    for (int i = 0; i < RECEIVERS; i++)
        assert_int_equal(
            CALL(SYS_sendto, fd, &last, sizeof last, 0, &well_known, sizeof well_known),
            sizeof last);
    for (int i = 0; i < RECEIVERS; i++)
        pthread_join(receivers[i], NULL);
    storm_end();
    assert_int_equal(seen_in_all, last);
    for (int i = 0; i < last; i++)
        assert_int_equal(seen[i], 1);
    close_file(receiver_fd);
    close_file(fd);
}

/* ---- calls ---- */

enum { CALLERS = 3, ROUNDS = 200 };
static struct sockaddr_un server_address = {.sun_family = AF_UNIX, .sun_path = "/server"};

static void *call_often(void *unused) {
    struct task *task = calls_begin_thread("caller", 0);
    char answer[4];
    for (int i = 0; i < ROUNDS; i++) {
        int fd = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
        calls_expect(CALL(SYS_connect, fd, &server_address, sizeof server_address) == 0,
                     "not connected");
        calls_expect(CALL(SYS_sendto, fd, "ask", 3, 0, 0, 0) == 3, "not asked");
        calls_expect(CALL(SYS_recvfrom, fd, answer, 4, 0, 0, 0) == 4, "no answer");
        calls_expect(CALL(SYS_recvfrom, fd, answer, 4, 0, 0, 0) == 0, "no end");
        CALL(SYS_close, fd);
    }
    calls_end_thread(task);
    return unused;
}

static void every_caller_is_answered(void **unused) {
    pthread_t callers[CALLERS];
    char question[4];
    int listener = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    (void)unused;
    assert_int_equal(CALL(SYS_bind, listener, &server_address, sizeof server_address), 0);
    assert_int_equal(CALL(SYS_listen, listener, 2), 0);
    storm_begin();
    for (int i = 0; i < CALLERS; i++)
        pthread_create(&callers[i], NULL, call_often, NULL);
    for (int i = 0; i < CALLERS * ROUNDS; i++) {
        int fd = (int)CALL(SYS_accept, listener, 0, 0);
        assert_true(fd >= 0);
        assert_int_equal(CALL(SYS_recvfrom, fd, question, 4, 0, 0, 0), 3);
        assert_int_equal(CALL(SYS_sendto, fd, "yes!", 4, 0, 0, 0), 4);
        close_file(fd);
    }
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    storm_end();
    close_file(listener);
    assert_int_equal(CALL(SYS_unlink, "/server"), 0);
}

/* Callers of one that comes and goes are either refused or answered by an end. */
static int over;

static void *call_in_vain(void *unused) {
    struct task *task = calls_begin_thread("caller", 0);
    char answer[4];
    while (!__atomic_load_n(&over, __ATOMIC_SEQ_CST)) {
        int fd = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
        long result = CALL(SYS_connect, fd, &server_address, sizeof server_address);
        calls_expect(result == 0 || result == -ECONNREFUSED || result == -ENOENT,
                     "another refusal");
        if (!result) {
            result = CALL(SYS_recvfrom, fd, answer, 4, 0, 0, 0);
            calls_expect(result == 0 || result == -ECONNRESET, "an answer by nobody");
        }
        CALL(SYS_close, fd);
    }
    calls_end_thread(task);
    return unused;
}

static void who_is_never_accepted_learns_it(void **unused) {
    pthread_t callers[CALLERS];
    (void)unused;
    over = 0;
    storm_begin();
    for (int i = 0; i < CALLERS; i++)
        pthread_create(&callers[i], NULL, call_in_vain, NULL);
    for (int i = 0; i < 150; i++) {
        int listener = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(CALL(SYS_bind, listener, &server_address, sizeof server_address), 0);
        assert_int_equal(CALL(SYS_listen, listener, 1), 0);
        if (i % 2)
            close_file((int)CALL(SYS_accept, listener, 0, 0));
        close_file(listener);
        assert_int_equal(CALL(SYS_unlink, "/server"), 0);
    }
    __atomic_store_n(&over, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < CALLERS; i++)
        pthread_join(callers[i], NULL);
    storm_end();
}

/* ---- files on their way: calls_close() finds what is left ---- */

static void a_chain_of_sockets_ends(void **unused) {
    int before[2], next[2], pipe[2];
    char byte;
    (void)unused;
    assert_int_equal(CALL(SYS_pipe2, pipe, O_NONBLOCK), 0);
    make_pair(SOCK_STREAM, before);
    assert_int_equal(send_files(before[0], &pipe[1], 1), 1);
    close_file(pipe[1]);
    for (int i = 0; i < PAIR_TRIES; i++) {
        make_pair(SOCK_STREAM, next);
        assert_int_equal(send_files(next[0], before, 2), 1);
        close_pair(before);
        memcpy(before, next, sizeof next);
    }
    assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), -EAGAIN);
    close_pair(before);
    calls_settle();
    assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), 0);
    close_file(pipe[0]);
}

static void rings_end(void **unused) {
    int first[2], second[2], pipe[2];
    char byte;
    (void)unused;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(CALL(SYS_pipe2, pipe, O_NONBLOCK), 0);
        make_pair(i % 2 ? SOCK_STREAM : SOCK_DGRAM, first);
        make_pair(SOCK_SEQPACKET, second);
        assert_int_equal(send_files(first[0], &pipe[1], 1), 1);
        close_file(pipe[1]);
        assert_int_equal(send_files(first[0], second, 2), 1);
        assert_int_equal(send_files(second[0], first, 2), 1);
        close_pair(first);
        assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), -EAGAIN);
        close_pair(second);
        calls_settle();
        assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), 0);
        close_file(pipe[0]);
    }
}

static void a_listener_in_its_own_callers_socket_ends(void **unused) {
    int fd = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0), pipe[2];
    int listener = (int)CALL(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
    char byte;
    (void)unused;
    assert_int_equal(CALL(SYS_pipe2, pipe, O_NONBLOCK), 0);
    assert_int_equal(CALL(SYS_bind, listener, &well_known, sizeof well_known), 0);
    assert_int_equal(CALL(SYS_listen, listener, 1), 0);
    assert_int_equal(CALL(SYS_connect, fd, &well_known, sizeof well_known), 0);
    int files[2] = {listener, pipe[1]};
    assert_int_equal(send_files(fd, files, 2), 1);
    close_file(pipe[1]);
    close_file(listener);
    assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), -EAGAIN);
    close_file(fd);
    calls_settle();
    assert_int_equal(CALL(SYS_read, pipe[0], &byte, 1), 0);
    close_file(pipe[0]);
}

/* Threads that pass sockets to each other, receive some, look at others, and close what they have:
 * nothing that anybody has is thrown away, and nothing is left. */
enum { PASSERS = 3, SHARED = 4 };
static int shared[SHARED][2];

static int is_alive(const int *pair) {
    char byte;
    return CALL(SYS_sendto, pair[0], "x", 1, MSG_DONTWAIT, 0, 0) == 1 &&
           CALL(SYS_recvfrom, pair[1], &byte, 1, MSG_DONTWAIT, 0, 0) == 1 && byte == 'x';
}

static void pass_some(unsigned long *seed) {
    int own[2], got[4];
    *seed = *seed * 6364136223846793005ul + 1442695040888963407ul;
    const int *way = shared[(*seed >> 33) % SHARED];
    make_pair(SOCK_STREAM, own);
    switch ((*seed >> 40) % 4) {
    case 0: /* a ring of its own */
        (void)send_files(own[0], own, 2);
        break;
    case 1:
        (void)send_files(way[0], own, 2);
        calls_expect(is_alive(own), "what a table has was thrown away");
        break;
    default:
        for (int count = receive_files(way[1], got, *seed >> 50 & 1 ? MSG_PEEK : 0); count > 0;)
            CALL(SYS_close, got[--count]);
    }
    CALL(SYS_close, own[0]);
    CALL(SYS_close, own[1]);
}

static void *pass_often(void *number) {
    unsigned long seed = (unsigned long)number + 1;
    struct task *task = calls_begin_thread("passer", 1);
    for (int i = 0; i < 1500; i++)
        pass_some(&seed);
    calls_end_thread(task);
    return NULL;
}

static void sockets_that_are_passed_are_there_until_nobody_can_have_them(void **unused) {
    pthread_t threads[PASSERS];
    int kept[2], got[4];
    (void)unused;
    for (int i = 0; i < SHARED; i++)
        make_pair(SOCK_DGRAM, shared[i]);
    make_pair(SOCK_STREAM, kept);
    int way[2];
    make_pair(SOCK_STREAM, way);
    assert_int_equal(send_files(way[0], kept, 2), 1);
    close_pair(kept);
    storm_begin();
    for (long i = 0; i < PASSERS; i++)
        pthread_create(&threads[i], NULL, pass_often, (void *)i);
    for (int i = 0; i < PASSERS; i++)
        pthread_join(threads[i], NULL);
    storm_end();
    assert_int_equal(receive_files(way[1], got, 0), 2);
    assert_true(is_alive(got));
    close_pair(got);
    close_pair(way);
    for (int i = 0; i < SHARED; i++)
        close_pair(shared[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_carries_bytes_in_order),
        cmocka_unit_test(packets_come_in_order),
        cmocka_unit_test(each_datagram_is_received_once),
        cmocka_unit_test(every_caller_is_answered),
        cmocka_unit_test(who_is_never_accepted_learns_it),
        cmocka_unit_test(a_chain_of_sockets_ends),
        cmocka_unit_test(rings_end),
        cmocka_unit_test(a_listener_in_its_own_callers_socket_ends),
        cmocka_unit_test(sockets_that_are_passed_are_there_until_nobody_can_have_them),
    };
    return file_tests_run(tests);
}
