/* Named pipes: opening waits for the other side. */
#include "abi.h"

static void writer(void) {
    int fd = works(open, "fifo", O_WRONLY);
    gives(5, write, fd, "hello", 5);
}

int main(void) {
    char data[16] = "";
    mkfifo("fifo", 0644);
    int child = start(writer);
    until_asleep(child);
    int fd = works(open, "fifo", O_RDONLY);
    gives(5, read, fd, data, sizeof data);
    say("%s", data);
    ended("writer", child);
    gives(0, read, fd, data, sizeof data);
    close(fd);
    int both = works(open, "fifo", O_RDWR);
    gives(1, write, both, "x", 1);
    gives(1, read, both, data, 9);
    handle(SIGALRM, 0);
    close(both);
    alarm_in(20);
    fails(EINTR, open, "fifo", O_RDONLY);
    fails(EINTR, openat, AT_FDCWD, "fifo", O_WRONLY);
}
