/* Locks of open files (F_OFD_*): held by the open file, not by the process. */
#include "abi.h"

static int first, second;

static void other(void) {
    struct flock lock = {.l_type = F_WRLCK, .l_len = 1};
    gives(0, fcntl, first, F_OFD_SETLK, &lock);
    fails(EAGAIN, fcntl, second, F_OFD_SETLK, &lock);
}

int main(void) {
    first = open("file", O_RDWR | O_CREAT, 0644);
    second = open("file", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_len = 10};
    gives(0, fcntl, first, F_OFD_SETLK, &lock);
    gives(0, fcntl, first, F_OFD_SETLK, &lock);
    fails(EAGAIN, fcntl, second, F_OFD_SETLK, &lock);
    gives(0, fcntl, second, F_OFD_GETLK, &lock);
    say("%d %d %ld", lock.l_type, lock.l_pid, (long)lock.l_len);
    in_child("other", other);
    lock = (struct flock){.l_type = F_WRLCK, .l_len = 1, .l_pid = 5};
    fails(EINVAL, fcntl, first, F_OFD_SETLK, &lock);
    lock.l_pid = 0;
    fails(EAGAIN, fcntl, second, F_SETLK, &lock);
    int third = dup(first);
    close(first);
    fails(EAGAIN, fcntl, second, F_OFD_SETLK, &lock);
    close(third);
    gives(0, fcntl, second, F_OFD_SETLK, &lock);
}
