/* eventfd: sums, semaphores, their limits, waiting for room, and everything refused. */
#include "abi.h"

#include <sys/eventfd.h>

static int fd;

static void adds(void) {
    until_asleep(getppid());
    gives(8, write, fd, &(uint64_t){3}, 8);
}

static void takes(void) {
    uint64_t value;
    until_asleep(getppid());
    gives(8, read, fd, &value, 8);
    is("all", value == UINT64_MAX - 1, 1);
}

int main(void) {
    uint64_t value = 7, most = UINT64_MAX - 1, over = UINT64_MAX, one = 1;
    char more[32] = {};
    fd = works(eventfd2, 5, EFD_NONBLOCK);
    gives(8, read, fd, &value, 8);
    is("value", value, 5);
    fails(EAGAIN, read, fd, &value, 8);
    gives(8, write, fd, &one, 8);
    gives(8, write, fd, &one, 8);
    gives(8, read, fd, more, 32);
    is("sum", more[0], 2);
    gives(8, write, fd, &(uint64_t){0}, 8);
    fails(EAGAIN, read, fd, &value, 8);
    gives(8, write, fd, &most, 8);
    fails(EAGAIN, write, fd, &one, 8);
    fails(EINVAL, write, fd, &over, 8);
    gives(8, write, fd, &(uint64_t){0}, 8);
    fails(EINVAL, read, fd, &value, 7);
    fails(EINVAL, write, fd, &value, 7);
    fails(EINVAL, read, fd, &value, 0);
    fails(EFAULT, write, fd, BAD, 8);
    gives(0, lseek, fd, 5, SEEK_SET);
    gives(8, read, fd, &value, 8);
    fails(ESPIPE, pread64, fd, &value, 8, 0);
    fails(EINVAL, ftruncate, fd, 0);
    int all = works(eventfd2, 2, EFD_SEMAPHORE | EFD_NONBLOCK);
    gives(8, read, all, &value, 8);
    is("one", value, 1);
    gives(8, write, all, &(uint64_t){2}, 8);
    for (int i = 0; i < 3; i++)
        gives(8, read, all, &value, 8);
    fails(EAGAIN, read, all, &value, 8);
    fails(EINVAL, eventfd2, 0, 2);
    say("%o", fcntl(all, F_GETFL));
    struct stat seen;
    fstat(all, &seen);
    say("%o %ld", seen.st_mode, (long)seen.st_size);
    char link[64] = "", path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", all);
    readlink(path, link, 63);
    say("%s", link);
    /* Who waits is served when there is something, or room. */
    fcntl(fd, F_SETFL, 0);
    int child = start(adds);
    gives(8, read, fd, &value, 8);
    is("value", value, 3);
    ended("adds", child);
    write(fd, &most, 8);
    child = start(takes);
    gives(8, write, fd, &one, 8);
    ended("takes", child);
    gives(8, read, fd, &value, 8);
    is("value", value, 1);
}
