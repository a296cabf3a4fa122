/* poll, ppoll, select, pselect6: what is ready, and everything refused. */
#include "abi.h"

#include <poll.h>
#include <sys/select.h>

int main(void) {
    int ends[2], file = open("file", O_RDWR | O_CREAT, 0644);
    pipe(ends);
    struct pollfd some[] = {{ends[0], POLLIN},
                            {ends[1], POLLOUT},
                            {-1, POLLIN},
                            {999, POLLIN},
                            {file, POLLIN | POLLOUT}};
    struct timespec zero = {}, bad = {0, -1}, soon = {0, 1000000};
    struct timeval none = {}, wrong = {-1, 0};
    gives(3, poll, some, 5, 0);
    for (int i = 0; i < 5; i++)
        say("%x", some[i].revents);
    write(ends[1], "x", 1);
    gives(1, poll, some, 1, -1);
    gives(0, poll, NULL, 0, 1);
    gives(1, ppoll, some, 1, NULL, NULL, 8);
    gives(0, ppoll, NULL, 0, &soon, NULL, 8);
    fails(EINVAL, ppoll, some, 1, &bad, NULL, 8);
    fails(EINVAL, ppoll, some, 1, &zero, &(uint64_t){0}, 4);
    fails(EFAULT, ppoll, BAD, 1, &zero, NULL, 8);
    fails(EFAULT, ppoll, some, 1, BAD, NULL, 8);
    fails(EFAULT, poll, BAD, 1, 0);
    fails(EINVAL, poll, some, 1 << 30, 0);
    fd_set reads, writes;
    FD_ZERO(&reads);
    FD_ZERO(&writes);
    FD_SET(ends[0], &reads);
    FD_SET(ends[1], &writes);
    gives(2, select, 20, &reads, &writes, NULL, &none);
    say("%d %d", FD_ISSET(ends[0], &reads) != 0, FD_ISSET(ends[1], &writes) != 0);
    gives(0, select, 0, NULL, NULL, NULL, &none);
    gives(2, pselect6, 20, &reads, &writes, NULL, &zero, NULL);
    FD_SET(15, &reads);
    fails(EBADF, select, 20, &reads, NULL, NULL, &none);
    fails(EBADF, pselect6, 20, &reads, NULL, NULL, &zero, NULL);
    fails(EINVAL, select, -1, NULL, NULL, NULL, &none);
    fails(EINVAL, select, 0, NULL, NULL, NULL, &wrong);
    fails(EINVAL, pselect6, -1, NULL, NULL, NULL, &zero, NULL);
    fails(EINVAL, pselect6, 0, NULL, NULL, NULL, &bad, NULL);
    fails(EFAULT, select, 20, BAD, NULL, NULL, &none);
    fails(EFAULT, pselect6, 20, BAD, NULL, NULL, &zero, NULL);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, poll, NULL, 0, 10000);
    fails(EINTR, select, 0, NULL, NULL, NULL, &(struct timeval){10, 0});
    close(ends[1]);
    char byte;
    read(ends[0], &byte, 1);
    gives(1, poll, some, 1, 0);
    say("%x", some[0].revents);
}
