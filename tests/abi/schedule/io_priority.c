/* ioprio_get, ioprio_set. */
#include "abi.h"

#define PRIORITY(class, data) ((class) << 13 | (data))

static void somebody(void) {
    be(SOMEBODY);
    gives(0, ioprio_set, 1, 0, PRIORITY(2, 7));
    fails(EPERM, ioprio_set, 1, 0, PRIORITY(1, 0));
    fails(EPERM, ioprio_set, 1, getppid(), PRIORITY(2, 7));
}

int main(void) {
    gives(0, ioprio_set, 1, 0, PRIORITY(2, 3));
    gives(PRIORITY(2, 3), ioprio_get, 1, 0);
    gives(PRIORITY(2, 3), ioprio_get, 1, getpid());
    fails(EINVAL, ioprio_set, 9, 0, PRIORITY(2, 3));
    fails(EINVAL, ioprio_set, 1, 0, PRIORITY(5, 3));
    fails(EINVAL, ioprio_get, 9, 0);
    works(ioprio_get, 3, 0);
    fails(ESRCH, ioprio_get, 1, 99999);
    fails(ESRCH, ioprio_set, 1, 99999, PRIORITY(2, 3));
    in_child("somebody", somebody);
}
