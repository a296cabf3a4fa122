/* fork, vfork, clone, exit: a child, its status, and everything refused. */
#include "abi.h"

#include <linux/sched.h>

static void exits(void) {
    ends(exit, 0x1200);
}

static void exits_group(void) {
    ends(exit_group, 0);
}

static void too_many(void) {
    be(SOMEBODY);
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NPROC, &none);
    fails(EAGAIN, fork);
    fails(EAGAIN, vfork);
}

int main(void) {
    int status;
    if (!works(fork))
        _exit(5);
    wait(&status);
    say("%x", status);
    in_child("exit", exits);
    in_child("exit_group", exits_group);
    in_child("too many", too_many);
    if (!works(clone, SIGCHLD, 0, 0, 0, 0))
        _exit(6);
    wait(&status);
    say("%x", status);
    fails(EINVAL, clone, CLONE_THREAD, 0, 0, 0, 0);
    fails(EINVAL, clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0);
    fails(EINVAL, clone, CLONE_FS | CLONE_NEWNS, 0, 0, 0, 0);
    struct clone_args args = {.exit_signal = SIGCHLD};
    long child = works(clone3, &args, sizeof args);
    if (!child)
        _exit(8);
    waitpid(child, &status, 0);
    say("%x", status);
    fails(EINVAL, clone3, &args, 8);
    fails(E2BIG, clone3, &args, 8192);
    fails(EFAULT, clone3, BAD, sizeof args);
    args.exit_signal = 1000;
    fails(EINVAL, clone3, &args, sizeof args);
    args = (struct clone_args){.exit_signal = SIGCHLD, .stack = 4096};
    fails(EINVAL, clone3, &args, sizeof args);
    be(SOMEBODY);
    fails(EPERM, clone, CLONE_NEWUTS | SIGCHLD, 0, 0, 0, 0);
    args = (struct clone_args){.flags = CLONE_NEWUTS, .exit_signal = SIGCHLD};
    fails(EPERM, clone3, &args, sizeof args);
    fails(EPERM, unshare, CLONE_NEWUTS);
    fails(EINVAL, unshare, 1);
    gives(0, unshare, CLONE_FILES | CLONE_FS);
}
