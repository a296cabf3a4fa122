/* Words that clone writes: the child's and the parent's, and the one that is cleared. */
#include "abi.h"

#include <linux/futex.h>

static int parents, childs, seen, ran;

static int runs(void *unused) {
    seen = childs;
    __atomic_store_n(&ran, 1, __ATOMIC_SEQ_CST);
    return 0;
}

int main(void) {
    static char stack[65536];
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    int tid = clone(runs, stack + 65536, flags, NULL, &parents, NULL, &childs);
    is("a thread", tid > 0, 1);
    is("parent's", parents == tid, 1);
    for (int now; (now = __atomic_load_n(&childs, __ATOMIC_SEQ_CST)) == tid || !ran;)
        syscall(SYS_futex, &childs, FUTEX_WAIT, now, &(struct timespec){0, 5000000});
    is("its own", seen == tid, 1);
    is("cleared", childs, 0);
    fails(EINVAL, clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0);
    fails(EINVAL, clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0);
    while (!syscall(SYS_tgkill, getpid(), tid, 0)) /* its memory is let go of first */
        sched_yield();
    fails(ESRCH, tgkill, getpid(), tid, 0);
}
