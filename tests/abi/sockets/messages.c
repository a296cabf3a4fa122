/* sendmsg, recvmsg and their like: vectors, files, who sent it, and everything refused. */
#include "abi.h"

#include <sys/socket.h>
#include <sys/un.h>

static union {
    char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr header;
} control;

static int between[2];

static struct msghdr message(struct iovec *vectors, int count) {
    return (struct msghdr){.msg_iov = vectors, .msg_iovlen = count};
}

static struct msghdr with_file(struct iovec *vector, int fd) {
    struct msghdr made = message(vector, 1);
    control.header = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    made.msg_control = &control;
    made.msg_controllen = CMSG_SPACE(sizeof fd);
    return made;
}

static void as_another(void) {
    write(between[0], "son", 3);
}

static struct msghdr from(struct iovec *vector, int pid, int user) {
    struct msghdr made = message(vector, 1);
    struct ucred said = {pid, user, 0};
    control.header = (struct cmsghdr){CMSG_LEN(sizeof said), SOL_SOCKET, SCM_CREDENTIALS};
    memcpy(CMSG_DATA(&control.header), &said, sizeof said);
    made.msg_control = &control;
    made.msg_controllen = CMSG_SPACE(sizeof said);
    return made;
}

/* Who is told whom something is from is not given what two have sent at once. */
static void two_senders(void) {
    char data[16];
    struct iovec in = {data, sizeof data}, out = {"x", 1};
    struct msghdr got = message(&in, 1), said = from(&out, 99999999, 0);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, between);
    setsockopt(between[1], SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int));
    in_child("another", as_another);
    gives(6, write, between[0], "father", 6);
    gives(3, recvmsg, between[1], &got, 0);
    gives(6, recvmsg, between[1], &got, 0);
    fails(ESRCH, sendmsg, between[0], &said, 0);
    said = from(&out, getpid(), -1);
    fails(EINVAL, sendmsg, between[0], &said, 0);
}

static void as_somebody(void) {
    int ends[2];
    struct iovec vector = {"x", 1};
    struct rlimit few = {16, 16};
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends);
    be(SOMEBODY);
    struct msghdr out = from(&vector, 1, 0);
    fails(EPERM, sendmsg, ends[0], &out, 0);
    setrlimit(RLIMIT_NOFILE, &few);
    out = with_file(&vector, 0);
    for (int i = 0; i < 17; i++)
        if (sendmsg(ends[0], &out, 0) != 1)
            say("refused too early");
    fails(ETOOMANYREFS, sendmsg, ends[0], &out, 0);
}

int main(void) {
    int ends[2], file = open("file", O_RDWR | O_CREAT, 0600), one = 1;
    char first[4] = {}, second[4] = {};
    struct iovec out[2] = {{"abc", 3}, {"def", 3}}, in[2] = {{first, 3}, {second, 3}};
    struct iovec bad = {BAD, 3};
    struct msghdr sent = message(out, 2), got = message(in, 2), wrong = message(&bad, 1);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    gives(6, sendmsg, ends[0], &sent, 0);
    gives(6, recvmsg, ends[1], &got, 0);
    say("%s %s", first, second);
    fails(EAGAIN, recvmsg, ends[1], &got, 0);
    struct msghdr passed = with_file(out, file);
    setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &one, sizeof one);
    gives(3, sendmsg, ends[0], &passed, 0);
    got.msg_control = &control;
    got.msg_controllen = sizeof control;
    memset(&control, 0, sizeof control);
    gives(3, recvmsg, ends[1], &got, MSG_CMSG_CLOEXEC);
    is("flags", got.msg_flags, MSG_CMSG_CLOEXEC);
    is("control", got.msg_controllen, sizeof control);
    struct cmsghdr *who = CMSG_FIRSTHDR(&got), *files = CMSG_NXTHDR(&got, who);
    is("owner", ((struct ucred *)CMSG_DATA(who))->pid == getpid(), 1);
    is("on exec", fcntl(*(int *)CMSG_DATA(files), F_GETFD), FD_CLOEXEC);
    passed = with_file(out, file);
    gives(3, sendmsg, ends[0], &passed, 0);
    got.msg_controllen = 0;
    gives(3, recvmsg, ends[1], &got, 0);
    is("cut", got.msg_flags, MSG_CTRUNC);

    passed = with_file(out, 99);
    fails(EBADF, sendmsg, ends[0], &passed, 0);
    control.header.cmsg_len = 3;
    fails(EINVAL, sendmsg, ends[0], &passed, 0);
    struct mmsghdr odd = {passed};
    fails(EINVAL, sendmmsg, ends[0], &odd, 1, 0);
    struct msghdr named = sent;
    named.msg_name = &(struct sockaddr_un){AF_UNIX, "name"};
    named.msg_namelen = sizeof(struct sockaddr_un);
    fails(EISCONN, sendmsg, ends[0], &named, 0);
    fails(EFAULT, sendmsg, ends[0], BAD, 0);
    fails(EFAULT, sendmsg, ends[0], &wrong, 0);
    fails(EFAULT, recvmsg, ends[1], BAD, 0);
    sent.msg_iovlen = 1025;
    fails(EMSGSIZE, sendmsg, ends[0], &sent, 0);
    sent.msg_iovlen = 2;
    got.msg_iovlen = 1025;
    fails(EMSGSIZE, recvmsg, ends[1], &got, 0);
    got.msg_iovlen = 2;
    fails(EBADF, sendmsg, 99, &sent, 0);
    fails(EBADF, recvmsg, 99, &got, 0);
    fails(ENOTSOCK, sendmsg, file, &sent, 0);
    fails(ENOTSOCK, recvmsg, file, &got, 0);
    int alone = socket(AF_UNIX, SOCK_STREAM, 0), packets = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    fails(ENOTCONN, sendmsg, alone, &sent, MSG_NOSIGNAL);
    fails(EINVAL, recvmsg, alone, &got, 0);
    fails(ENOTCONN, recvmsg, packets, &got, 0);

    struct mmsghdr several[2] = {{sent}, {sent}}, come[2] = {{got}, {got}};
    gives(2, sendmmsg, ends[0], several, 2, 0);
    is("length", several[1].msg_len, 6);
    gives(2, recvmmsg, ends[1], come, 2, 0, NULL);
    is("length", come[0].msg_len, 6);
    fails(EAGAIN, recvmmsg, ends[1], come, 2, 0, NULL);
    fails(EFAULT, sendmmsg, ends[0], BAD, 2, 0);
    fails(EFAULT, recvmmsg, ends[1], BAD, 2, 0, NULL);
    fails(EBADF, sendmmsg, 99, several, 2, 0);
    fails(EBADF, recvmmsg, 99, come, 2, 0, NULL);
    fails(ENOTSOCK, sendmmsg, file, several, 2, 0);
    fails(ENOTSOCK, recvmmsg, file, come, 2, 0, NULL);
    fails(ENOTCONN, sendmmsg, alone, several, 2, MSG_NOSIGNAL);
    fails(EINVAL, recvmmsg, alone, come, 2, 0, NULL);
    fails(EINVAL, recvmmsg, ends[1], come, 2, 0, &(struct timespec){0, -1});
    gives(0, sendmmsg, ends[0], several, 0, 0);
    while (sendmsg(ends[0], &sent, 0) > 0)
        ;
    fails(EAGAIN, sendmsg, ends[0], &sent, 0);
    fails(EAGAIN, sendmmsg, ends[0], several, 2, 0);
    close(ends[1]);
    fails(ECONNRESET, recvmsg, ends[0], &got, 0);
    fails(EPIPE, sendmsg, ends[0], &sent, MSG_NOSIGNAL);
    fails(EPIPE, sendmmsg, ends[0], several, 2, MSG_NOSIGNAL);

    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, recvmsg, ends[1], &got, 0);
    alarm_in(0); /* none while a child is waited for */
    close(ends[1]);
    fails(ECONNREFUSED, sendmsg, ends[0], &sent, 0);
    two_senders();
    in_child("somebody", as_somebody);
}
