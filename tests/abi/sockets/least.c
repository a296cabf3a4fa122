/* SO_RCVLOWAT: fewer bytes are not received while more may come. */
#include "abi.h"

#include <sys/socket.h>

static int ends[2];

static void later(void) {
    doze(50);
    write(ends[0], "second", 6);
    doze(50);
}

static void set(int least, int wanted) {
    int got = 0, size = sizeof got;
    gives(0, setsockopt, ends[1], SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
    gives(0, getsockopt, ends[1], SOL_SOCKET, SO_RCVLOWAT, &got, &size);
    is("least", got, wanted);
}

int main(void) {
    char data[64];
    struct timeval time = {0, 20000};
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    set(0, 1);
    set(-5, INT_MAX);
    set(11, 11);
    write(ends[0], "first", 5);
    int child = start(later);
    gives(11, recvfrom, ends[1], data, 64, 0, NULL, NULL);
    ended("child", child);
    write(ends[0], "first", 5);
    child = start(later);
    gives(11, read, ends[1], data, 64);
    ended("child", child);
    write(ends[0], "four", 4);
    gives(4, recvfrom, ends[1], data, 4, 0, NULL, NULL);
    write(ends[0], "four", 4);
    gives(4, recvfrom, ends[1], data, 64, MSG_DONTWAIT, NULL, NULL);
    write(ends[0], "four", 4);
    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    gives(4, recvfrom, ends[1], data, 64, 0, NULL, NULL);
    fails(EAGAIN, recvfrom, ends[1], data, 64, 0, NULL, NULL);
    write(ends[0], "end", 3);
    shutdown(ends[0], SHUT_WR);
    gives(3, recvfrom, ends[1], data, 64, 0, NULL, NULL);
    gives(0, recvfrom, ends[1], data, 64, 0, NULL, NULL);
}
