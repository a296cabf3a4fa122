/* flock, record locks and those of open files beside each other: who stands in whose way. */
#include "abi.h"

static int parents;

static long lock(int fd, int command, short type, long from, long length) {
    struct flock wanted = {.l_type = type, .l_start = from, .l_len = length};
    return abi_call(fcntl, fd, command, &wanted);
}

static void who(int fd, int command, short type, long from, long length) {
    struct flock asked = {.l_type = type, .l_start = from, .l_len = length};
    if (abi_call(fcntl, fd, command, &asked))
        say("  %s", strerrorname_np(errno));
    else if (asked.l_type == F_UNLCK)
        say("  %ld+%ld is free", from, length);
    else
        say("  %ld+%ld: type %d at %ld+%ld of %s", from, length, asked.l_type, (long)asked.l_start,
            (long)asked.l_len,
            asked.l_pid == parents ? "the parent"
            : asked.l_pid == -1    ? "an open file"
                                   : "another");
}

static void asks(void) {
    int fd = open("file", O_RDWR);
    who(fd, F_GETLK, F_WRLCK, 0, 0);
    who(fd, F_GETLK, F_RDLCK, 0, 0);
    who(fd, F_GETLK, F_WRLCK, 0, 10);
    who(fd, F_GETLK, F_WRLCK, 10, 10);
    who(fd, F_GETLK, F_WRLCK, 30, 5);
    who(fd, F_GETLK, F_WRLCK, 100, 0);
    who(fd, F_OFD_GETLK, F_WRLCK, 0, 0);
}

static int shared;

static void inherits(void) {
    /* Record locks stay with the parent; the others go with the open file. */
    is("record lock", lock(shared, F_SETLK, F_WRLCK, 10, 1), -1);
    gives(0, flock, shared, LOCK_EX | LOCK_NB);
    is("lock of the open file", lock(shared, F_OFD_SETLK, F_WRLCK, 50, 1), 0);
}

static void takes(void) {
    int fd = open("file", O_RDWR);
    is("what another close gave up", lock(fd, F_SETLK, F_WRLCK, 0, 0), 0);
}

int main(void) {
    put("file", "text");
    parents = getpid();
    shared = open("file", O_RDWR);
    is("10 to 20", lock(shared, F_SETLK, F_WRLCK, 10, 10), 0);
    is("20 to 30, shared", lock(shared, F_SETLK, F_RDLCK, 20, 10), 0);
    in_child("asks", asks);
    is("a hole", lock(shared, F_SETLK, F_UNLCK, 13, 2), 0);
    in_child("asks", asks);
    is("joined", lock(shared, F_SETLK, F_WRLCK, 12, 10), 0);
    in_child("asks", asks);
    is("to the end of all", lock(shared, F_SETLK, F_RDLCK, 90, 0), 0);
    in_child("asks", asks);
    is("open file's", lock(shared, F_OFD_SETLK, F_WRLCK, 50, 10), 0);
    gives(0, flock, shared, LOCK_EX);
    int other = open("file", O_RDWR);
    fails(EAGAIN, flock, other, LOCK_SH | LOCK_NB);
    is("other open file", lock(other, F_OFD_SETLK, F_RDLCK, 55, 1), -1);
    is("own records do not hinder", lock(other, F_SETLK, F_WRLCK, 10, 5), 0);
    is("the open file's do", lock(other, F_SETLK, F_WRLCK, 55, 1), -1);
    in_child("inherits", inherits);
    who(other, F_OFD_GETLK, F_WRLCK, 50, 5);
    /* Any close of the file gives up all its record locks, the open file's only its last. */
    lock(shared, F_OFD_SETLK, F_UNLCK, 50, 10);
    close(open("file", O_RDONLY));
    in_child("takes", takes);
    int copy = dup(shared);
    close(shared);
    fails(EAGAIN, flock, other, LOCK_SH | LOCK_NB);
    close(copy);
    gives(0, flock, other, LOCK_SH | LOCK_NB);
    gives(0, flock, other, LOCK_EX | LOCK_NB);
    fails(EINVAL, flock, other, 0);
    fails(EINVAL, flock, other, LOCK_NB);
    int reads = open("file", O_RDONLY);
    is("no right to write", lock(reads, F_SETLK, F_WRLCK, 0, 1), -1);
    is("errno", errno, EBADF);
    is("before the start", lock(other, F_SETLK, F_RDLCK, -1, 1), -1);
    is("errno", errno, EINVAL);
    is("backwards", lock(other, F_SETLK, F_RDLCK, 10, -5), 0);
    is("too far back", lock(other, F_SETLK, F_RDLCK, 10, -11), -1);
    is("no such type", lock(other, F_SETLK, 9, 0, 1), -1);
    struct flock named = {.l_type = F_RDLCK, .l_pid = 1};
    fails(EINVAL, fcntl, other, F_OFD_SETLK, &named);
}
