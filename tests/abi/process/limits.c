/* getrlimit, setrlimit, prlimit64. */
#include "abi.h"

static void sleeps(void) {
    for (;;)
        pause();
}

int main(void) {
    struct rlimit limit = {100, 200}, seen;
    gives(0, setrlimit, RLIMIT_NOFILE, &limit);
    gives(0, getrlimit, RLIMIT_NOFILE, &seen);
    say("%ld %ld", (long)seen.rlim_cur, (long)seen.rlim_max);
    limit.rlim_cur = 300;
    fails(EINVAL, setrlimit, RLIMIT_NOFILE, &limit);
    fails(EINVAL, setrlimit, 16, &limit);
    fails(EINVAL, getrlimit, 16, &seen);
    fails(EINVAL, getrlimit, -1, &seen);
    fails(EFAULT, setrlimit, RLIMIT_NOFILE, BAD);
    fails(EFAULT, getrlimit, RLIMIT_NOFILE, BAD);
    limit = (struct rlimit){50, 60};
    gives(0, prlimit64, 0, RLIMIT_NOFILE, &limit, &seen);
    say("%ld %ld", (long)seen.rlim_cur, (long)seen.rlim_max);
    int child = start(sleeps);
    gives(0, prlimit64, child, RLIMIT_NOFILE, NULL, &seen);
    say("%ld %ld", (long)seen.rlim_cur, (long)seen.rlim_max);
    fails(EINVAL, prlimit64, 0, 16, NULL, &seen);
    fails(EFAULT, prlimit64, 0, RLIMIT_NOFILE, NULL, BAD);
    fails(EFAULT, prlimit64, 0, RLIMIT_NOFILE, BAD, NULL);
    fails(ESRCH, prlimit64, 99999, RLIMIT_NOFILE, NULL, &seen);
    be(SOMEBODY);
    limit = (struct rlimit){10, 100};
    fails(EPERM, setrlimit, RLIMIT_NOFILE, &limit);
    fails(EPERM, prlimit64, 0, RLIMIT_NOFILE, &limit, NULL);
    fails(EPERM, prlimit64, child, RLIMIT_NOFILE, NULL, &seen);
    limit = (struct rlimit){10, 20};
    gives(0, setrlimit, RLIMIT_NOFILE, &limit);
    for (int i = 0; i < 16; i++) {
        getrlimit(i, &seen);
        is("soft is at most hard", seen.rlim_cur <= seen.rlim_max, 1);
    }
}
