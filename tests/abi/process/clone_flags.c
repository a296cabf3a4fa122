/* clone and clone3: what is shared, where numbers are written, and which flags go together. */
#include "abi.h"

#include <linux/sched.h>

static volatile int shared;
static int parent_word, child_word;

static int sets(void *) {
    shared = 1;
    return 0;
}

#define made(flags) syscall(SYS_clone, flags, 0, &parent_word, &child_word, 0)

#define REFUSED(error, flags) fails(error, clone, flags, 0, &parent_word, &child_word, 0)

int main(void) {
    int status;
    REFUSED(EINVAL, CLONE_SIGHAND | SIGCHLD);
    REFUSED(EINVAL, CLONE_THREAD | SIGCHLD);
    REFUSED(EINVAL, CLONE_THREAD | CLONE_SIGHAND | SIGCHLD);
    REFUSED(EINVAL, CLONE_FS | CLONE_NEWNS | SIGCHLD);
    REFUSED(EINVAL, CLONE_FS | CLONE_NEWUSER | SIGCHLD);
    REFUSED(EINVAL, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD);
    REFUSED(EINVAL, CLONE_SIGHAND | CLONE_CLEAR_SIGHAND | SIGCHLD);
    /* Descriptors and folders of one's own, or shared. */
    mkdir("folder", 0755);
    for (int share = 0; share < 2; share++) {
        int fd = open("/dev/null", O_RDONLY),
            pid = made(SIGCHLD | (share ? CLONE_FILES | CLONE_FS : 0));
        if (!pid) {
            close(fd);
            chdir("folder");
            umask(share ? 077 : 070);
            _exit(0);
        }
        wait4(pid, &status, 0, NULL);
        say("shared %d: descriptor %d, folder %d, mask %o", share, fcntl(fd, F_GETFD),
            access("../folder", F_OK), umask(022));
        close(fd);
    }
    chdir("..");
    int pid = made(CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD);
    if (!pid)
        _exit(child_word == getpid() ? 5 : 6);
    wait4(pid, &status, 0, NULL);
    say("%d; parent's word %d, its own child's %d", status >> 8, parent_word == pid, child_word);
    shared = 0;
    pid = clone(sets, pages(4) + 4 * 4096, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);
    is("memory shared", shared, 1);
    wait4(pid, &status, 0, NULL);
    int pidfd = -1;
    pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &pidfd, 0, 0);
    if (!pid)
        _exit(6);
    is("descriptor on exec", fcntl(pidfd, F_GETFD), FD_CLOEXEC);
    siginfo_t info;
    gives(0, waitid, P_PIDFD, pidfd, &info, WEXITED, NULL);
    is("status", info.si_status, 6);
    /* The child of a child's parent. */
    pid = made(SIGCHLD);
    if (!pid) {
        int sibling = made(CLONE_PARENT | SIGCHLD);
        if (!sibling)
            _exit(8);
        _exit(7);
    }
    int first = wait4(-1, &status, 0, NULL), sum = status >> 8;
    int second = wait4(-1, &status, 0, NULL);
    sum += status >> 8;
    is("both are mine", sum, 15);
    /* clone3 checks all of its structure. */
    struct clone_args args = {.exit_signal = SIGCHLD};
    fails(EINVAL, clone3, &args, 8);
    fails(EINVAL, clone3, &args, 63);
    fails(E2BIG, clone3, &args, 5000);
    fails(EFAULT, clone3, BAD, sizeof args);
    args.exit_signal = 65;
    fails(EINVAL, clone3, &args, sizeof args);
    args.exit_signal = SIGCHLD;
    args.flags = 1ull << 40;
    fails(EINVAL, clone3, &args, sizeof args);
    args.flags = SIGCHLD;
    fails(EINVAL, clone3, &args, sizeof args);
    args.flags = 0;
    args.stack = 4096;
    fails(EINVAL, clone3, &args, sizeof args);
    args.stack = 0;
    args.stack_size = 4096;
    fails(EINVAL, clone3, &args, sizeof args);
    args.stack_size = 0;
    args.set_tid_size = 1;
    fails(EINVAL, clone3, &args, sizeof args);
    args.set_tid_size = 0;
    char longer[128] = {};
    memcpy(longer, &args, sizeof args);
    longer[100] = 1;
    fails(E2BIG, clone3, longer, sizeof longer);
    longer[100] = 0;
    long made3 = syscall(SYS_clone3, longer, sizeof longer);
    if (!made3)
        _exit(3);
    wait4(made3, &status, 0, NULL);
    is("status", status >> 8, 3);
}
