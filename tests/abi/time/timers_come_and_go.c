/* timer_create: any number of timers one after the other; how many there may be, RLIMIT_SIGPENDING
 * says. */
#include "abi.h"

#include <sys/resource.h>

int main(void) {
    struct sigevent silent = {.sigev_notify = SIGEV_NONE};
    struct rlimit none = {0, 1000};
    int timer, last = -1, made = 0, other = 0;
    for (int i = 0; i < 5000; i++) {
        made += !syscall(SYS_timer_create, CLOCK_MONOTONIC, &silent, &timer);
        other += timer != last;
        last = timer;
        syscall(SYS_timer_delete, timer);
    }
    say("%d %d", made, other);
    for (int i = 0; i < 5000; i++)
        made -= syscall(SYS_timer_create, CLOCK_MONOTONIC, &silent, BAD) == -1 && errno == EFAULT;
    say("%d", made);
    gives(0, timer_create, CLOCK_MONOTONIC, NULL, &timer);
    setrlimit(RLIMIT_SIGPENDING, &none);
    fails(EAGAIN, timer_create, CLOCK_MONOTONIC, &silent, &last);
    gives(0, timer_delete, timer);
    return 0;
}
