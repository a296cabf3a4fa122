/* FIFOs: who waits for whom when opening, and who does not. */
#include "abi.h"

static void writes(void) {
    int fd = open("fifo", O_WRONLY);
    write(fd, "z", 1);
}

int main(void) {
    mkfifo("fifo", 0600);
    fails(ENXIO, open, "fifo", O_WRONLY | O_NONBLOCK);
    int reader = works(open, "fifo", O_RDONLY | O_NONBLOCK);
    char byte;
    gives(0, read, reader, &byte, 1);
    int writer = works(open, "fifo", O_WRONLY | O_NONBLOCK);
    fails(EAGAIN, read, reader, &byte, 1);
    gives(1, write, writer, "x", 1);
    gives(1, read, reader, &byte, 1);
    close(writer);
    gives(0, read, reader, &byte, 1);
    close(reader);
    int both = works(open, "fifo", O_RDWR);
    gives(1, write, both, "y", 1);
    gives(1, read, both, &byte, 1);
    close(both);
    int child = start(writes);
    reader = works(open, "fifo", O_RDONLY);
    gives(1, read, reader, &byte, 1);
    ended("writer", child);
    gives(0, read, reader, &byte, 1);
    handle(SIGALRM, 0);
    close(reader);
    alarm_in(20);
    fails(EINTR, open, "fifo", O_RDONLY);
}
