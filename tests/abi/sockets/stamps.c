/* SO_TIMESTAMP and SO_TIMESTAMPNS: datagrams and packets are told with the time of day. */
#include "abi.h"

#include <sys/socket.h>

static int ends[2];

static long now(void) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return time.tv_sec;
}

static void stamp(const char *what) {
    char data[16], control[128];
    struct iovec vector = {data, sizeof data};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    long before = now();
    send(ends[0], "x", 1, 0);
    gives(1, recvmsg, ends[1], &message, 0);
    struct cmsghdr *first = CMSG_FIRSTHDR(&message);
    if (!message.msg_controllen || !first) {
        say("%s: none", what);
        return;
    }
    long *time = (long *)CMSG_DATA(first);
    say("%s: type %d, length %ld, %s", what, first->cmsg_type, first->cmsg_len,
        time[0] >= before && time[0] <= now() && time[1] >= 0 && time[1] < 1000000000 ? "now"
                                                                                      : "?");
}

static void set(int option, int value) {
    int us = 9, ns = 9, size = 4;
    gives(0, setsockopt, ends[1], SOL_SOCKET, option, &value, sizeof value);
    getsockopt(ends[1], SOL_SOCKET, SO_TIMESTAMP, &us, &size);
    getsockopt(ends[1], SOL_SOCKET, SO_TIMESTAMPNS, &ns, &size);
    say("%d %d", us, ns);
}

static void kind(int type) {
    socketpair(AF_UNIX, type, 0, ends);
    stamp("off");
    set(SO_TIMESTAMP, 1);
    stamp("microseconds");
    set(SO_TIMESTAMPNS, 1);
    stamp("nanoseconds");
    set(SO_TIMESTAMPNS, 0);
    stamp("off");
}

int main(void) {
    kind(SOCK_DGRAM);
    kind(SOCK_SEQPACKET);
    kind(SOCK_STREAM);
}
