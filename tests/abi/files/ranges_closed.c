/* close_range: closing, marking, unsharing; ranges that are none. */
#include "abi.h"

#include <linux/close_range.h>

int main(void) {
    int first = dup(0);
    for (int i = 1; i < 6; i++)
        dup(0);
    gives(0, close_range, first + 1, first + 2, 0);
    works(fcntl, first, F_GETFD);
    fails(EBADF, fcntl, first + 1, F_GETFD);
    fails(EBADF, fcntl, first + 2, F_GETFD);
    gives(0, close_range, first + 3, ~0u, CLOSE_RANGE_CLOEXEC);
    gives(1, fcntl, first + 3, F_GETFD);
    gives(0, fcntl, first, F_GETFD);
    gives(0, close_range, first + 4, ~0u, CLOSE_RANGE_UNSHARE);
    fails(EBADF, fcntl, first + 5, F_GETFD);
    fails(EINVAL, close_range, 5, 4, 0);
    fails(EINVAL, close_range, 5, 6, 8);
    gives(0, close_range, 5000, 6000, 0);
}
