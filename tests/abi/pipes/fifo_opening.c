/* FIFOs: who waits for whom when they are opened, what is left in them, their ends. */
#include "abi.h"

#include <poll.h>

static void reader(void) {
    char data[16] = "";
    int fd = works(open, "fifo", O_RDONLY);
    gives(5, read, fd, data, 5);
    say("%s", data);
    gives(0, read, fd, data, 5);
}

static void writer(void) {
    int fd = works(open, "fifo", O_WRONLY);
    gives(5, write, fd, "hello", 5);
}

static short ready(int fd, short events) {
    struct pollfd one = {fd, events};
    poll(&one, 1, 0);
    return one.revents;
}

int main(void) {
    char data[16];
    signal(SIGPIPE, SIG_IGN);
    mkfifo("fifo", 0644);
    int one = start(reader);
    until_asleep(one);
    int fd = works(open, "fifo", O_WRONLY);
    gives(5, write, fd, "hello", 5);
    close(fd);
    ended("reader", one);
    one = start(writer);
    until_asleep(one);
    fd = works(open, "fifo", O_RDONLY);
    gives(5, read, fd, data, 16);
    ended("writer", one);
    gives(0, read, fd, data, 16);
    say("its writers are gone: %x", ready(fd, POLLIN));
    /* A new writer, and there is something to wait for again. */
    int out = works(open, "fifo", O_WRONLY | O_NONBLOCK);
    say("a writer: %x %x", ready(fd, POLLIN), ready(out, POLLOUT));
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fails(EAGAIN, read, fd, data, 16);
    gives(3, write, out, "abc", 3);
    close(out);
    say("left: %x", ready(fd, POLLIN));
    int second = works(open, "fifo", O_RDONLY | O_NONBLOCK);
    gives(1, read, second, data, 1);
    gives(2, read, fd, data, 16);
    gives(0, read, second, data, 1);
    close(second);
    out = works(open, "fifo", O_WRONLY | O_NONBLOCK);
    write(out, "lost", 4);
    close(fd);
    say("no reader: %x", ready(out, POLLOUT));
    fails(EPIPE, write, out, "x", 1);
    /* What nobody has open is forgotten. */
    close(out);
    fails(ENXIO, open, "fifo", O_WRONLY | O_NONBLOCK);
    fd = works(open, "fifo", O_RDONLY | O_NONBLOCK);
    gives(0, read, fd, data, 16);
    say("never a writer: %x", ready(fd, POLLIN));
    /* Both ends by one descriptor never end, nor break. */
    int both = works(open, "fifo", O_RDWR);
    gives(2, write, both, "xy", 2);
    gives(2, read, both, data, 16);
    fcntl(both, F_SETFL, O_NONBLOCK);
    fails(EAGAIN, read, both, data, 16);
    say("both: %x", ready(both, POLLIN | POLLOUT));
    unlink("fifo");
    gives(1, write, both, "z", 1);
    gives(1, read, fd, data, 16);
    fails(ESPIPE, lseek, both, 0, SEEK_SET);
    fails(EINVAL, ftruncate, both, 0);
    fails(EINVAL, fsync, both);
}
