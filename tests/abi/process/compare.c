/* kcmp: what two processes have in common. */
#include "abi.h"

#include <linux/kcmp.h>

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

int main(void) {
    put("file", "");
    fd = open("file", O_RDONLY);
    int copy = dup(fd);
    gives(0, kcmp, getpid(), getpid(), KCMP_FILE, fd, copy);
    gives(0, kcmp, getpid(), getpid(), KCMP_VM, 0, 0);
    gives(0, kcmp, getpid(), getpid(), KCMP_SIGHAND, 0, 0);
    in_child("child", compares);
}
