/* mq_notify: a process is told of a message, once; and what reading the descriptor tells. */
#include "abi.h"

#include <mqueue.h>
#include <sys/socket.h>

static char name[32], text[8192];
static int queue;
static siginfo_t seen;

static void told(int signal, siginfo_t *info, void *context) {
    seen = *info;
    caught++;
}

static void state(void) {
    char line[200] = {0};
    works(pread64, queue, (long)line, 200, 0);
    *strstr(line, "NOTIFY_PID") = 0;
    say("%s", line);
}

static struct sigevent by_signal(void) {
    return (struct sigevent){
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 77};
}

static void told_by_thread(union sigval value) {
    __atomic_add_fetch((int *)value.sival_ptr, 1, __ATOMIC_RELEASE);
}

/* The C library's way: a thread of its own, which waits at a socket. */
static void by_thread(void) {
    int count = 0;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD,
                             .sigev_notify_function = told_by_thread,
                             .sigev_value.sival_ptr = &count};
    is("asked", mq_notify(queue, &event), 0);
    gives(0, mq_timedsend, queue, (long)"abc", 3, 0, 0);
    for (int i = 0; i < 500 && !__atomic_load_n(&count, __ATOMIC_ACQUIRE); i++)
        doze(10);
    is("told", count, 1);
    works(mq_timedreceive, queue, (long)text, 8192, 0, 0);
    is("asked again", mq_notify(queue, &event), 0);
    is("and not any more", mq_notify(queue, NULL), 0);
}

/* And by hand. */
static void by_socket(void) {
    char cookie[32] = "cookie", got[64] = "";
    int netlink = works(socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    int local = socket(AF_UNIX, SOCK_DGRAM, 0);
    struct sigevent event = {
        .sigev_notify = SIGEV_THREAD, .sigev_signo = netlink, .sigev_value.sival_ptr = cookie};
    gives(0, mq_notify, queue, (long)&event);
    fails(EBUSY, mq_notify, queue, (long)&event);
    gives(0, mq_timedsend, queue, (long)"abc", 3, 0, 0);
    gives(32, recvfrom, netlink, (long)got, 64, 0, 0, 0);
    say("%s %d", got, got[31]);
    gives(0, mq_notify, queue, (long)&event);
    gives(0, mq_notify, queue, 0);
    gives(32, recvfrom, netlink, (long)got, 64, 0, 0, 0);
    say("%s %d", got, got[31]);
    event.sigev_signo = local;
    fails(EINVAL, mq_notify, queue, (long)&event);
    event.sigev_signo = queue;
    fails(ENOTSOCK, mq_notify, queue, (long)&event);
    event.sigev_signo = -1;
    fails(EBADF, mq_notify, queue, (long)&event);
    event.sigev_value.sival_ptr = BAD;
    fails(EFAULT, mq_notify, queue, (long)&event);
    works(mq_timedreceive, queue, (long)text, 8192, 0, 0);
}

static void another(void) {
    struct sigevent event = by_signal();
    fails(EBUSY, mq_notify, queue, (long)&event);
    gives(0, mq_notify, queue, 0);
    fails(EBUSY, mq_notify, queue, (long)&event);
}

static void asks_and_ends(void) {
    struct sigevent event = by_signal();
    gives(0, mq_notify, queue, (long)&event);
}

static void takes(void) {
    is("length", works(mq_timedreceive, queue, (long)text, 8192, 0, 0), 3);
}

static void sends(void) {
    gives(0, mq_timedsend, queue, (long)"abc", 3, 0, 0);
}

int main(void) {
    struct sigevent event = by_signal(), wrong = {.sigev_notify = 77};
    struct sigaction action = {.sa_sigaction = told, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    sprintf(name, "k42-n-%d", getpid());
    queue = works(mq_open, (long)name, O_RDWR | O_CREAT, 0600, 0);
    gives(0, mq_unlink, (long)name);
    in_child("by thread", by_thread);
    in_child("by socket", by_socket);
    state();
    fails(EINVAL, mq_notify, queue, (long)&wrong);
    fails(EFAULT, mq_notify, queue, (long)BAD);
    fails(EBADF, mq_notify, 0, (long)&event);
    event.sigev_signo = 65;
    fails(EINVAL, mq_notify, queue, (long)&event);
    event = by_signal();
    gives(0, mq_notify, queue, (long)&event);
    fails(EBUSY, mq_notify, queue, (long)&event);
    state();
    in_child("another", another);
    sends();
    say("caught %d: %d %d %d %d", (int)caught, seen.si_signo, seen.si_code, seen.si_value.sival_int,
        seen.si_pid == getpid());
    state();
    gives(0, mq_notify, queue, (long)&event);
    sends();
    is("not of the second", caught, 1);
    takes();
    takes();
    int child = start(takes);
    until_asleep(child);
    sends();
    ended("one who waited", child);
    is("nor of one that was waited for", caught, 1);
    in_child("a sender", sends);
    is("but then", caught, 2);
    is("by another", seen.si_pid != getpid(), 1);
    takes();
    gives(0, mq_notify, queue, (long)&event);
    gives(0, mq_notify, queue, 0);
    sends();
    is("no more", caught, 2);
    takes();
    in_child("one who asks and ends", asks_and_ends);
    gives(0, mq_notify, queue, (long)&event);
    close(dup(queue));
    sends();
    is("not after closing", caught, 2);
    event.sigev_notify = SIGEV_NONE;
    gives(0, mq_notify, queue, (long)&event);
    state();
}
