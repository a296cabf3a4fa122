/* Sizes that are huge, or negative, or nothing. */
#include "abi.h"

#include <poll.h>

int main(void) {
    char data[64], *much = pages(4);
    put("file", "0123456789");
    int fd = open("file", O_RDWR), folder = open(".", O_RDONLY), ends[2];
    pipe(ends);
    gives(10, read, fd, much, 16384);
    gives(0, write, fd, data, 0);
    gives(0, read, fd, BAD, 0);
    fails(EFAULT, write, fd, data, -1L);
    fails(EFAULT, write, fd, data, 1L << 62);
    fails(EFAULT, read, fd, much, 1L << 47);
    fails(EINVAL, readv, fd, data, 1 << 20);
    fails(EINVAL, poll, data, -1, 0);
    fails(EINVAL, getdents64, folder, much, 0);
    fails(EINVAL, readlink, "file", data, 0);
    fails(ERANGE, getcwd, data, 0);
    fails(EINVAL, ftruncate, fd, INT64_MIN);
    fails(ENOMEM, mmap, 0, INT64_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fails(EINVAL, munmap, much, INT64_MAX);
    fails(ENOMEM, mprotect, much, 1L << 46, PROT_READ);
    fails(EINVAL, setgroups, -1, data);
    fails(EINVAL, getgroups, INT_MIN, data);
    fails(EINVAL, sethostname, data, INT_MAX);
    fails(EINVAL, rt_sigaction, SIGUSR1, NULL, NULL, 0);
    fails(EINVAL, rt_sigpending, data, -1L);
    gives(0, sched_setaffinity, 0, 1 << 20, memset(calloc(1, 1 << 20), 255, 8));
}
