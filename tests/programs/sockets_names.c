/*
 * Names of sockets: who listens, who calls, and to whom datagrams go.
 */
#include "sockets.h"

static void tell_address(const char *what, int result, socklen_t length) {
    if (result < 0)
        return tell(what, result);
    int size = (int)length - (int)offsetof(struct sockaddr_un, sun_path);
    say("%s: length %d family %d '%s%s'", what, (int)length, address.sun_family,
        size > 0 && !address.sun_path[0] ? "@" : "",
        size <= 0             ? ""
        : address.sun_path[0] ? address.sun_path
                              : address.sun_path + 1);
}

static void names_of(const char *what, int fd) {
    socklen_t length = sizeof address;
    memset(&address, 0, sizeof address);
    int result = getsockname(fd, (struct sockaddr *)&address, &length);
    tell_address(what, result, length);
    length = sizeof address;
    memset(&address, 0, sizeof address);
    result = getpeername(fd, (struct sockaddr *)&address, &length);
    tell_address(what, result, length);
}

void listening(int kind, const char *what) {
    struct ucred who = {0};
    socklen_t size = sizeof who, length = path("name");
    int listener = socket(AF_UNIX, kind, 0), caller = socket(AF_UNIX, kind, 0), accepted;
    struct stat status;
    say("-- %s", what);
    names_of("before", listener);
    say("ready %x", ready(listener));
    tell("listen too early", listen(listener, 1));
    tell("accept too early", accept(listener, NULL, NULL));
    length = path("name");
    tell("connect to nothing", connect(caller, (struct sockaddr *)&address, length));
    tell("bind", bind(listener, (struct sockaddr *)&address, length));
    stat("name", &status);
    say("mode %o", status.st_mode);
    tell("open", open("name", O_RDWR));
    tell("bind again", bind(listener, (struct sockaddr *)&address, length));
    tell("bind to the same", bind(caller, (struct sockaddr *)&address, length));
    tell("connect to who does not listen", connect(caller, (struct sockaddr *)&address, length));
    tell("listen", listen(listener, 1));
    tell("connect", connect(caller, (struct sockaddr *)&address, length));
    tell("connect again", connect(caller, (struct sockaddr *)&address, length));
    say("ready %x %x", ready(listener), ready(caller));
    put("early", caller, "early", 0);
    accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    say("flags %x on exec %d", fcntl(accepted, F_GETFL), fcntl(accepted, F_GETFD));
    names_of("listener", listener);
    names_of("caller", caller);
    names_of("accepted", accepted);
    get("early", accepted, 10, 0);
    put("answer", accepted, "answer", 0);
    get("answer", caller, 10, 0);
    tell("whose", getsockopt(accepted, SOL_SOCKET, SO_PEERCRED, &who, &size));
    say("own %d uid %d", who.pid == getpid(), who.uid);
    getsockopt(caller, SOL_SOCKET, SO_PEERCRED, &who, &size);
    say("own %d uid %d", who.pid == getpid(), who.uid);
    tell("accept wrong", accept4(listener, NULL, NULL, 1));
    fcntl(listener, F_SETFL, O_NONBLOCK);
    tell("accept none", accept(listener, NULL, NULL));
    tell("accept on caller", accept(caller, NULL, NULL));
    close(accepted);
    get("end", caller, 10, 0);
    close(caller);
    caller = socket(AF_UNIX, kind, 0);
    length = path("name");
    tell("connect", connect(caller, (struct sockaddr *)&address, length));
    close(listener);
    tell("never accepted", poll(&(struct pollfd){caller, POLLIN, 0}, 1, -1));
    get("never accepted", caller, 10, 0);
    int other = socket(AF_UNIX, kind == SOCK_STREAM ? SOCK_DGRAM : SOCK_STREAM, 0);
    length = path("name");
    tell("nobody there", connect(other, (struct sockaddr *)&address, length));
    close(caller), close(other);
    unlink("name");
}

void naming(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), file = open("file", O_CREAT | O_RDWR, 0600);
    socklen_t length = abstract("k42 abstract");
    tell("abstract", bind(fd, (struct sockaddr *)&address, length));
    names_of("abstract", fd);
    listen(fd, 5);
    int other = socket(AF_UNIX, SOCK_STREAM, 0), wrong = socket(AF_UNIX, SOCK_DGRAM, 0);
    length = abstract("k42 abstract");
    tell("taken", bind(other, (struct sockaddr *)&address, length));
    tell("of another kind", connect(wrong, (struct sockaddr *)&address, length));
    tell("connect", connect(other, (struct sockaddr *)&address, length));
    names_of("connected", other);
    close(fd), close(other);
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    address.sun_family = AF_UNIX;
    tell("any", bind(fd, (struct sockaddr *)&address, 2));
    length = sizeof address;
    tell("getsockname", getsockname(fd, (struct sockaddr *)&address, &length));
    say("length %d", (int)length);
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    tell("too short", bind(fd, (struct sockaddr *)&address, 1));
    tell("too long", bind(fd, (struct sockaddr *)&address, 200));
    tell("longer than an address", bind(fd, (struct sockaddr *)&address, 120));
    tell("nowhere", bind(fd, (struct sockaddr *)8, 20));
    length = path("missing/name");
    tell("no folder", bind(fd, (struct sockaddr *)&address, length));
    length = path("file");
    tell("a file is there", bind(fd, (struct sockaddr *)&address, length));
    tell("connect to a file", connect(fd, (struct sockaddr *)&address, length));
    address.sun_family = AF_INET;
    tell("of another family", connect(fd, (struct sockaddr *)&address, length));
    tell("family", socket(77, SOCK_STREAM, 0));
    tell("kind", socket(AF_UNIX, 9, 0));
    tell("protocol", socket(AF_UNIX, SOCK_STREAM, 5));
    tell("flags", socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
    tell("pair nowhere", socketpair(AF_UNIX, SOCK_STREAM, 0, (int *)8));
    tell("no socket", bind(file, (struct sockaddr *)&address, length));
    tell("no socket", listen(file, 1));
    tell("no socket", send(file, "x", 1, 0));
    tell("no file", recv(99, "x", 1, 0));
    tell("not connected", send(fd, "x", 1, MSG_NOSIGNAL));
    tell("not connected", recv(fd, &length, 1, 0));
    tell("not connected", shutdown(fd, SHUT_RD));
    close(fd), close(file), close(wrong);
    unlink("file");
}

void datagrams(void) {
    int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM, 0);
    char bytes[20];
    socklen_t length = path("server");
    bind(server, (struct sockaddr *)&address, length);
    tell("unnamed", sendto(client, "unnamed", 7, 0, (struct sockaddr *)&address, length));
    length = sizeof address;
    tell("receive", recvfrom(server, bytes, 20, 0, (struct sockaddr *)&address, &length));
    say("from: length %d", (int)length);
    length = path("client");
    bind(client, (struct sockaddr *)&address, length);
    length = path("server");
    tell("named", sendto(client, "named", 5, 0, (struct sockaddr *)&address, length));
    length = sizeof address;
    memset(&address, 0, sizeof address);
    tell("receive", recvfrom(server, bytes, 20, 0, (struct sockaddr *)&address, &length));
    tell_address("from", 0, length);
    tell("answer", sendto(server, "answer", 6, 0, (struct sockaddr *)&address, length));
    get("answer", client, 20, 0);
    length = path("server");
    tell("connect", connect(client, (struct sockaddr *)&address, length));
    put("connected", client, "connected", 0);
    get("connected", server, 20, 0);
    int third = socket(AF_UNIX, SOCK_DGRAM, 0);
    length = path("client");
    tell("to who listens to another",
         sendto(third, "x", 1, 0, (struct sockaddr *)&address, length));
    address.sun_family = AF_UNSPEC;
    tell("disconnect", connect(client, (struct sockaddr *)&address, length));
    put("to nobody", client, "x", 0);
    length = path("client");
    tell("to who listens to all", sendto(third, "x", 1, 0, (struct sockaddr *)&address, length));
    tell("listen", listen(server, 1));
    tell("accept", accept(server, NULL, NULL));
    int count = 0;
    fcntl(third, F_SETFL, O_NONBLOCK);
    length = path("server");
    while (count < 100 && sendto(third, "x", 1, 0, (struct sockaddr *)&address, length) == 1)
        count++;
    say("queued %d, then %s", count, strerrorname_np(errno));
    close(server);
    tell("gone", sendto(third, "x", 1, 0, (struct sockaddr *)&address, length));
    close(client), close(third);
    unlink("server"), unlink("client");
}
