/*
 * userfaultfd: whoever waits is interrupted, killed, or goes on when it is closed; another process
 * brings pages; what is inherited and what is moved is not watched.
 */
#include "faults.h"

#include <sys/socket.h>

static char *watched;
static volatile int tid;

static void handler(int signal) {
    caught++;
    (void)signal;
}

static void *toucher(void *at) {
    tid = gettid();
    return (void *)(long)*(volatile char *)at;
}

static void dies_waiting(void) {
    watch(watched, 4, 0, 0);
    *(volatile char *)watched = 1;
}

static void dies_in_a_call(void) {
    int ends[2];
    pipe(ends);
    watch(watched, 4, 0, 0);
    write(ends[1], watched, 1);
}

static void touches_all(void) {
    for (int page = 0; page < 4; page++)
        is("read", watched[page * 4096], 0);
}

/* Its parent has the descriptor as well, and brings what it lacks. */
static int passed[2];
static void is_served(void) {
    int fd = watch(watched, 4, 0, 0);
    struct iovec none = {"x", 1};
    char room[CMSG_SPACE(sizeof fd)];
    struct msghdr message = {
        .msg_iov = &none, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    *CMSG_FIRSTHDR(&message) = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
    memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), &fd, sizeof fd);
    gives(1, sendmsg, passed[1], &message, 0);
    is("read", watched[4096], 'p');
    is("read", watched[2 * 4096], 'p');
}

static int received(void) {
    char byte, room[CMSG_SPACE(sizeof(int))];
    struct iovec one = {&byte, 1};
    struct msghdr message = {
        .msg_iov = &one, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
    gives(1, recvmsg, passed[0], &message, 0);
    return *(int *)CMSG_DATA(CMSG_FIRSTHDR(&message));
}

int main(void) {
    pthread_t one;
    void *result;
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGUSR1, &action, NULL);
    watched = pages(4);

    int fd = watch(watched, 4, 0, 0);
    pthread_create(&one, NULL, toucher, watched + 4096);
    is("page", (asked_for(fd) - watched) / 4096, 1);
    until_thread_asleep(tid);
    pthread_kill(one, SIGUSR1);
    while (!caught)
        doze(1);
    in_child("a child", touches_all);
    close(fd);
    pthread_join(one, &result);
    is("read", (long)result, 0);
    watched[2 * 4096] = 1;

    munmap(watched, 4 * 4096);
    watched = pages(4);
    int child = start(dies_waiting);
    until_asleep(child);
    kill(child, SIGKILL);
    ended("while it waits", child);
    child = start(dies_in_a_call);
    until_asleep(child);
    kill(child, SIGKILL);
    ended("while its call waits", child);

    socketpair(AF_UNIX, SOCK_STREAM, 0, passed);
    child = start(is_served);
    fd = received();
    is("page", (asked_for(fd) - watched) / 4096, 1);
    is("brought", bring(fd, watched + 4096, "parent's"), 4096);
    is("page", (asked_for(fd) - watched) / 4096, 2);
    is("brought", bring(fd, watched + 2 * 4096, "parent's"), 4096);
    ended("who is served", child);
    is("to nobody", bring(fd, watched, ""), -ESRCH);
    struct uffdio_register what = {{(long)watched, 4096}, UFFDIO_REGISTER_MODE_MISSING, 0};
    fails(ENOMEM, ioctl, fd, UFFDIO_REGISTER, &what);

    fd = watch(watched, 4, 0, 0);
    char *there = mmap(NULL, 8 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    there = mremap(watched, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, there);
    is("moved", there != MAP_FAILED, 1);
    is("read", there[0] + there[4096], 0);
    is("still watched", bring(fd, watched + 3 * 4096, "x"), 4096);
    is("no more watched", bring(fd, there, "x"), -ENOENT);
}
