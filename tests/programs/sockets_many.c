/*
 * Many at a time: messages, bytes, callers.
 */
#include "sockets.h"

void several(void) {
    char first[4] = "one", second[4] = "two", one[10] = {0}, two[10] = {0};
    struct iovec out[2] = {{first, 3}, {second, 3}}, in[2] = {{one, 9}, {two, 9}};
    struct mmsghdr sent[2] = {{.msg_hdr = {.msg_iov = out, .msg_iovlen = 1}},
                              {.msg_hdr = {.msg_iov = out + 1, .msg_iovlen = 1}}};
    struct mmsghdr got[2] = {{.msg_hdr = {.msg_iov = in, .msg_iovlen = 1}},
                             {.msg_hdr = {.msg_iov = in + 1, .msg_iovlen = 1}}};
    pair(SOCK_DGRAM | SOCK_NONBLOCK);
    tell("sendmmsg", sendmmsg(ends[0], sent, 2, 0));
    say("%u %u", sent[0].msg_len, sent[1].msg_len);
    tell("recvmmsg", recvmmsg(ends[1], got, 2, 0, NULL));
    say("%u %s %u %s", got[0].msg_len, one, got[1].msg_len, two);
    tell("recvmmsg", recvmmsg(ends[1], got, 2, 0, NULL));
    sendmmsg(ends[0], sent, 1, 0);
    tell("recvmmsg", recvmmsg(ends[1], got, 2, 0, NULL));
    done();
}

/* Bytes arrive in order, all of them, however little room there is. */
enum { TOTAL = 3000000 };

static void *send_all(void *unused) {
    char bytes[7000];
    for (size_t at = 0; at < TOTAL;) {
        size_t size = at % 6997 + 1 < TOTAL - at ? at % 6997 + 1 : TOTAL - at;
        for (size_t i = 0; i < size; i++)
            bytes[i] = (char)((at + i) % 251);
        ssize_t sent = send(ends[0], bytes, size, 0);
        if (sent <= 0)
            say("send: %s", strerrorname_np(errno));
        at += sent > 0 ? (size_t)sent : 0;
    }
    shutdown(ends[0], SHUT_WR);
    return unused;
}

void order(int kind, const char *what) {
    pthread_t thread;
    static char bytes[9000];
    size_t at = 0, wrong = 0;
    ssize_t got;
    pair(kind);
    pthread_create(&thread, NULL, send_all, NULL);
    while ((got = recv(ends[1], bytes, sizeof bytes, 0)) > 0)
        for (ssize_t i = 0; i < got; i++, at++)
            wrong += bytes[i] != (char)(at % 251);
    pthread_join(thread, NULL);
    say("%s: %lu bytes, %lu wrong", what, at, wrong);
    done();
}

/* Clients that come and go, to a server that waits for all of them by epoll. */
enum { CLIENTS = 3, CALLS = 150 };

static void *call_often(void *unused) {
    for (int i = 0; i < CALLS; i++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = "server"};
        char answer[8];
        if (connect(fd, (struct sockaddr *)&to, sizeof to) || send(fd, "ask", 3, 0) != 3 ||
            recv(fd, answer, 8, 0) != 3)
            say("call failed: %s", strerrorname_np(errno));
        close(fd);
    }
    return unused;
}

void server(void) {
    pthread_t threads[CLIENTS];
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), set = epoll_create1(0), ended = 0;
    socklen_t length = path("server");
    bind(listener, (struct sockaddr *)&address, length);
    listen(listener, 2);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (int i = 0; i < CLIENTS; i++)
        pthread_create(&threads[i], NULL, call_often, NULL);
    while (ended < CLIENTS * CALLS) {
        if (epoll_wait(set, &event, 1, -1) != 1)
            say("wait: %s", strerrorname_np(errno));
        char ask[8];
        if (event.data.fd == listener) {
            event.data.fd = accept(listener, NULL, NULL);
            event.events = EPOLLIN | EPOLLRDHUP;
            epoll_ctl(set, EPOLL_CTL_ADD, event.data.fd, &event);
        } else if (recv(event.data.fd, ask, 8, 0) == 3) {
            send(event.data.fd, "yes", 3, MSG_NOSIGNAL);
        } else {
            close(event.data.fd);
            ended++;
        }
    }
    for (int i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    say("served %d", ended);
    close(listener), close(set);
    unlink("server");
}
