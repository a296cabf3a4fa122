/* Record locks go with any close by their process; flock with the last of its file. */
#include "abi.h"

#include <sys/file.h>

static void looks(void) {
    int fd = open("file", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    gives(0, fcntl, fd, F_GETLK, &lock);
    say("%s, from %ld, %ld bytes", lock.l_type == F_UNLCK ? "free" : "taken", lock.l_start,
        lock.l_len);
}

static void tries(void) {
    int fd = open("file", O_RDWR);
    say("%s", flock(fd, LOCK_EX | LOCK_NB) ? strerrorname_np(errno) : "taken");
}

int main(void) {
    int first = open("file", O_RDWR | O_CREAT, 0600), second = open("file", O_RDWR);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};
    gives(0, fcntl, first, F_SETLK, &lock);
    in_child("held", looks);
    gives(0, close, second);
    in_child("lost", looks);
    second = dup(first);
    gives(0, flock, first, LOCK_EX);
    in_child("whole", tries);
    gives(0, close, first);
    in_child("kept by the copy", tries);
    gives(0, close, second);
    in_child("gone", tries);
}
