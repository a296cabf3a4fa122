/* fcntl's locks of records: who would wait for himself, through others, is told so. */
#include "abi.h"

static int fd;
static char *order;

static struct flock lock(int type, long start) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = 1};
}

/* Has the byte `own` and waits for `other`; whoever closes the circle is refused. */
static void holds(long own, long other) {
    struct flock one = lock(F_WRLCK, own), two = lock(F_WRLCK, other);
    gives(0, fcntl, fd, F_SETLK, &one);
    order[own] = 1;
    abi_call(fcntl, fd, F_SETLKW, &two);
}

static void first(void) {
    holds(1, 0);
}

static void second(void) {
    holds(2, 1);
}

int main(void) {
    fd = open("file", O_RDWR | O_CREAT, 0644);
    order = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct flock own = lock(F_WRLCK, 0), direct = lock(F_WRLCK, 1), around = lock(F_WRLCK, 2);
    gives(0, fcntl, fd, F_SETLK, &own);
    int one = start(first);
    until_asleep(one);
    fails(EDEADLK, fcntl, fd, F_SETLKW, &direct);
    int two = start(second);
    until_asleep(two);
    is("both have theirs", order[1] + order[2], 2);
    fails(EDEADLK, fcntl, fd, F_SETLKW, &around);
    /* Another byte of the same file is no part of the circle. */
    struct flock free_one = lock(F_WRLCK, 9);
    gives(0, fcntl, fd, F_SETLKW, &free_one);
    own.l_type = F_UNLCK;
    gives(0, fcntl, fd, F_SETLK, &own);
    ended("one", one);
    ended("two", two);
    gives(0, fcntl, fd, F_SETLKW, &around);
}
