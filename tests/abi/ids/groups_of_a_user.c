/* setgroups and getgroups: order, number, and who may. */
#include "abi.h"

int main(void) {
    gid_t groups[4] = {9, 3, 7, 3}, got[8];
    gives(0, setgroups, 4, groups);
    gives(4, getgroups, 0, NULL);
    gives(4, getgroups, 8, got);
    for (int i = 0; i < 4; i++)
        say("%d", got[i]);
    fails(EINVAL, getgroups, 3, got);
    fails(EINVAL, getgroups, -1, got);
    fails(EFAULT, getgroups, 8, BAD);
    fails(EFAULT, setgroups, 2, BAD);
    fails(EINVAL, setgroups, 70000, groups);
    gives(0, setgroups, 0, NULL);
    gives(0, getgroups, 8, got);
    be(SOMEBODY);
    fails(EPERM, setgroups, 1, groups);
}
