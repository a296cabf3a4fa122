/* flock and record locks that several wait for: one at a time has each. */
#include "abi.h"

#define ROUNDS 30

static volatile int *inside, *most;

static void locks(int how) {
    int fd = open("file", O_RDWR);
    for (int i = 0; i < ROUNDS; i++) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        if (how ? flock(fd, LOCK_EX) : fcntl(fd, F_SETLKW, &lock))
            give_up("lock");
        int now = __atomic_add_fetch(inside, 1, __ATOMIC_SEQ_CST);
        if (now > *most)
            *most = now;
        sched_yield();
        __atomic_sub_fetch(inside, 1, __ATOMIC_SEQ_CST);
        lock.l_type = F_UNLCK;
        if (how ? flock(fd, LOCK_UN) : fcntl(fd, F_SETLK, &lock))
            give_up("unlock");
    }
}

static void whole(void) {
    locks(1);
}

static void records(void) {
    locks(0);
}

static void kind(const char *name, void (*fn)(void)) {
    int children[3];
    *most = 0;
    for (int i = 0; i < 3; i++)
        children[i] = start(fn);
    for (int i = 0; i < 3; i++)
        ended(name, children[i]);
    is("at once", *most, 1);
}

int main(void) {
    inside = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    most = inside + 1;
    put("file", "");
    kind("whole", whole);
    kind("records", records);
}
