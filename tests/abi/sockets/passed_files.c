/* Descriptors that go with messages: many, of every kind, cut off, peeked at, never received. */
#include "abi.h"

#include <sys/epoll.h>
#include <sys/socket.h>

static union {
    char bytes[CMSG_SPACE(sizeof(int) * 300)];
    struct cmsghdr header;
} control;

static long send_files(int to, int count, const int *files, const char *text) {
    struct iovec vector = {(char *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    control.header = (struct cmsghdr){CMSG_LEN(sizeof(int) * count), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), files, sizeof(int) * count);
    return abi_call(sendmsg, to, &message, MSG_DONTWAIT);
}

/* How many come; the first is left in *first, all others are closed. */
static int receive(int from, size_t room, int flags, int *first) {
    char text[16] = "";
    struct iovec vector = {text, 15};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = room;
    memset(&control, 0, sizeof control);
    long length = abi_call(recvmsg, from, &message, flags | MSG_DONTWAIT);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    int count = header ? (header->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;
    say("  %ld '%s' with %d, flags %x", length, text, count, message.msg_flags);
    for (int i = 0; i < count; i++) {
        int fd = ((int *)CMSG_DATA(header))[i];
        if (i == 0 && first)
            *first = fd;
        else
            close(fd);
    }
    return count;
}

static int lowest(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

int main(void) {
    int ends[2], piped[2], many[300], fd;
    put("file", "text");
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    pipe(piped);
    for (int i = 0; i < 300; i++)
        many[i] = 0;
    int file = open("file", O_RDONLY), path = open("file", O_PATH), polls = epoll_create1(0),
        folder = open(".", O_RDONLY), before = lowest();
    const int kinds[] = {file, piped[0], polls, folder, ends[0], path};
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        is("sent", send_files(ends[0], 1, &kinds[i], "x"), 1);
        is("came", receive(ends[1], sizeof control, 0, &fd), 1);
        is("it is the same", abi_call(kcmp, getpid(), getpid(), 0, fd, kinds[i]), 0);
        close(fd);
    }
    is("253", send_files(ends[0], 253, many, "x"), 1);
    is("came", receive(ends[1], sizeof control, 0, NULL), 253);
    is("254", send_files(ends[0], 254, many, "x"), -1);
    is("errno", errno, EINVAL);
    many[7] = 1000;
    is("one is not open", send_files(ends[0], 10, many, "x"), -1);
    is("errno", errno, EBADF);
    many[7] = 0;
    say("less room than files");
    send_files(ends[0], 5, many, "x");
    is("came", receive(ends[1], CMSG_SPACE(sizeof(int) * 2), 0, NULL), 2);
    send_files(ends[0], 5, many, "x");
    receive(ends[1], CMSG_LEN(0), 0, NULL);
    send_files(ends[0], 5, many, "x");
    receive(ends[1], 3, 0, NULL);
    is("none is left open", lowest(), before);
    say("peeked at, they come twice");
    send_files(ends[0], 1, &file, "y");
    receive(ends[1], sizeof control, MSG_PEEK, &fd);
    close(fd);
    receive(ends[1], sizeof control, 0, &fd);
    close(fd);
    say("bytes without files do not run into those with");
    send(ends[0], "ab", 2, 0);
    send_files(ends[0], 1, &file, "cd");
    send(ends[0], "ef", 2, 0);
    send_files(ends[0], 1, &file, "gh");
    for (int i = 0; i < 3; i++)
        receive(ends[1], sizeof control, 0, NULL);
    say("the offset goes along");
    lseek(file, 2, SEEK_SET);
    send_files(ends[0], 1, &file, "x");
    receive(ends[1], sizeof control, 0, &fd);
    is("offset", lseek(fd, 0, SEEK_CUR), 2);
    close(fd);
    say("what is never received is closed with its socket");
    send_files(ends[0], 1, &piped[1], "x");
    close(piped[1]);
    fcntl(piped[0], F_SETFL, O_NONBLOCK);
    char byte;
    fails(EAGAIN, read, piped[0], &byte, 1);
    close(ends[1]);
    gives(0, read, piped[0], &byte, 1);
    say("a limit while they come");
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    send_files(ends[0], 5, many, "x");
    struct rlimit few = {lowest() + 2, 1000};
    setrlimit(RLIMIT_NOFILE, &few);
    is("came", receive(ends[1], sizeof control, 0, NULL), 2);
}
