/* adjtimex and clock_adjtime: asking; and who may do more. */
#include "abi.h"

#include <sys/timex.h>

int main(void) {
    struct timex timex = {.modes = 0}, tick = {.modes = ADJ_TICK, .tick = 1};
    works(adjtimex, &timex);
    is("tick", timex.tick, 10000);
    works(clock_adjtime, CLOCK_REALTIME, &timex);
    fails(EINVAL, adjtimex, &tick);
    fails(EINVAL, clock_adjtime, CLOCK_REALTIME, &tick);
    fails(EINVAL, clock_adjtime, 99, &timex);
    fails(EOPNOTSUPP, clock_adjtime, CLOCK_MONOTONIC, &timex);
    fails(EFAULT, adjtimex, BAD);
    fails(EFAULT, clock_adjtime, CLOCK_REALTIME, BAD);
    be(SOMEBODY);
    fails(EPERM, adjtimex, &tick);
    fails(EPERM, clock_adjtime, CLOCK_REALTIME, &tick);
    timex.modes = 0;
    works(adjtimex, &timex);
}
