/*
 * pidfd: processes by descriptor: told of, sent to, waited for, looked into.
 */
#include "say.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int open_process(pid_t pid, unsigned flags) {
    return (int)syscall(SYS_pidfd_open, pid, flags);
}

static int send_to(int fd, int number, siginfo_t *info, unsigned flags) {
    return (int)syscall(SYS_pidfd_send_signal, fd, number, info, flags);
}

static int is_ready(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT, 0};
    poll(&one, 1, 0);
    return one.revents & ~POLLHUP;
}

/* A child that ends when the pipe is closed. */
static int hold[2];

static pid_t child_until(int status) {
    char byte;
    pipe(hold);
    pid_t child = fork();
    if (child) {
        close(hold[0]);
        return child;
    }
    close(hold[1]);
    _exit(read(hold[0], &byte, 1) ? 99 : status);
}

static void let_end(void) {
    close(hold[1]);
}

static int wait_for(const char *what, int fd, int options) {
    siginfo_t info = {0};
    int result = waitid(P_PIDFD, fd, &info, options);
    if (result)
        tell(what, result);
    else
        say("%s: signal %d code %d status %d child %d", what, info.si_signo, info.si_code,
            info.si_status, info.si_pid > 0);
    return result;
}

static void ends(void) {
    char link[64], target[64];
    struct stat status;
    pid_t child = child_until(7);
    int fd = open_process(child, 0);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    say("%.*s flags %x on exec %d", (int)readlink(link, target, sizeof target), target,
        fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    say("ready %x", is_ready(fd));
    tell("read", read(fd, link, 8));
    tell("write", write(fd, link, 8));
    wait_for("too early", fd, WEXITED | WNOHANG);
    tell("signal 0", send_to(fd, 0, NULL, 0));
    let_end();
    tell("poll", poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1));
    say("ready %x", is_ready(fd));
    tell("to the ended", send_to(fd, SIGTERM, NULL, 0));
    wait_for("kept", fd, WEXITED | WNOWAIT);
    wait_for("ended", fd, WEXITED);
    say("ready %x", is_ready(fd));
    wait_for("again", fd, WEXITED);
    tell("to nobody", send_to(fd, SIGTERM, NULL, 0));
    tell("look into nobody", syscall(SYS_pidfd_getfd, fd, 0, 0));
    close(fd);
    child = child_until(0);
    fd = open_process(child, O_NONBLOCK);
    wait_for("not blocking", fd, WEXITED);
    wait_for("not blocking, asked so", fd, WEXITED | WNOHANG);
    tell("kill", send_to(fd, SIGKILL, NULL, 0));
    poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
    wait_for("killed", fd, WEXITED);
    let_end();
    close(fd);
}

static void errors(void) {
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_USER};
    int ends[2];
    pipe(ends);
    tell("pid 0", open_process(0, 0));
    tell("pid -1", open_process(-1, 0));
    tell("flags", open_process(getpid(), 1));
    tell("nobody", open_process(0x3fffffff, 0));
    tell("send to a pipe", send_to(ends[0], 0, NULL, 0));
    tell("send to none", send_to(99, 0, NULL, 0));
    wait_for("wait for a pipe", ends[0], WEXITED);
    wait_for("wait for none", 99, WEXITED);
    wait_for("wait for -1", -1, WEXITED);
    int fd = open_process(getpid(), 0);
    wait_for("wait for self", fd, WEXITED);
    tell("flags", send_to(fd, 0, NULL, 8));
    tell("number", send_to(fd, 65, NULL, 0));
    tell("number", send_to(fd, -1, NULL, 0));
    tell("other number", send_to(fd, SIGUSR2, &info, 0));
    tell("nowhere", send_to(fd, SIGUSR1, (siginfo_t *)8, 0));
    tell("getfd flags", syscall(SYS_pidfd_getfd, fd, 0, 1));
    tell("getfd of a pipe", syscall(SYS_pidfd_getfd, ends[0], 0, 0));
    tell("getfd of none", syscall(SYS_pidfd_getfd, fd, 99, 0));
    fd = open_process(getppid(), 0);
    tell("as the kernel", send_to(fd, SIGUSR1, &info, 0));
    wait_for("not a child", fd, WEXITED | WNOHANG);
    close(fd);
}

static void on_signal(int number, siginfo_t *info, void *unused) {
    (void)unused;
    say("got %d code %d own %d value %d", number, info->si_code, info->si_pid == getpid(),
        info->si_code == SI_QUEUE ? info->si_int : 0);
}

static void signals(void) {
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    int fd = open_process(getpid(), 0);
    tell("to self", send_to(fd, SIGUSR1, NULL, 0));
    siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
    info.si_pid = getpid();
    info.si_int = 42;
    tell("with a value", send_to(fd, SIGUSR1, &info, 0));
    close(fd);
}

static void look_into(void) {
    int ends[2], told[2];
    pipe(ends), pipe(told);
    pid_t child = fork();
    if (child == 0) {
        int own[2];
        char byte;
        pipe(own);
        dup2(own[1], 77);
        write(told[1], "x", 1);
        _exit(read(own[0], &byte, 1) == 1 && byte == 'y' ? 5 : 6);
    }
    char byte;
    read(told[0], &byte, 1);
    int fd = open_process(child, 0), got = (int)syscall(SYS_pidfd_getfd, fd, 77, 0);
    say("got it %d on exec %d", got >= 0, fcntl(got, F_GETFD));
    tell("write", write(got, "y", 1));
    wait_for("the child", fd, WEXITED);
    close(fd), close(got), close(ends[0]), close(ends[1]), close(told[0]), close(told[1]);
}

static int start(const char *what, uint64_t flags, uint64_t at) {
    struct clone_args arguments = {.flags = flags, .pidfd = at, .exit_signal = SIGCHLD};
    long result = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (result == 0)
        _exit(3);
    tell_success(what, result);
    return (int)result;
}

static void made_with(void) {
    int fd = -1, other = -1;
    int child = start("clone3", CLONE_PIDFD, (uintptr_t)&fd);
    say("flags %x on exec %d", fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
    wait_for("it", fd, WEXITED);
    close(fd);
    start("nowhere", CLONE_PIDFD, 8);
    tell("no child", wait(NULL));
    start("of a thread", CLONE_PIDFD | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, (uintptr_t)&fd);
    long result = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, 0, &fd, 0, 0);
    if (result == 0) {
        say("closed in the child: %d", fcntl(fd, F_GETFD) < 0);
        _exit(4);
    }
    wait_for("clone", fd, WEXITED);
    close(fd);
    tell("two at one place",
         syscall(SYS_clone, CLONE_PIDFD | CLONE_PARENT_SETTID | SIGCHLD, 0, &fd, 0, 0));
    child = start("both", CLONE_PIDFD | CLONE_CLEAR_SIGHAND, (uintptr_t)&fd);
    other = open_process(child, 0);
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 6};
    int set = epoll_create1(0);
    tell("watch", epoll_ctl(set, EPOLL_CTL_ADD, other, &event));
    event.data.u32 = 0;
    tell("wait", epoll_wait(set, &event, 1, -1));
    say("data %d", event.data.u32);
    wait_for("both", fd, WEXITED);
    close(fd), close(other), close(set);
}

/* Children that end while they are watched, two at a time, by many threads. A set is told of them
 * until they are taken out: other threads' children have the descriptors, too. */
static void *watch_many(void *unused) {
    int set = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < 12; i++) {
        for (int j = 0; j < 2; j++) {
            pid_t child = fork();
            if (child == 0)
                _exit(i);
            int fd = open_process(child, 0);
            struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
            if (epoll_ctl(set, EPOLL_CTL_ADD, fd, &event))
                say("not added: %s", strerrorname_np(errno));
        }
        for (int j = 0; j < 2; j++) {
            struct epoll_event event;
            siginfo_t info = {0};
            if (epoll_wait(set, &event, 1, -1) != 1 ||
                waitid(P_PIDFD, event.data.fd, &info, WEXITED) || info.si_status != i ||
                epoll_ctl(set, EPOLL_CTL_DEL, event.data.fd, NULL))
                say("lost: %s", strerrorname_np(errno));
            close(event.data.fd);
        }
    }
    close(set);
    return unused;
}

/* Who finds a descriptor readable need not wait: the child can be waited for at that moment. */
static void ready_means_there(void) {
    int missed = 0;
    for (int i = 0; i < 40; i++) {
        siginfo_t info = {0};
        pid_t child = fork();
        if (child == 0)
            _exit(i);
        int fd = open_process(child, O_NONBLOCK);
        poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1);
        if (waitid(P_PIDFD, fd, &info, WEXITED)) {
            missed++;
            waitpid(child, NULL, 0);
        }
        close(fd);
    }
    say("ready and not there: %d", missed);
}

static void many(void) {
    pthread_t threads[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, watch_many, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    tell("no child left", wait(NULL));
}

int main(void) {
    ends();
    if (fork() == 0) { /* so that the parent is a program of our own */
        errors();
        _exit(0);
    }
    wait(NULL);
    signals();
    look_into();
    made_with();
    ready_means_there();
    many();
    return 0;
}
