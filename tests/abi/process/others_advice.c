/* process_madvise, process_mrelease: another process's memory, by its descriptor. */
#include "abi.h"

#include <sys/prctl.h>
#include <sys/ptrace.h>

#define PAGE 4096

static void sleeps(void) {
    for (;;)
        pause();
}

static char *at;

static void somebody(void) {
    struct iovec range = {at, PAGE};
    be(SOMEBODY);
    int parent = abi_call(pidfd_open, getppid(), 0);
    fails(EACCES, process_madvise, parent, &range, 1, MADV_COLD, 0);
    prctl(PR_SET_DUMPABLE, 1);
    int child = start(sleeps), fd = abi_call(pidfd_open, child, 0);
    fails(EPERM, process_madvise, fd, &range, 1, MADV_COLD, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* One that was killed, and has its memory still: it is stopped on its way out. */
static void leaving(void) {
    int child = start(sleeps), fd = abi_call(pidfd_open, child, 0), status;
    ptrace(PTRACE_SEIZE, child, NULL, PTRACE_O_TRACEEXIT);
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    if (WSTOPSIG(status) == SIGTERM) {
        ptrace(PTRACE_CONT, child, NULL, SIGTERM);
        waitpid(child, &status, 0);
    }
    is("on its way out", status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
    gives(0, process_mrelease, fd, 0);
    ptrace(PTRACE_CONT, child, NULL, 0);
    waitpid(child, &status, 0);
    is("status", status, SIGTERM);
}

int main(void) {
    at = pages(4);
    at[0] = 1;
    int child = start(sleeps), fd = works(pidfd_open, child, 0);
    struct iovec ranges[] = {{at, PAGE}, {at + 2 * PAGE, 2 * PAGE}}, odd = {at + 1, PAGE};
    gives(3 * PAGE, process_madvise, fd, ranges, 2, MADV_COLD, 0);
    gives(PAGE, process_madvise, fd, ranges, 1, MADV_PAGEOUT, 0);
    gives(PAGE, process_madvise, fd, ranges, 1, MADV_WILLNEED, 0);
    fails(EINVAL, process_madvise, fd, ranges, 1, MADV_COLD, 1);
    fails(EINVAL, process_madvise, fd, ranges, 1, MADV_DONTNEED, 0);
    fails(EINVAL, process_madvise, fd, ranges, 1, 9999, 0);
    fails(EINVAL, process_madvise, fd, &odd, 1, MADV_COLD, 0);
    fails(EFAULT, process_madvise, fd, BAD, 1, MADV_COLD, 0);
    fails(EBADF, process_madvise, -1, ranges, 1, MADV_COLD, 0);
    fails(EBADF, process_madvise, 1, ranges, 1, MADV_COLD, 0);
    fails(EINVAL, process_mrelease, fd, 0);
    fails(EINVAL, process_mrelease, fd, 1);
    fails(EBADF, process_mrelease, -1, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    fails(ESRCH, process_madvise, fd, ranges, 1, MADV_COLD, 0);
    fails(ESRCH, process_mrelease, fd, 0);
    munmap(at + PAGE, PAGE);
    ranges[0] = (struct iovec){at + PAGE, PAGE};
    child = start(sleeps), fd = works(pidfd_open, child, 0);
    fails(ENOMEM, process_madvise, fd, ranges, 1, MADV_COLD, 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    in_child("somebody", somebody);
    leaving();
}
