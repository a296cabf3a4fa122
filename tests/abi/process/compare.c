/* kcmp: what two processes have in common. */
#include "abi.h"

#include <linux/kcmp.h>
#include <sys/epoll.h>

static int fd;

static void compares(void) {
    int own = open("file", O_RDONLY);
    gives(0, kcmp, getpid(), getppid(), KCMP_FILE, fd, fd);
    is("not the same", abi_call(kcmp, getpid(), getppid(), KCMP_FILE, own, fd) != 0, 1);
    is("nor memory", abi_call(kcmp, getpid(), getppid(), KCMP_VM, 0, 0) != 0, 1);
    is("nor descriptors", abi_call(kcmp, getpid(), getppid(), KCMP_FILES, 0, 0) != 0, 1);
    fails(EBADF, kcmp, getpid(), getppid(), KCMP_FILE, 99, fd);
    fails(EBADF, kcmp, getpid(), getppid(), KCMP_FILE, fd, 99);
    fails(EINVAL, kcmp, getpid(), getppid(), 99, 0, 0);
    fails(ESRCH, kcmp, getpid(), 99999, KCMP_VM, 0, 0);
    int ours = abi_call(kcmp, getpid(), getppid(), KCMP_VM, 0, 0);
    int theirs = abi_call(kcmp, getppid(), getpid(), KCMP_VM, 0, 0);
    is("an order", ours + theirs, 3);
    be(SOMEBODY);
    fails(EPERM, kcmp, getpid(), getppid(), KCMP_VM, 0, 0);
}

/* Of files that one waits for. */
static void watched(void) {
    int ends[2], set = epoll_create1(0), self = getpid();
    struct epoll_event event = {EPOLLIN};
    pipe(ends);
    epoll_ctl(set, EPOLL_CTL_ADD, ends[0], &event);
    int copy = dup(ends[0]);
    struct kcmp_epoll_slot slot = {set, ends[0], 0};
    gives(0, kcmp, self, self, KCMP_EPOLL_TFD, ends[0], &slot);
    gives(0, kcmp, self, self, KCMP_EPOLL_TFD, copy, &slot);
    is("the other end", abi_call(kcmp, self, self, KCMP_EPOLL_TFD, ends[1], &slot) > 0, 1);
    close(ends[0]);
    gives(0, kcmp, self, self, KCMP_EPOLL_TFD, copy, &slot);
    slot.toff = 1;
    fails(ENOENT, kcmp, self, self, KCMP_EPOLL_TFD, copy, &slot);
    slot = (struct kcmp_epoll_slot){set, ends[1], 0};
    fails(ENOENT, kcmp, self, self, KCMP_EPOLL_TFD, copy, &slot);
    slot.efd = copy;
    fails(EINVAL, kcmp, self, self, KCMP_EPOLL_TFD, copy, &slot);
    slot.efd = 99;
    fails(EBADF, kcmp, self, self, KCMP_EPOLL_TFD, copy, &slot);
    fails(EBADF, kcmp, self, self, KCMP_EPOLL_TFD, 99, &slot);
    fails(EFAULT, kcmp, self, self, KCMP_EPOLL_TFD, copy, BAD);
}

int main(void) {
    put("file", "");
    fd = open("file", O_RDONLY);
    int copy = dup(fd);
    gives(0, kcmp, getpid(), getpid(), KCMP_FILE, fd, copy);
    gives(0, kcmp, getpid(), getpid(), KCMP_VM, 0, 0);
    gives(0, kcmp, getpid(), getpid(), KCMP_SIGHAND, 0, 0);
    in_child("child", compares);
    watched();
}
