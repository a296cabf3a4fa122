/*
 * Sleeping and waking: futexes private to the process.
 *
 * No state of its own. errno is left as it was, because locks stand in between anything.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

void k42_platform_park(uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    struct timespec timeout = {
        .tv_sec = (time_t)(timeout_ns / 1000000000u),
        .tv_nsec = (long)(timeout_ns % 1000000000u),
    };
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, timeout_ns ? &timeout : NULL, NULL, 0);
    errno = saved;
}

void k42_platform_wake(uint32_t *word, uint32_t waiters) {
    int saved = errno;
    syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, waiters < INT_MAX ? waiters : INT_MAX, NULL, NULL,
            0);
    errno = saved;
}

void k42_platform_yield(void) {
    sched_yield();
}
