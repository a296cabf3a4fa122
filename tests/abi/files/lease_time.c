/* How long who breaks a lease waits for its owner, and whether there are any: /proc/sys/fs. */
#include "abi.h"

#define SECONDS "/proc/sys/fs/lease-break-time"
#define ENABLED "/proc/sys/fs/leases-enable"

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(void) {
    put("file", "0123");
    handle(SIGIO, SA_RESTART);
    char before[16];
    strcpy(before, get(SECONDS));
    say("%s %s", before, get(ENABLED));
    put(SECONDS, "1\n");
    say("%s", get(SECONDS));
    int setting = open(SECONDS, O_WRONLY);
    fails(EINVAL, write, setting, "x", 1);
    close(setting);
    /* Its owner does nothing: then it goes, or is shared, when the time is over. */
    int fd = open("file", O_RDONLY);
    gives(0, fcntl, fd, F_SETLEASE, F_WRLCK);
    int64_t begun = now_ms();
    int reader = (int)works(open, "file", O_RDONLY);
    say("%d", now_ms() - begun >= 900);
    gives(F_RDLCK, fcntl, fd, F_GETLEASE);
    is("owner", fcntl(fd, F_GETOWN) == getpid(), 1);
    close(reader);
    begun = now_ms();
    int writer = (int)works(open, "file", O_WRONLY);
    say("%d", now_ms() - begun >= 900);
    gives(F_UNLCK, fcntl, fd, F_GETLEASE);
    gives(0, fcntl, fd, F_GETOWN);
    fails(EAGAIN, fcntl, fd, F_SETLEASE, F_UNLCK);
    close(writer);
    say("%d", caught);
    put(ENABLED, "0");
    fails(EINVAL, fcntl, fd, F_SETLEASE, F_RDLCK);
    fails(EAGAIN, fcntl, fd, F_SETLEASE, F_UNLCK);
    put(ENABLED, "1");
    gives(0, fcntl, fd, F_SETLEASE, F_RDLCK);
    put(SECONDS, before);
}
