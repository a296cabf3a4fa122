/* close, close_range and what they leave. */
#include "abi.h"

#include <linux/close_range.h>

int main(void) {
    put("file", "x");
    int fd = works(open, "file", O_RDONLY);
    gives(0, close, fd);
    fails(EBADF, close, fd);
    fails(EBADF, close, -1);
    for (int i = 10; i < 20; i++)
        dup2(0, i);
    gives(0, close_range, 12, 14, 0);
    fails(EBADF, fcntl, 12, F_GETFD);
    gives(0, fcntl, 11, F_GETFD);
    gives(0, fcntl, 15, F_GETFD);
    gives(0, close_range, 15, 16, CLOSE_RANGE_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, 16, F_GETFD);
    gives(0, fcntl, 17, F_GETFD);
    gives(0, close_range, 17, ~0u, CLOSE_RANGE_UNSHARE);
    fails(EBADF, fcntl, 19, F_GETFD);
    fails(EINVAL, close_range, 5, 4, 0);
    fails(EINVAL, close_range, 5, 6, 64);
    gives(0, close_range, 1000, 2000, 0);
}
