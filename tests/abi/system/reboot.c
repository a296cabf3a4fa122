/* reboot: what pressing three keys does, as it is set already; and who may not ask. */
#include "abi.h"

#define FIRST  0xfee1dead
#define SECOND 672274793

int main(void) {
    char now = '1';
    int fd = open("/proc/sys/kernel/ctrl-alt-del", O_RDONLY);
    if (fd >= 0)
        read(fd, &now, 1);
    gives(0, reboot, FIRST, SECOND, now == '1' ? 0x89abcdef : 0, NULL);
    gives(0, reboot, FIRST, 369367448, now == '1' ? 0x89abcdef : 0, NULL);
    fails(EINVAL, reboot, FIRST, SECOND, 77, NULL);
    fails(EINVAL, reboot, FIRST, 1, 0, NULL);
    fails(EINVAL, reboot, 1, SECOND, 0, NULL);
    be(SOMEBODY);
    fails(EPERM, reboot, FIRST, SECOND, 0, NULL);
    fails(EPERM, reboot, 1, 1, 1, NULL);
}
