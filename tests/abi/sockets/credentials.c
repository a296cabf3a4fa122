/* Who is at the other end: SO_PEERCRED, SCM_CREDENTIALS, SO_PASSCRED, over fork and setuid. */
#include "abi.h"

#include <sys/socket.h>
#include <sys/un.h>

static int ends[2], first;

static void peer(const char *what, int fd) {
    struct ucred who = {-1, -1, -1};
    socklen_t length = sizeof who;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length))
        say("%s: %s", what, strerrorname_np(errno));
    else
        say("%s: %s %d %d", what,
            who.pid == first ? "first"
            : who.pid        ? "another"
                             : "none",
            who.uid, who.gid);
}

static void message(const char *what, int fd) {
    char bytes[CMSG_SPACE(sizeof(struct ucred))] = "", data[8] = "";
    struct iovec vector = {data, 7};
    struct msghdr got = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = bytes};
    got.msg_controllen = sizeof bytes;
    long length = recvmsg(fd, &got, MSG_DONTWAIT);
    struct cmsghdr *header = CMSG_FIRSTHDR(&got);
    struct ucred who = {};
    if (header)
        memcpy(&who, CMSG_DATA(header), sizeof who);
    say("%s: %ld '%s', %s: %s %d %d", what, length, data, header ? "told" : "not told",
        who.pid == first ? "first"
        : who.pid        ? "another"
                         : "none",
        who.uid, who.gid);
}

static long says(int fd, int pid, int uid, int gid) {
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
        struct cmsghdr header;
    } of;
    struct ucred who = {pid, uid, gid};
    struct iovec vector = {"said", 4};
    struct msghdr out = {.msg_iov = &vector, .msg_iovlen = 1, .msg_control = &of};
    out.msg_controllen = sizeof of;
    of.header = (struct cmsghdr){CMSG_LEN(sizeof who), SOL_SOCKET, SCM_CREDENTIALS};
    memcpy(CMSG_DATA(&of.header), &who, sizeof who);
    return abi_call(sendmsg, fd, &out, 0) == 4 ? 0 : errno;
}

static void child(void) {
    write(ends[0], "child", 5);
    be(SOMEBODY);
    write(ends[0], "user", 4);
    is("another process", says(ends[0], first, SOMEBODY, SOMEBODY), EPERM);
    is("root", says(ends[0], getpid(), 0, SOMEBODY), EPERM);
    is("another group", says(ends[0], getpid(), SOMEBODY, 0), EPERM);
    is("itself", says(ends[0], getpid(), SOMEBODY, SOMEBODY), 0);
    peer("by the child", ends[0]);
}

static void connects(void) {
    struct sockaddr_un at = {AF_UNIX, "name"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    be(SOMEBODY);
    gives(0, connect, fd, &at, sizeof at);
    peer("the listener", fd);
}

int main(void) {
    int on = 1;
    first = getpid();
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
    peer("pair", ends[0]);
    write(ends[0], "before", 6);
    message("before it is asked for", ends[1]);
    gives(0, setsockopt, ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    write(ends[0], "after", 5);
    message("after", ends[1]);
    is("as anybody", says(ends[0], first, 77, 78), 0);
    message("said", ends[1]);
    is("of nobody", says(ends[0], 0x3ffffff, 0, 0), ESRCH);
    in_child("child", child);
    for (int i = 0; i < 4; i++)
        message("child", ends[1]);
    struct sockaddr_un at = {AF_UNIX, "name"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    peer("none yet", listener);
    bind(listener, (void *)&at, sizeof at);
    chmod("name", 0777);
    setresuid(5, 5, 0);
    listen(listener, 5);
    peer("itself, as it listens", listener);
    setresuid(0, 0, 0);
    int other = start(connects);
    int served = works(accept, listener, NULL, NULL);
    peer("who came", served);
    ended("connects", other);
    peer("who has gone", served);
}
