/*
 * What goes with messages: files, credentials, and sockets that are on their way in each other.
 */
#include "sockets.h"

union control {
    char bytes[CMSG_SPACE(sizeof(int) * 4) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr header;
};

static long send_files(int fd, const char *text, const int *files, int count) {
    union control control = {0};
    struct iovec vector = {(void *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count);
    memcpy(CMSG_DATA(header), files, sizeof(int) * (size_t)count);
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}

static int received[4];

static void receive(const char *what, int fd, size_t size, size_t room, int flags) {
    char bytes[100];
    union control control = {0};
    struct iovec vector = {bytes, size};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = room};
    ssize_t got = recvmsg(fd, &message, flags);
    if (got < 0)
        return tell(what, got);
    say("%s: %ld '%.*s' flags %x control %d", what, (long)got, (int)got, bytes, message.msg_flags,
        (int)message.msg_controllen);
    for (struct cmsghdr *one = CMSG_FIRSTHDR(&message); one; one = CMSG_NXTHDR(&message, one)) {
        int count = (int)((one->cmsg_len - CMSG_LEN(0)) / sizeof(int));
        if (one->cmsg_type == SCM_RIGHTS) {
            say("files %d", count);
            memcpy(received, CMSG_DATA(one), one->cmsg_len - CMSG_LEN(0));
        } else {
            struct ucred *who = (void *)CMSG_DATA(one);
            say("type %d own %d uid %d gid %d", one->cmsg_type, who->pid == getpid(), who->uid,
                who->gid);
        }
    }
}

void passing(void) {
    int pipes[2], both[2], one = 1;
    size_t room = sizeof(union control);
    char byte;
    pipe(pipes);
    pair(SOCK_STREAM | SOCK_NONBLOCK);
    both[0] = both[1] = pipes[1];
    tell("send", send_files(ends[0], "with", pipes + 1, 1));
    receive("receive", ends[1], 10, room, MSG_CMSG_CLOEXEC);
    say("on exec %d", fcntl(received[0], F_GETFD));
    tell("through", write(received[0], "x", 1));
    tell("came", read(pipes[0], &byte, 1));
    close(received[0]);
    put("plain", ends[0], "plain", 0);
    send_files(ends[0], "two", both, 2);
    put("more", ends[0], "more", 0);
    receive("together", ends[1], 100, room, 0);
    close(received[0]), close(received[1]);
    receive("rest", ends[1], 100, room, 0);
    send_files(ends[0], "part", pipes + 1, 1);
    receive("peek", ends[1], 2, room, MSG_PEEK);
    close(received[0]);
    receive("first half", ends[1], 2, room, 0);
    close(received[0]);
    receive("second half", ends[1], 2, room, 0);
    send_files(ends[0], "no room", both, 2);
    receive("no room", ends[1], 100, 0, 0);
    send_files(ends[0], "little room", both, 2);
    receive("little room", ends[1], 100, CMSG_LEN(sizeof(int)), 0);
    close(received[0]);
    send_files(ends[0], "read", pipes + 1, 1);
    tell("read", read(ends[1], received, 10));
    both[1] = 99;
    tell("no file", send_files(ends[0], "x", both, 2));
    tell("option", setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one));
    put("who", ends[0], "who", 0);
    receive("who", ends[1], 10, room, 0);
    /* The last descriptor of a pipe's end on its way keeps that open; thrown away it does not. */
    send_files(ends[0], "x", pipes + 1, 1);
    close(pipes[1]);
    fcntl(pipes[0], F_SETFL, O_NONBLOCK);
    tell("still open", read(pipes[0], &byte, 1));
    done();
    tell("thrown away", poll(&(struct pollfd){pipes[0], POLLIN, 0}, 1, -1));
    tell("closed", read(pipes[0], &byte, 1));
    close(pipes[0]);
}

/* A chain of sockets, each on its way in the one before. */
void chain(void) {
    int before[2], next[2], pipes[2];
    char byte;
    pipe(pipes);
    socketpair(AF_UNIX, SOCK_STREAM, 0, before);
    send_files(before[0], "x", pipes + 1, 1);
    close(pipes[1]);
    for (int i = 0; i < 2000; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, next);
        if (send_files(next[0], "x", before, 2) != 1)
            say("not passed: %s", strerrorname_np(errno));
        close(before[0]), close(before[1]);
        before[0] = next[0], before[1] = next[1];
    }
    close(before[0]), close(before[1]);
    tell("chain", read(pipes[0], &byte, 1));
    close(pipes[0]);
}

/* Linux looks for what nobody can receive any more when some socket ends. */
static void until_hung_up(int fd) {
    int ends[2];
    do {
        socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
        close(ends[0]), close(ends[1]);
    } while (!poll(&(struct pollfd){fd, POLLIN, 0}, 1, 10));
}

/* Sockets that are on their way in each other, a pipe's end in one of them: when the last
 * descriptor has gone nobody can receive them, and the pipe learns of it. */
void rings(void) {
    int first[2], second[2], pipes[2];
    char byte;
    for (int i = 0; i < 3; i++) {
        pipe(pipes);
        socketpair(AF_UNIX, SOCK_STREAM, 0, first);
        socketpair(AF_UNIX, i == 1 ? SOCK_DGRAM : SOCK_STREAM, 0, second);
        send_files(first[0], "pipe", pipes + 1, 1);
        close(pipes[1]);
        if (i == 2) { /* in itself */
            tell("into itself", send_files(first[0], "x", first + 1, 1));
        } else {
            tell("into the second", send_files(second[0], "x", first, 2));
            tell("into the first", send_files(first[0], "x", second, 2));
        }
        close(first[0]), close(first[1]), close(second[0]), close(second[1]);
        until_hung_up(pipes[0]);
        tell("end", read(pipes[0], &byte, 1));
        close(pipes[0]);
    }
    /* What can be received stays, also while others are thrown away. */
    socketpair(AF_UNIX, SOCK_STREAM, 0, first);
    socketpair(AF_UNIX, SOCK_STREAM, 0, second);
    put("inside", second[0], "inside", 0);
    send_files(first[0], "x", second + 1, 1);
    close(second[0]), close(second[1]);
    for (int i = 0; i < 20; i++) {
        socketpair(AF_UNIX, SOCK_STREAM, 0, second);
        send_files(second[0], "x", second, 2);
        close(second[0]), close(second[1]);
        usleep(1000);
    }
    receive("what stayed", first[1], 10, sizeof(union control), 0);
    get("inside", received[0], 10, 0);
    close(received[0]), close(first[0]), close(first[1]);
}
