/* MSG_OOB on streams: the urgent byte apart from the others, the mark, and kinds without one. */
#include "abi.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int ends[2];

static void got(const char *what, int size, int flags) {
    char data[32] = "";
    struct iovec vector = {data, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    long result = recvmsg(ends[1], &message, flags | MSG_DONTWAIT);
    say("%s: %ld '%s' flags %x%s", what, result, data, message.msg_flags,
        result < 0 ? strerrorname_np(errno) : "");
}

static void look(const char *what) {
    struct pollfd one = {ends[1], POLLIN | POLLPRI};
    int mark = -1;
    poll(&one, 1, 0);
    gives(0, ioctl, ends[1], SIOCATMARK, &mark);
    say("%s: mark %d, ready %x", what, mark, one.revents);
}

int main(void) {
    gives(0, socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
    look("nothing");
    fails(EINVAL, recvfrom, ends[1], BAD, 1, MSG_OOB, NULL, NULL);
    gives(5, sendto, ends[0], "abcd!", 5, MSG_OOB, NULL, 0);
    gives(3, sendto, ends[0], "efg", 3, 0, NULL, 0);
    look("sent");
    got("before the mark", 20, 0);
    look("at the mark");
    got("peeked", 20, MSG_OOB | MSG_PEEK);
    got("urgent", 20, MSG_OOB);
    got("again", 20, MSG_OOB);
    got("behind", 20, 0);
    got("nothing", 20, 0);
    /* Not asked for: lost. */
    send(ends[0], "xy!", 3, MSG_OOB);
    send(ends[0], "z", 1, 0);
    got("before", 20, 0);
    got("behind", 20, 0);
    got("lost", 20, MSG_OOB);
    /* Of two the first is like others. */
    send(ends[0], "1!", 2, MSG_OOB);
    send(ends[0], "2?", 2, MSG_OOB);
    got("all before the second", 20, 0);
    got("second", 20, MSG_OOB);
    /* In line. */
    setsockopt(ends[1], SOL_SOCKET, SO_OOBINLINE, &(int){1}, sizeof(int));
    send(ends[0], "in!", 3, MSG_OOB);
    send(ends[0], "line", 4, 0);
    got("not apart", 20, MSG_OOB);
    got("up to it", 20, 0);
    look("at it");
    got("with what follows", 20, 0);
    fails(EOPNOTSUPP, sendto, ends[0], "", 0, MSG_OOB, NULL, 0);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    fails(EOPNOTSUPP, sendto, ends[0], "x", 1, MSG_OOB, NULL, 0);
    fails(EOPNOTSUPP, recvfrom, ends[0], BAD, 1, MSG_OOB, NULL, NULL);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
    fails(EOPNOTSUPP, sendto, ends[0], "x", 1, MSG_OOB, NULL, 0);
    fails(EOPNOTSUPP, recvfrom, ends[0], BAD, 1, MSG_OOB, NULL, NULL);
    struct msghdr nothing = {};
    fails(EOPNOTSUPP, sendmsg, ends[0], &nothing, MSG_OOB);
    fails(EOPNOTSUPP, recvmsg, ends[0], &nothing, MSG_OOB);
    int alone = socket(AF_UNIX, SOCK_STREAM, 0);
    fails(EINVAL, recvfrom, alone, BAD, 1, MSG_OOB, NULL, NULL);
    fails(ENOTCONN, sendto, alone, "x", 1, MSG_OOB, NULL, 0);
}
