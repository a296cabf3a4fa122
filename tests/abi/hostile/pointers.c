/* A bad address for each call that takes one: where nothing is, where nothing may be written. */
#include "abi.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

int main(void) {
    char *constant = read_only(), *end = page_end();
    int ends[2], pair[2], file, folder, polls, timer, data = 0;
    put("file", "0123456789");
    symlink("file", "link");
    file = open("file", O_RDWR);
    folder = open(".", O_RDONLY);
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    write(ends[1], "x", 1);
    write(pair[0], "x", 1);
    polls = epoll_create1(0);
    epoll_ctl(polls, EPOLL_CTL_ADD, ends[0], &(struct epoll_event){.events = EPOLLIN});
    timer = timerfd_create(CLOCK_MONOTONIC, 0);
    for (int way = 0; way < 2; way++) {
        void *to = way ? (void *)constant : BAD;
        say("written to, %d", way);
        fails(EFAULT, read, file, to, 4);
        fails(EFAULT, pread64, file, to, 4, 0);
        fails(EFAULT, read, ends[0], to, 1);
        fails(EFAULT, recvfrom, pair[1], to, 1, 0, NULL, NULL);
        fails(EFAULT, stat, "file", to);
        fails(EFAULT, lstat, "link", to);
        fails(EFAULT, fstat, file, to);
        fails(EFAULT, newfstatat, AT_FDCWD, "file", to, 0);
        fails(EFAULT, statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS, to);
        fails(EFAULT, statfs, "file", to);
        fails(EFAULT, fstatfs, file, to);
        fails(EFAULT, readlink, "link", to, 4);
        fails(EFAULT, getcwd, to, 4096);
        fails(EFAULT, getdents64, folder, to, 4096);
        fails(EFAULT, pipe, to);
        fails(EFAULT, pipe2, to, 0);
        fails(EFAULT, socketpair, AF_UNIX, SOCK_STREAM, 0, to);
        fails(EFAULT, getrlimit, RLIMIT_NOFILE, to);
        fails(EFAULT, prlimit64, 0, RLIMIT_NOFILE, NULL, to);
        fails(EFAULT, getrusage, RUSAGE_SELF, to);
        fails(EFAULT, times, to);
        fails(EFAULT, uname, to);
        fails(EFAULT, sysinfo, to);
        fails(EFAULT, gettimeofday, to, NULL);
        fails(EFAULT, clock_gettime, CLOCK_REALTIME, to);
        fails(EFAULT, clock_getres, CLOCK_REALTIME, to);
        fails(EFAULT, getitimer, ITIMER_REAL, to);
        fails(EFAULT, timerfd_gettime, timer, to);
        fails(EFAULT, rt_sigprocmask, SIG_BLOCK, NULL, to, 8);
        fails(EFAULT, rt_sigpending, to, 8);
        fails(EFAULT, rt_sigaction, SIGUSR1, NULL, to, 8);
        fails(EFAULT, sigaltstack, NULL, to);
        fails(EFAULT, getresuid, to, &data, &data);
        fails(EFAULT, getresgid, &data, to, &data);
        fails(EFAULT, sched_getparam, 0, to);
        fails(EFAULT, sched_getaffinity, 0, 128, to);
        fails(EFAULT, sched_rr_get_interval, 0, to);
        fails(EFAULT, getcpu, to, NULL);
        fails(EFAULT, getrandom, to, 8, 0);
        fails(EFAULT, epoll_wait, polls, to, 1, 0);
        fails(EFAULT, ppoll, to, 1, &(struct timespec){0, 0}, NULL, 8);
        fails(EFAULT, mincore, end - 4096, 4096, to);
        fails(EFAULT, wait4, fork() ?: (_exit(0), 0), to, 0, NULL);
        fails(EFAULT, prctl, 16, to);
        data = 110;
        fails(EFAULT, getsockname, pair[0], to, &data);
        data = 0;
    }
    say("read from");
    fails(EFAULT, write, ends[1], BAD, 4);
    fails(EFAULT, write, file, BAD, 4);
    fails(EFAULT, pwrite64, file, BAD, 4, 0);
    fails(EFAULT, writev, file, BAD, 2);
    fails(EFAULT, sendto, pair[0], BAD, 4, 0, NULL, 0);
    fails(EFAULT, sendto, pair[0], "x", 1, 0, BAD, 110);
    fails(EFAULT, sendmsg, pair[0], BAD, 0);
    fails(EFAULT, bind, pair[0], BAD, 20);
    fails(EFAULT, connect, pair[0], BAD, 20);
    fails(EFAULT, setsockopt, pair[0], SOL_SOCKET, SO_KEEPALIVE, BAD, 4);
    fails(EFAULT, setrlimit, RLIMIT_CORE, BAD);
    fails(EFAULT, prlimit64, 0, RLIMIT_CORE, BAD, NULL);
    fails(EFAULT, setitimer, ITIMER_REAL, BAD, NULL);
    fails(EFAULT, timerfd_settime, timer, 0, BAD, NULL);
    fails(EFAULT, nanosleep, BAD, NULL);
    fails(EFAULT, clock_nanosleep, CLOCK_MONOTONIC, 0, BAD, NULL);
    fails(EFAULT, rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8);
    fails(EFAULT, rt_sigaction, SIGUSR1, BAD, NULL, 8);
    fails(EFAULT, rt_sigsuspend, BAD, 8);
    fails(EFAULT, rt_sigtimedwait, BAD, NULL, NULL, 8);
    fails(EFAULT, rt_sigqueueinfo, getpid(), SIGUSR1, BAD);
    fails(EFAULT, sigaltstack, BAD, NULL);
    fails(EFAULT, signalfd4, -1, BAD, 8, 0);
    fails(EFAULT, setgroups, 2, BAD);
    fails(EFAULT, sched_setparam, 0, BAD);
    fails(EFAULT, sched_setscheduler, 0, SCHED_OTHER, BAD);
    fails(EFAULT, sched_setaffinity, 0, 8, BAD);
    fails(EFAULT, epoll_ctl, polls, EPOLL_CTL_ADD, ends[1], BAD);
    fails(EFAULT, select, 4, BAD, NULL, NULL, NULL);
    fails(EFAULT, utimensat, AT_FDCWD, "file", BAD, 0);
    fails(EFAULT, utimes, "file", BAD);
    fails(EFAULT, setxattr, "file", BAD, "x", 1, 0);
    fails(EFAULT, setxattr, "file", "user.a", BAD, 1, 0);
    fails(EFAULT, memfd_create, BAD, 0);
    fails(EFAULT, inotify_add_watch, abi_call(inotify_init), BAD, 1);
    fails(EFAULT, symlink, BAD, "x");
    fails(EFAULT, link, "file", BAD);
    fails(EFAULT, rename, "file", BAD);
    fails(EFAULT, futex, BAD, 0, 0, NULL);
    fails(EFAULT, openat2, AT_FDCWD, "file", BAD, 24);
    fails(EFAULT, clone3, BAD, 88);
    fails(EFAULT, prctl, 15, BAD);
    fails(EFAULT, process_vm_readv, getpid(), BAD, 1, BAD, 1, 0);
    fails(EFAULT, sendfile, ends[1], file, BAD, 1);
    fails(EFAULT, splice, file, BAD, ends[1], NULL, 1, 0);
    /* A text that runs into nothing, and one that ends just before. */
    strcpy(end - 5, "file");
    works(open, end - 5, O_RDONLY);
    memcpy(end - 4, "file", 4);
    fails(EFAULT, open, end - 4, O_RDONLY);
}
