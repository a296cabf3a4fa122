/* F_GETFL and F_SETFL: what open() was asked for, what can be changed, and what stays. */
#include "abi.h"

int main(void) {
    static const int all[] = {O_RDONLY,
                              O_WRONLY,
                              O_RDWR,
                              O_RDWR | O_APPEND,
                              O_RDONLY | O_NONBLOCK,
                              O_RDONLY | O_CLOEXEC,
                              O_RDWR | O_TRUNC | O_CREAT,
                              O_PATH};
    put("file", "");
    for (int i = 0; i < 8; i++) {
        int fd = open("file", all[i], 0600);
        say("%x: %x", all[i], fcntl(fd, F_GETFL));
    }
    int fd = open("file", O_RDWR);
    gives(0, fcntl, fd, F_SETFL, O_APPEND | O_NONBLOCK | O_WRONLY | O_TRUNC);
    is("flags", fcntl(fd, F_GETFL) & ~0100000, O_RDWR | O_APPEND | O_NONBLOCK);
    gives(0, fcntl, fd, F_SETFL, 0);
    is("flags", fcntl(fd, F_GETFL) & ~0100000, O_RDWR);
    fails(EBADF, fcntl, 99, F_GETFL);
    fails(EBADF, fcntl, open("file", O_PATH), F_SETFL, 0);
    fails(EINVAL, fcntl, fd, 9999);
}
