/* userfaultfd: what is asked for in a wrong way, or at a wrong time, or may not be. */
#include "abi.h"

#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static long at;

static void as_somebody(void) {
    be(SOMEBODY);
    fails(EPERM, userfaultfd, 0);
    fails(EPERM, userfaultfd, 4);
    close(works(userfaultfd, UFFD_USER_MODE_ONLY));
}

static void by_anybody(void) {
    be(SOMEBODY);
    close(works(userfaultfd, 0));
}

static void before_api(int fd) {
    struct uffdio_range range = {at, 4096};
    struct uffd_msg message;
    struct pollfd one = {fd, POLLIN};
    fails(EINVAL, ioctl, fd, UFFDIO_WAKE, &range);
    fails(EINVAL, read, fd, &message, sizeof message);
    poll(&one, 1, 0);
    is("ready", one.revents, POLLERR);
    fails(EFAULT, ioctl, fd, UFFDIO_API, BAD);
    struct uffdio_api api = {.api = UFFD_API + 1, .features = 0, .ioctls = 7};
    fails(EINVAL, ioctl, fd, UFFDIO_API, &api);
    is("cleared", api.api || api.ioctls, 0);
    api = (struct uffdio_api){.api = UFFD_API, .features = 1ul << 60};
    fails(EINVAL, ioctl, fd, UFFDIO_API, &api);
    api = (struct uffdio_api){.api = UFFD_API};
    gives(0, ioctl, fd, UFFDIO_API, &api);
    fails(EINVAL, ioctl, fd, UFFDIO_API, &api);
    fails(EINVAL, read, fd, &message, sizeof message - 1);
    fails(EBADF, write, fd, &message, sizeof message);
}

static void registering(int fd) {
    struct uffdio_register what = {{at, 4096}, 0, 0};
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    what.mode = 1 << 10;
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    what.mode = UFFDIO_REGISTER_MODE_MISSING;
    what.range.len = 100;
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    what.range.len = 0;
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    what.range = (struct uffdio_range){at + 1, 4096};
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    what.range = (struct uffdio_range){1ul << 47, 4096};
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    fails(EFAULT, ioctl, fd, UFFDIO_REGISTER, BAD);
    fails(EINVAL, ioctl, fd, UFFDIO_UNREGISTER, &(struct uffdio_range){at, 1});
    fails(EFAULT, ioctl, fd, UFFDIO_UNREGISTER, BAD);
    fails(EFAULT, ioctl, fd, UFFDIO_WAKE, BAD);
    fails(EINVAL, ioctl, fd, UFFDIO_WAKE, &(struct uffdio_range){at, 0});
    /* Nothing is there; a file that is on no disk's cache alone; what may not be written. */
    char *gone = pages(3);
    munmap(gone, 2 * 4096);
    what.range = (struct uffdio_range){(long)gone, 4096};
    fails(EINVAL, ioctl, fd, UFFDIO_REGISTER, &what);
    int file = memfd_create("x", 0);
    ftruncate(file, 4096);
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    int for_reading = open(name, O_RDONLY);
    what.range.start = (long)mmap(NULL, 4096, PROT_READ, MAP_SHARED, for_reading, 0);
    fails(EPERM, ioctl, fd, UFFDIO_REGISTER, &what);
    int other = works(userfaultfd, 0);
    struct uffdio_api api = {.api = UFFD_API};
    gives(0, ioctl, other, UFFDIO_API, &api);
    what.range.start = at;
    gives(0, ioctl, fd, UFFDIO_REGISTER, &what);
    fails(EBUSY, ioctl, other, UFFDIO_REGISTER, &what);
    struct pollfd one = {other, POLLIN};
    poll(&one, 1, 0);
    is("one that blocks", one.revents, POLLERR);
    close(other);
}

static void copying(int fd) {
    static char bytes[4096];
    struct uffdio_copy copy = {at, (long)bytes, 4096, 1 << 9, 0};
    fails(EINVAL, ioctl, fd, UFFDIO_COPY, &copy);
    copy.mode = 0;
    copy.len = 10;
    fails(EINVAL, ioctl, fd, UFFDIO_COPY, &copy);
    copy.len = 4096;
    copy.src = -4096ul;
    fails(EINVAL, ioctl, fd, UFFDIO_COPY, &copy);
    copy.src = 8;
    fails(EFAULT, ioctl, fd, UFFDIO_COPY, &copy);
    is("copied", copy.copy, -EFAULT);
    copy.src = (long)bytes;
    copy.dst = (long)pages(1);
    fails(ENOENT, ioctl, fd, UFFDIO_COPY, &copy);
    copy.dst = at;
    copy.len = 2 * 4096; /* watched in part only */
    fails(ENOENT, ioctl, fd, UFFDIO_COPY, &copy);
    fails(EFAULT, ioctl, fd, UFFDIO_COPY, BAD);
    struct uffdio_zeropage zero = {{at, 4096}, 8, 0};
    fails(EINVAL, ioctl, fd, UFFDIO_ZEROPAGE, &zero);
    fails(EFAULT, ioctl, fd, UFFDIO_ZEROPAGE, BAD);
    fails(EINVAL, ioctl, fd, _IO(UFFDIO, 0x30), 0);
    fails(EINVAL, ioctl, fd, 0x1234, 0);
}

static void too_many(void) {
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, 0});
    fails(EMFILE, userfaultfd, 0);
}

int main(void) {
    at = (long)pages(2);
    fails(EINVAL, userfaultfd, 4);
    fails(EINVAL, userfaultfd, O_CLOEXEC | O_APPEND);
    in_child("somebody", as_somebody);
    int setting = open("/proc/sys/vm/unprivileged_userfaultfd", O_WRONLY);
    gives(1, write, setting, "1", 1);
    in_child("anybody", by_anybody);
    gives(1, pwrite64, setting, "0", 1, 0);
    fails(EINVAL, pwrite64, setting, "2", 1, 0);
    in_child("no descriptor", too_many);
    int fd = works(userfaultfd, O_NONBLOCK);
    before_api(fd);
    registering(fd);
    copying(fd);
}
