/* sendfile: offsets, ends, to files, pipes and sockets, and everything refused. */
#include "abi.h"

#include <sys/socket.h>

static char data[100000];

int main(void) {
    int ends[2], pair[2];
    off_t at = 4;
    put("from", "0123456789");
    int from = open("from", O_RDONLY), to = open("to", O_RDWR | O_CREAT, 0644),
        append = open("to", O_WRONLY | O_APPEND), writes = open("from", O_WRONLY);
    pipe2(ends, O_NONBLOCK);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair);
    gives(10, sendfile, to, from, NULL, 100);
    gives(0, sendfile, to, from, NULL, 100);
    gives(3, sendfile, to, from, &at, 3);
    is("offset", at, 7);
    is("its own", lseek(from, 0, SEEK_CUR), 10);
    is("of the other", lseek(to, 0, SEEK_CUR), 13);
    say("%s", get("to"));
    at = 8;
    gives(2, sendfile, ends[1], from, &at, 100);
    gives(0, sendfile, ends[1], from, &at, 100);
    at = 10000;
    gives(0, sendfile, ends[1], from, &at, 100);
    is("offset", at, 10000);
    gives(2, read, ends[0], data, 100);
    at = 0;
    gives(10, sendfile, pair[0], from, &at, 100);
    gives(10, read, pair[1], data, 100);
    at = 0;
    gives(0, sendfile, to, from, &at, 0);
    fails(EINVAL, sendfile, append, from, &at, 5);
    fails(EBADF, sendfile, from, from, &at, 5);
    fails(EBADF, sendfile, to, writes, &at, 5);
    fails(EBADF, sendfile, 99, from, &at, 5);
    fails(EBADF, sendfile, to, 99, &at, 5);
    fails(EFAULT, sendfile, to, from, BAD, 5);
    fails(ESPIPE, sendfile, to, ends[0], &at, 5);
    at = -1;
    fails(EINVAL, sendfile, to, from, &at, 5);
    /* A file to itself, one place to another. */
    int same = open("to", O_RDWR);
    lseek(to, 0, SEEK_SET);
    at = 10;
    gives(3, sendfile, to, same, &at, 3);
    say("%s", get("to"));
    while (write(ends[1], data, 4096) > 0)
        ;
    at = 0;
    fails(EAGAIN, sendfile, ends[1], from, &at, 5);
    is("offset", at, 0);
    signal(SIGPIPE, SIG_IGN);
    close(ends[0]);
    fails(EPIPE, sendfile, ends[1], from, &at, 5);
    close(pair[1]);
    fails(EPIPE, sendfile, pair[0], from, &at, 5);
    int zero = open("/dev/zero", O_RDONLY);
    ftruncate(to, 0);
    lseek(to, 0, SEEK_SET);
    gives(50000, sendfile, to, zero, NULL, 50000);
    is("size", lseek(to, 0, SEEK_END), 50000);
}
