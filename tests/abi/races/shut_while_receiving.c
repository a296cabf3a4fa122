/* shutdown() of a socket that another thread receives from, accepts at, or sends into. */
#include "abi.h"

#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>

static int fd, tid, error;
static long got;
static char bytes[65536];

static void *receives(void *unused) {
    tid = syscall(SYS_gettid);
    got = recv(fd, bytes, 1, 0);
    error = errno;
    return NULL;
}

static void *accepts(void *unused) {
    tid = syscall(SYS_gettid);
    got = accept(fd, NULL, NULL);
    error = errno;
    return NULL;
}

static void *sends(void *unused) {
    tid = syscall(SYS_gettid);
    while ((got = send(fd, bytes, sizeof bytes, MSG_NOSIGNAL)) > 0)
        ;
    error = errno;
    return NULL;
}

static void with(const char *what, void *(*fn)(void *), int how) {
    pthread_t thread;
    tid = error = 0;
    pthread_create(&thread, NULL, fn, NULL);
    while (!__atomic_load_n(&tid, __ATOMIC_SEQ_CST))
        doze(1);
    until_thread_asleep(tid);
    gives(0, shutdown, fd, how);
    pthread_join(thread, NULL);
    say("%s: %ld %s", what, got, got < 0 ? strerrorname_np(error) : "");
}

int main(void) {
    int ends[2];
    struct sockaddr_un at = {AF_UNIX, "name"};
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    fd = ends[0];
    with("receiving", receives, SHUT_RD);
    with("sending", sends, SHUT_WR);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    fd = ends[0];
    with("receiving datagrams", receives, SHUT_RDWR);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(fd, (void *)&at, sizeof at);
    listen(fd, 1);
    with("accepting", accepts, SHUT_RDWR);
}
