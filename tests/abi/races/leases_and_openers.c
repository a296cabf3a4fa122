/*
 * Leases against openings: while somebody has a lease for writing alone nobody else has the file
 * open, however they meet.
 */
#include "abi.h"

#define OPENED 60

static int *inside, *wrong, *over;

static void opens(void) {
    for (int i = 0; i < OPENED; i++) {
        int fd = open("file", i & 1 ? O_RDONLY : O_WRONLY);
        if (fd < 0)
            give_up("open");
        __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST);
        sched_yield();
        __atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
        close(fd);
    }
}

static void ignores(int signal) {
    (void)signal;
}

/* Has it, looks that nobody is inside, and gives it up when told, or soon. */
static void leases(void) {
    signal(SIGIO, ignores);
    while (!__atomic_load_n(over, __ATOMIC_RELAXED)) {
        int fd = open("file", O_RDONLY | O_NONBLOCK);
        if (fd >= 0 && !fcntl(fd, F_SETLEASE, F_WRLCK)) {
            for (int i = 0; i < 20; i++) {
                if (__atomic_load_n(inside, __ATOMIC_SEQ_CST) && fcntl(fd, F_GETLEASE) == F_WRLCK)
                    __atomic_store_n(wrong, 1, __ATOMIC_RELAXED);
                sched_yield();
            }
            fcntl(fd, F_SETLEASE, F_UNLCK);
        }
        if (fd >= 0)
            close(fd);
        sched_yield();
    }
}

int main(void) {
    int openers[2], owners[2];
    inside = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    wrong = inside + 1;
    over = inside + 2;
    put("file", "0123");
    for (int i = 0; i < 2; i++)
        owners[i] = start(leases);
    for (int i = 0; i < 2; i++)
        openers[i] = start(opens);
    for (int i = 0; i < 2; i++)
        ended("opener", openers[i]);
    __atomic_store_n(over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < 2; i++)
        ended("owner", owners[i]);
    is("open in spite of a lease", *wrong, 0);
}
