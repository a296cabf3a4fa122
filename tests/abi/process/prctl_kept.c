/* prctl: what is only kept, for a thread or its memory, and given on: what is done about broken
 * memory, large pages, how time is measured; where the end is written down. */
#include "abi.h"

#include <sys/prctl.h>

static void inherited(void) {
    gives(PR_MCE_KILL_EARLY, prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
    gives(1, prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
}

static void broken_memory(void) {
    gives(PR_MCE_KILL_DEFAULT, prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
    gives(0, prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0);
    gives(PR_MCE_KILL_LATE, prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
    gives(0, prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_DEFAULT, 0, 0);
    gives(PR_MCE_KILL_DEFAULT, prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
    gives(0, prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 0, 0);
    gives(0, prctl, PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
    gives(PR_MCE_KILL_DEFAULT, prctl, PR_MCE_KILL_GET, 0, 0, 0, 0);
    gives(0, prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_EARLY, 0, 0);
    fails(EINVAL, prctl, PR_MCE_KILL, PR_MCE_KILL_SET, 3, 0, 0);
    fails(EINVAL, prctl, PR_MCE_KILL, PR_MCE_KILL_CLEAR, 1, 0, 0);
    fails(EINVAL, prctl, PR_MCE_KILL, 2, 0, 0, 0);
    fails(EINVAL, prctl, PR_MCE_KILL, PR_MCE_KILL_SET, PR_MCE_KILL_LATE, 1, 0);
    fails(EINVAL, prctl, PR_MCE_KILL_GET, 0, 0, 0, 1);
}

static void large_pages(void) {
    gives(0, prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_THP_DISABLE, 1, 0, 0, 0);
    gives(1, prctl, PR_GET_THP_DISABLE, 0, 0, 0, 0);
    fails(EINVAL, prctl, PR_GET_THP_DISABLE, 1, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_THP_DISABLE, 1, 0, 0, 1);
}

static void may_not(void) {
    be(SOMEBODY);
    fails(EPERM, prctl, PR_SET_IO_FLUSHER, 1, 0, 0, 0);
    fails(EPERM, prctl, PR_GET_IO_FLUSHER, 0, 0, 0, 0);
}

int main(void) {
    int word, *at = NULL;
    broken_memory();
    large_pages();
    in_child("inherited", inherited);
    in_child("may not", may_not);
    gives(PR_TIMING_STATISTICAL, prctl, PR_GET_TIMING, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_TIMING, PR_TIMING_STATISTICAL, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_TIMING, PR_TIMING_TIMESTAMP, 0, 0, 0);
    works(set_tid_address, &word);
    gives(0, prctl, PR_GET_TID_ADDRESS, &at, 0, 0, 0);
    is("the same", at == &word, 1);
    fails(EFAULT, prctl, PR_GET_TID_ADDRESS, BAD, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 1);
    fails(EINVAL, prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 1, 0);
}
