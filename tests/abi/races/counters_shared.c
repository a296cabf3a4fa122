/* A counter that processes add to and take from: nothing is lost. */
#include "abi.h"

#include <sys/eventfd.h>

#define TIMES 50

static int fd;

static void adds(void) {
    uint64_t one = 1;
    for (int i = 0; i < TIMES; i++)
        if (write(fd, &one, 8) != 8)
            give_up("write");
}

static void takes(void) {
    uint64_t one;
    for (int i = 0; i < TIMES; i++)
        if (read(fd, &one, 8) != 8 || one != 1)
            give_up("read");
}

int main(void) {
    fd = eventfd(0, EFD_SEMAPHORE);
    int children[4];
    for (int i = 0; i < 4; i++)
        children[i] = start(i & 1 ? takes : adds);
    for (int i = 0; i < 4; i++)
        ended("child", children[i]);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fails(EAGAIN, read, fd, &(long){0}, 8);
}
