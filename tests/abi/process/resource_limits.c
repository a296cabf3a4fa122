/* Each limit: what it is at first, over fork and exec, lowered, raised, and by whom. */
#include "abi.h"

static void child(void) {
    struct rlimit now;
    for (int kind = 0; kind < RLIM_NLIMITS; kind++) {
        getrlimit(kind, &now);
        if (kind == RLIMIT_CPU || kind == RLIMIT_CORE || kind == RLIMIT_NOFILE)
            say("%d is %ld", kind, (long)now.rlim_cur);
    }
    say("inherited");
}

static void somebody(void) {
    struct rlimit now = {50, 100}, more = {50, 200}, high = {101, 100};
    setrlimit(RLIMIT_CORE, &now);
    be(SOMEBODY);
    fails(EPERM, setrlimit, RLIMIT_CORE, &more);
    fails(EINVAL, setrlimit, RLIMIT_CORE, &high);
    now.rlim_cur = 100;
    gives(0, setrlimit, RLIMIT_CORE, &now);
    now = (struct rlimit){10, 20};
    gives(0, setrlimit, RLIMIT_CORE, &now);
    now.rlim_max = 21;
    fails(EPERM, setrlimit, RLIMIT_CORE, &now);
    fails(EPERM, prlimit64, getppid(), RLIMIT_CORE, NULL, &now);
    gives(0, prlimit64, getpid(), RLIMIT_CORE, NULL, &now);
    say("%ld %ld", (long)now.rlim_cur, (long)now.rlim_max);
    struct rlimit files = {4, 4};
    gives(0, setrlimit, RLIMIT_NOFILE, &files);
    int fd = dup(0), last = fd;
    while ((fd = dup(0)) >= 0)
        last = fd;
    is("EMFILE", errno, EMFILE);
    is("last", last, 3);
    fails(EBADF, dup2, 0, 4);
    fails(EINVAL, fcntl, 0, F_DUPFD, 4);
}

static void no_more_processes(void) {
    be(4000);
    struct rlimit one = {1, 1};
    gives(0, setrlimit, RLIMIT_NPROC, &one);
    fails(EAGAIN, fork);
}

static void no_core_of_root(void) {
    struct rlimit one = {1, 1};
    setrlimit(RLIMIT_NPROC, &one);
    int made = fork();
    if (!made)
        _exit(0);
    is("root is not counted", made > 0, 1);
    waitpid(made, NULL, 0);
}

static void little_space(void) {
    struct rlimit space = {64 << 20, 64 << 20};
    gives(0, setrlimit, RLIMIT_AS, &space);
    fails(ENOMEM, mmap, 0, 80 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *at = mmap(NULL, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    is("some", at != MAP_FAILED, 1);
    fails(ENOMEM, mremap, at, 8 << 20, 70 << 20, MREMAP_MAYMOVE);
    struct rlimit data = {1 << 20, 1 << 20};
    gives(0, setrlimit, RLIMIT_DATA, &data);
    char *end = sbrk(0);
    is("no more break", brk(end + (4 << 20)), -1);
    fails(ENOMEM, mmap, 0, 4 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(mmap, 0, 4 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    works(mmap, 0, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

int main(void) {
    struct rlimit now, odd = {2, 1};
    fails(EINVAL, getrlimit, RLIM_NLIMITS, &now);
    fails(EINVAL, setrlimit, RLIM_NLIMITS, &now);
    fails(EINVAL, setrlimit, RLIMIT_CPU, &odd);
    fails(EFAULT, setrlimit, RLIMIT_CPU, BAD);
    in_child("somebody", somebody);
    in_child("processes", no_more_processes);
    in_child("root", no_core_of_root);
    in_child("space", little_space);
    for (int kind = 0; kind < RLIM_NLIMITS; kind++) {
        if (kind == RLIMIT_NICE || kind == RLIMIT_RTPRIO || kind == RLIMIT_AS ||
            kind == RLIMIT_DATA || kind == RLIMIT_STACK || kind == RLIMIT_FSIZE)
            continue;
        struct rlimit set = {100 + kind, 1000};
        gives(0, setrlimit, kind, &set);
    }
    gives(0, prlimit64, 0, RLIMIT_CPU, &(struct rlimit){7, 1000}, &now);
    say("%ld %ld", (long)now.rlim_cur, (long)now.rlim_max);
    fails(ESRCH, prlimit64, 0x3ffffff, RLIMIT_CPU, NULL, &now);
    int one = start(child);
    ended("child", one);
}
