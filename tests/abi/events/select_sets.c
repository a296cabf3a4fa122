/* select: sets beyond the highest, all three of one descriptor, times left, what is refused. */
#include "abi.h"

#include <sys/select.h>

static fd_set r, w, x;

static void clear(void) {
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_ZERO(&x);
}

static void put_in(int fd) {
    FD_SET(fd, &r);
    FD_SET(fd, &w);
    FD_SET(fd, &x);
}

static void sets(const char *what, long result, int up) {
    char line[100] = "";
    for (int fd = 0; fd < up; fd++)
        if (FD_ISSET(fd, &r) || FD_ISSET(fd, &w) || FD_ISSET(fd, &x))
            sprintf(line + strlen(line), " %d:%s%s%s", fd, FD_ISSET(fd, &r) ? "r" : "",
                    FD_ISSET(fd, &w) ? "w" : "", FD_ISSET(fd, &x) ? "x" : "");
    say("%s: %ld%s", what, result, line);
}

int main(void) {
    int ends[2], full[2];
    struct timeval none = {0, 0}, time = {5, 0}, much = {100, 0};
    pipe(ends);
    pipe2(full, O_NONBLOCK);
    while (write(full[1], (char[4096]){}, 4096) > 0)
        ;
    dup2(ends[0], 10);
    dup2(ends[1], 11);
    dup2(full[0], 12);
    dup2(full[1], 13);
#define ASK(what, count, timeout)                                                                  \
    clear();                                                                                       \
    for (int fd = 10; fd < 14; fd++)                                                               \
        put_in(fd);                                                                                \
    sets(what, abi_call(select, count, &r, &w, &x, timeout), 20)
    ASK("all", 14, &none);
    ASK("first two", 12, &none);
    ASK("none of them, and all stay as they were", 10, &none);
    write(ends[1], "x", 1);
    ASK("written", 14, &much);
    close(ends[1]);
    close(11);
    clear();
    FD_SET(10, &r);
    FD_SET(10, &x);
    sets("no writer", abi_call(select, 11, &r, NULL, &x, &none), 20);
    clear();
    FD_SET(11, &r);
    fails(EBADF, select, 12, &r, NULL, NULL, &none);
    is("as it was", FD_ISSET(11, &r), 1);
    fails(EINVAL, select, -1, &r, NULL, NULL, &none);
    fails(EFAULT, select, 12, BAD, NULL, NULL, &none);
    fails(EFAULT, select, 12, &w, NULL, NULL, BAD);
    time.tv_usec = -1;
    fails(EINVAL, select, 0, NULL, NULL, NULL, &time);
    time.tv_usec = 1000000;
    gives(0, select, 0, NULL, NULL, NULL, &(struct timeval){0, 1000});
    FD_ZERO(&r);
    FD_SET(10, &r);
    time = (struct timeval){50, 0};
    gives(1, select, 11, &r, NULL, NULL, &time);
    is("time is left", time.tv_sec >= 40 && time.tv_sec < 51, 1);
    /* As many as there may be, whatever the program's type holds. */
    static unsigned long many[1 << 14];
    many[0] = 1 << 10;
    gives(1, select, 1 << 20, many, NULL, NULL, &none);
    struct timespec small = {0, 0}, wrong = {0, 1000000000};
    FD_ZERO(&r);
    gives(0, pselect6, 0, NULL, NULL, NULL, &small, NULL);
    fails(EINVAL, pselect6, 0, NULL, NULL, NULL, &wrong, NULL);
    struct {
        const void *at;
        size_t size;
    } mask = {&(uint64_t){0}, 4}, bad = {BAD, 8};
    fails(EINVAL, pselect6, 0, NULL, NULL, NULL, &small, &mask);
    fails(EFAULT, pselect6, 0, NULL, NULL, NULL, &small, &bad);
    fails(EFAULT, pselect6, 0, NULL, NULL, NULL, &small, BAD);
}
