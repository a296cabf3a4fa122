/*
 * Local sockets: what they carry, refuse, tell of each other and are ready for.
 */
#include "sockets.h"

int ends[2];

int ready(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLPRI | POLLRDHUP, 0};
    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

void pair(int kind) {
    if (socketpair(AF_UNIX, kind, 0, ends))
        say("socketpair: %s", strerrorname_np(errno));
}

void done(void) {
    close(ends[0]), close(ends[1]);
}

void get(const char *what, int fd, size_t size, int flags) {
    char bytes[200];
    ssize_t got = recv(fd, bytes, size, flags);
    if (got < 0)
        tell(what, got);
    else
        say("%s: %ld '%.*s'", what, (long)got, (int)(got < (ssize_t)size ? got : size), bytes);
}

void put(const char *what, int fd, const char *text, int flags) {
    tell(what, send(fd, text, strlen(text), flags | MSG_NOSIGNAL));
}

struct sockaddr_un address;

socklen_t path(const char *name) {
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address.sun_path, name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

socklen_t abstract(const char *name) {
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address.sun_path + 1, name);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

/* ---- pairs ---- */

static void streams(void) {
    int count;
    char link[64], target[64];
    struct stat status;
    pair(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC);
    snprintf(link, sizeof link, "/proc/self/fd/%d", ends[0]);
    target[readlink(link, target, sizeof target - 1)] = 0;
    fstat(ends[0], &status);
    say("%.8s mode %o flags %x on exec %d", target, status.st_mode, fcntl(ends[0], F_GETFL),
        fcntl(ends[0], F_GETFD));
    tell("lseek", lseek(ends[0], 0, SEEK_CUR));
    tell("pread", pread(ends[0], link, 1, 0));
    say("ready %x", ready(ends[0]));
    get("nothing", ends[0], 10, 0);
    put("send", ends[0], "hello", 0);
    put("send", ends[0], "world", 0);
    tell("bytes", ioctl(ends[1], FIONREAD, &count));
    say("count %d", count);
    say("ready %x", ready(ends[1]));
    get("peek", ends[1], 7, MSG_PEEK);
    get("peek", ends[1], 100, MSG_PEEK);
    get("some", ends[1], 3, 0);
    get("rest", ends[1], 100, 0);
    get("nothing", ends[1], 100, 0);
    get("nothing", ends[1], 100, MSG_PEEK);
    tell("send none", send(ends[0], "", 0, 0));
    get("nothing", ends[1], 100, 0);
    tell("read none", recv(ends[1], link, 0, 0));
    tell("send nowhere", send(ends[0], (void *)8, 5, 0));
    put("send", ends[0], "x", 0);
    tell("receive nowhere", recv(ends[1], (void *)8, 5, 0));
    get("still there", ends[1], 5, 0);
    tell("send to", sendto(ends[0], "x", 1, 0, (struct sockaddr *)&address, path("/none")));
    tell("shutdown how", shutdown(ends[0], 3));
    put("send", ends[0], "last", 0);
    tell("shutdown", shutdown(ends[0], SHUT_WR));
    put("send after", ends[0], "x", 0);
    say("ready %x %x", ready(ends[0]), ready(ends[1]));
    get("last", ends[1], 100, 0);
    get("end", ends[1], 100, 0);
    put("other way", ends[1], "back", 0);
    get("back", ends[0], 100, 0);
    close(ends[1]);
    say("ready %x", ready(ends[0]));
    get("end", ends[0], 100, 0);
    put("send", ends[0], "x", 0);
    close(ends[0]);

    pair(SOCK_STREAM);
    put("unread", ends[0], "unread", 0);
    close(ends[1]);
    say("ready %x", ready(ends[0]));
    get("reset", ends[0], 10, 0);
    get("end", ends[0], 10, 0);
    close(ends[0]);

    pair(SOCK_STREAM);
    tell("shutdown reading", shutdown(ends[0], SHUT_RD));
    put("to who reads not", ends[1], "x", 0);
    get("who reads not", ends[0], 10, 0);
    say("ready %x %x", ready(ends[0]), ready(ends[1]));
    tell("shutdown both", shutdown(ends[0], SHUT_RDWR));
    say("ready %x %x", ready(ends[0]), ready(ends[1]));
    done();
}

static void packets(void) {
    char bytes[10];
    pair(SOCK_SEQPACKET | SOCK_NONBLOCK);
    put("packet", ends[0], "one", 0);
    put("packet", ends[0], "second", 0);
    tell("empty packet", send(ends[0], "", 0, 0));
    get("peek", ends[1], 100, MSG_PEEK);
    get("first", ends[1], 100, 0);
    tell("cut", recv(ends[1], bytes, 2, MSG_TRUNC));
    tell("empty", recv(ends[1], bytes, 10, 0));
    get("nothing", ends[1], 100, 0);
    close(ends[1]);
    get("end", ends[0], 100, 0);
    put("send", ends[0], "x", 0);
    say("ready %x", ready(ends[0]));
    close(ends[0]);
    pair(SOCK_DGRAM | SOCK_NONBLOCK);
    put("datagram", ends[0], "one", 0);
    put("datagram", ends[0], "second", 0);
    get("cut", ends[1], 2, 0);
    get("second", ends[1], 100, 0);
    static char large[400000];
    tell("too long", send(ends[0], large, sizeof large, 0));
    say("ready %x", ready(ends[0]));
    close(ends[1]);
    put("refused", ends[0], "x", 0);
    put("not connected", ends[0], "x", 0);
    get("nothing", ends[0], 10, 0);
    close(ends[0]);
}

/* ---- options ---- */

static void options(void) {
    int value = 0;
    socklen_t size = sizeof value;
    pair(SOCK_STREAM);
    static const int asked[] = {SO_TYPE,     SO_ERROR,  SO_ACCEPTCONN, SO_DOMAIN,
                                SO_PROTOCOL, SO_SNDBUF, SO_RCVBUF,     SO_PASSCRED};
    for (unsigned i = 0; i < sizeof asked / sizeof *asked; i++) {
        tell("getsockopt", getsockopt(ends[0], SOL_SOCKET, asked[i], &value, &size));
        say("%d: %d, %d bytes", asked[i], value, (int)size);
    }
    value = 1000;
    tell("small", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
    getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, &size);
    say("small %d", value);
    value = 50000;
    tell("larger", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value));
    getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, &size);
    say("larger %d", value);
    tell("short", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, 2));
    tell("unknown", setsockopt(ends[0], SOL_SOCKET, 999, &value, sizeof value));
    tell("unknown", getsockopt(ends[0], SOL_SOCKET, 999, &value, &size));
    tell("level", setsockopt(ends[0], 77, 1, &value, sizeof value));
    tell("nowhere", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, (void *)8, sizeof value));
    struct timeval time = {0, 20000};
    tell("time", setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    get("in vain", ends[0], 10, 0);
    time.tv_usec = 1000000;
    tell("wrong time", setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
    done();
}

int main(void) {
    signal(SIGPIPE, SIG_IGN);
    streams();
    packets();
    listening(SOCK_STREAM, "streams");
    listening(SOCK_SEQPACKET, "packets");
    naming();
    datagrams();
    passing();
    chain();
    rings();
    options();
    several();
    order(SOCK_STREAM, "stream");
    order(SOCK_SEQPACKET, "packets");
    server();
    return 0;
}
