/* Addresses at which a program has nothing: of the kernel, of nobody, at the end, across the end.
 */
#include "abi.h"

#include <poll.h>
#include <sys/utsname.h>

int main(void) {
    char *end = page_end();
    char *const bad[] = {
        NULL,
        BAD,
        (char *)0x7ffffffff000,
        (char *)0x7fffffffffff,
        (char *)0x800000000000,
        (char *)0x8000000000000000,
        (char *)0xffff800000000000,
        (char *)0xffffffff80000000,
        (char *)-4096l,
        (char *)-1l,
        end,
        end - 1,
    };
    put("file", "0123456789");
    int fd = open("file", O_RDWR), ends[2];
    pipe(ends);
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *at = bad[i];
        say("%u", i);
        fails(EFAULT, stat, "file", at);
        fails(EFAULT, fstat, fd, at);
        fails(EFAULT, uname, at);
        fails(EFAULT, pipe, at);
        fails(EFAULT, getrlimit, RLIMIT_NOFILE, at);
        fails(EFAULT, getrusage, RUSAGE_SELF, at);
        fails(EFAULT, clock_gettime, CLOCK_MONOTONIC, at);
        fails(EFAULT, sysinfo, at);
        fails(EFAULT, rt_sigpending, at, 8);
        fails(EFAULT, getitimer, ITIMER_REAL, at);
        fails(EFAULT, sched_getaffinity, 0, 64, at);
        fails(EFAULT, statfs, ".", at);
        fails(EFAULT, nanosleep, at, NULL);
        fails(EFAULT, readv, fd, at, 1);
        fails(EFAULT, poll, at, 1, 0);
        if (at != end - 1) {
            fails(EFAULT, pread64, fd, at, 4, 0);
            fails(EFAULT, write, ends[1], at, 4);
            fails(EFAULT, open, at, O_RDONLY);
            fails(EFAULT, getcwd, at, 100);
        }
    }
}
