/* Limits: what may be set, and by whom. */
#include "abi.h"

static void somebody(void) {
    struct rlimit limit, more;
    be(SOMEBODY);
    getrlimit(RLIMIT_NOFILE, &limit);
    more = (struct rlimit){limit.rlim_max + 1, limit.rlim_max + 1};
    fails(EPERM, setrlimit, RLIMIT_NOFILE, &more);
    fails(EPERM, prlimit64, 0, RLIMIT_NOFILE, &more, NULL);
    limit.rlim_cur = 5;
    gives(0, setrlimit, RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    gives(0, prlimit64, getpid(), RLIMIT_NOFILE, &limit, &more);
    is("before", more.rlim_cur, 5);
    fails(EPERM, prlimit64, getppid(), RLIMIT_NOFILE, NULL, &more);
    limit.rlim_max = limit.rlim_cur = 50;
    gives(0, setrlimit, RLIMIT_NOFILE, &limit);
    limit.rlim_max = 51;
    fails(EPERM, setrlimit, RLIMIT_NOFILE, &limit);
}

int main(void) {
    struct rlimit wrong = {10, 5}, seen;
    fails(EINVAL, setrlimit, RLIMIT_NOFILE, &wrong);
    fails(EINVAL, setrlimit, 16, &wrong);
    fails(EINVAL, setrlimit, -1, &wrong);
    fails(EINVAL, getrlimit, 16, &seen);
    fails(EFAULT, getrlimit, RLIMIT_NOFILE, BAD);
    fails(EFAULT, setrlimit, RLIMIT_NOFILE, BAD);
    fails(EFAULT, prlimit64, 0, RLIMIT_NOFILE, BAD, NULL);
    fails(EFAULT, prlimit64, 0, RLIMIT_NOFILE, NULL, BAD);
    fails(ESRCH, prlimit64, 99999999, RLIMIT_NOFILE, NULL, &seen);
    fails(EINVAL, prlimit64, 0, 16, NULL, &seen);
    for (int i = 0; i < 16; i++)
        gives(0, getrlimit, i, &seen);
    in_child("somebody", somebody);
}
