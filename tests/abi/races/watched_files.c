/* inotify: watches come and go, end by themselves and with their file, while others use what they
 * watch. */
#include "abi.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/inotify.h>

enum { FILES = 4 };

static atomic_int over, fds[2];
static atomic_long seen;

static const char *name_of(unsigned n) {
    static const char *const names[FILES] = {"d/a", "d/b", "d/c", "d/e"};
    return names[n % FILES];
}

static void *change(void *unused) {
    for (unsigned n = 0; !over; n++) {
        int file = open(name_of(n), O_RDWR | O_CREAT, 0600);
        if (file >= 0 && write(file, "abc", 3) == 3)
            fchmod(file, 0644);
        if (n % 3 == 0)
            unlink(name_of(n));
        if (n % 3 == 1)
            rename(name_of(n), name_of(n + 1));
        if (n % 3 == 2)
            link(name_of(n), name_of(n + 1));
        close(file);
    }
    return unused;
}

static void *watch(void *unused) {
    for (unsigned n = 0; !over; n++) {
        int fd = fds[n & 1];
        unsigned mask = n % 5 ? IN_ALL_EVENTS : IN_ALL_EVENTS | IN_ONESHOT;
        inotify_add_watch(fd, "d", mask | IN_MASK_ADD);
        int number = inotify_add_watch(fd, name_of(n), mask);
        if (n % 7 == 0)
            inotify_rm_watch(fd, number);
        if (n % 64 == 0) {
            int made = inotify_init1(IN_NONBLOCK);
            close(atomic_exchange(&fds[n / 64 & 1], made));
        }
    }
    return unused;
}

static void *take(void *unused) {
    static _Thread_local char buffer[4096];
    for (unsigned n = 0; !over; n++) {
        long length = read(fds[n & 1], buffer, sizeof buffer);
        if (length > 0)
            seen += length;
    }
    return unused;
}

int main(void) {
    void *(*const work[])(void *) = {change, change, watch, watch, take};
    pthread_t threads[5];
    mkdir("d", 0700);
    fds[0] = inotify_init1(IN_NONBLOCK);
    fds[1] = inotify_init1(IN_NONBLOCK);
    for (int n = 0; n < 5; n++)
        pthread_create(&threads[n], NULL, work[n], NULL);
    doze(500);
    for (int n = 0; !seen && n < 15000; n++)
        doze(1);
    over = 1;
    for (int n = 0; n < 5; n++)
        pthread_join(threads[n], NULL);
    is("something was told", seen > 0, 1);
    close(fds[0]);
    close(fds[1]);
    int fd = works(inotify_init, 0);
    works(inotify_add_watch, fd, "d", IN_CREATE);
    put("d/last", "abc");
    char last[64];
    gives(32, read, fd, last, sizeof last);
}
