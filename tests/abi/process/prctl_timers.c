/* prctl: the slack of timers, and reading the time stamp counter. */
#include "abi.h"

#include <sys/prctl.h>

int main(void) {
    int value;
    works(prctl, PR_SET_TIMERSLACK, 1000, 0, 0, 0);
    gives(1000, prctl, PR_GET_TIMERSLACK, 0, 0, 0, 0);
    gives(0, prctl, PR_GET_TSC, &value, 0, 0, 0);
}
