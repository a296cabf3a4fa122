/* Record locks that are split, joined and turned, as another process sees them. */
#include "abi.h"

static void set(int fd, int type, long start, long length) {
    struct flock lock = {type, SEEK_SET, start, length};
    gives(0, fcntl, fd, F_SETLK, &lock);
}

static void all(void) {
    int fd = open("file", O_RDWR);
    for (long at = 0; at < 200;) {
        struct flock lock = {F_WRLCK, SEEK_SET, at, 0};
        if (fcntl(fd, F_GETLK, &lock) || lock.l_type == F_UNLCK)
            break;
        say("%s %ld+%ld", lock.l_type == F_RDLCK ? "read" : "write", lock.l_start, lock.l_len);
        at = lock.l_len ? lock.l_start + lock.l_len : 200;
    }
}

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    set(fd, F_WRLCK, 0, 100);
    in_child("whole", all);
    set(fd, F_UNLCK, 20, 10);
    in_child("split", all);
    set(fd, F_RDLCK, 40, 10);
    in_child("one to read", all);
    set(fd, F_WRLCK, 15, 30);
    in_child("over it", all);
    set(fd, F_UNLCK, 0, 0);
    in_child("none", all);
    struct flock wrong = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = -1};
    fails(EINVAL, fcntl, fd, F_SETLK, &wrong);
    wrong = (struct flock){.l_type = 9};
    fails(EINVAL, fcntl, fd, F_SETLK, &wrong);
    fails(EFAULT, fcntl, fd, F_SETLK, BAD);
}
