/* fcntl's locks of records: conflicts, ranges, waiting, deadlocks, what ends them. */
#include "abi.h"

static int fd;

static struct flock lock(int type, long start, long length) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
}

static void other(void) {
    struct flock mine = lock(F_WRLCK, 5, 1);
    fails(EAGAIN, fcntl, fd, F_SETLK, &mine);
    gives(0, fcntl, fd, F_GETLK, &mine);
    say("%d %ld %ld, parent's: %d", mine.l_type, (long)mine.l_start, (long)mine.l_len,
        mine.l_pid == getppid());
    mine = lock(F_RDLCK, 50, 1);
    gives(0, fcntl, fd, F_SETLK, &mine);
    mine = lock(F_WRLCK, 50, 1);
    fails(EAGAIN, fcntl, fd, F_SETLK, &mine);
    mine = lock(F_WRLCK, 200, 0);
    gives(0, fcntl, fd, F_GETLK, &mine);
    is("nobody's", mine.l_type, F_UNLCK);
    handle(SIGALRM, 0);
    alarm_in(20);
    mine = lock(F_WRLCK, 0, 10);
    fails(EINTR, fcntl, fd, F_SETLKW, &mine);
}

int main(void) {
    fd = open("file", O_RDWR | O_CREAT, 0644);
    struct flock one = lock(F_WRLCK, 0, 10);
    gives(0, fcntl, fd, F_SETLK, &one);
    one = lock(F_RDLCK, 40, 20);
    gives(0, fcntl, fd, F_SETLK, &one);
    in_child("other", other);
    one = lock(F_UNLCK, 0, 0);
    gives(0, fcntl, fd, F_SETLK, &one);
    one = lock(F_WRLCK, -1, 1);
    fails(EINVAL, fcntl, fd, F_SETLK, &one);
    one = lock(77, 0, 1);
    fails(EINVAL, fcntl, fd, F_SETLK, &one);
    one = lock(F_WRLCK, 0, 1);
    one.l_whence = 9;
    fails(EINVAL, fcntl, fd, F_SETLK, &one);
    one = lock(F_UNLCK, 0, 1);
    fails(EINVAL, fcntl, fd, F_GETLK, &one);
    int reads = open("file", O_RDONLY), writes = open("file", O_WRONLY);
    one = lock(F_WRLCK, 0, 1);
    fails(EBADF, fcntl, reads, F_SETLK, &one);
    one = lock(F_RDLCK, 0, 1);
    fails(EBADF, fcntl, writes, F_SETLK, &one);
    int ends[2];
    pipe(ends);
    one = lock(F_WRLCK, 10, -5);
    gives(0, fcntl, fd, F_SETLK, &one);
}
