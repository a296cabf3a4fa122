/* reboot: what it does not know, and who may not ask. */
#include "abi.h"

#define FIRST  0xfee1dead
#define SECOND 672274793

int main(void) {
    fails(EINVAL, reboot, FIRST, SECOND, 77, NULL);
    fails(EINVAL, reboot, FIRST, 1, 0, NULL);
    fails(EINVAL, reboot, 1, SECOND, 0, NULL);
    be(SOMEBODY);
    fails(EPERM, reboot, FIRST, SECOND, 0, NULL);
    fails(EPERM, reboot, 1, 1, 1, NULL);
}
