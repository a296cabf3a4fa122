/* prctl: names, dumpable, subreaper, no new privileges, timer slack. */
#include "abi.h"

#include <sys/prctl.h>

int main(void) {
    char name[17] = "";
    int value = -1;
    gives(0, prctl, PR_SET_NAME, "a name that is too long");
    gives(0, prctl, PR_GET_NAME, name);
    say("%s", name);
    say("%s", get("/proc/self/comm"));
    fails(EFAULT, prctl, PR_SET_NAME, BAD);
    fails(EFAULT, prctl, PR_GET_NAME, BAD);
    gives(1, prctl, PR_GET_DUMPABLE);
    gives(0, prctl, PR_SET_DUMPABLE, 0);
    gives(0, prctl, PR_GET_DUMPABLE);
    fails(EINVAL, prctl, PR_SET_DUMPABLE, 2);
    gives(0, prctl, PR_SET_CHILD_SUBREAPER, 1);
    gives(0, prctl, PR_GET_CHILD_SUBREAPER, &value);
    is("reaper", value, 1);
    gives(0, prctl, PR_SET_PDEATHSIG, SIGUSR1);
    gives(0, prctl, PR_GET_PDEATHSIG, &value);
    is("signal", value, SIGUSR1);
    fails(EINVAL, prctl, PR_SET_PDEATHSIG, 65);
    gives(0, prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0);
    gives(0, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(1, prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_TIMERSLACK, 1234);
    gives(1234, prctl, PR_GET_TIMERSLACK);
    fails(EINVAL, prctl, 9999);
}
