/* Names of local sockets: in folders, abstract, by themselves; how long, how they end. */
#include "abi.h"

#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un address;

static socklen_t named(const char *name, int length) {
    memset(&address, 0, sizeof address);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, name, length);
    return offsetof(struct sockaddr_un, sun_path) + length;
}

static void name_of(const char *what, int fd, int peer) {
    struct sockaddr_un got;
    socklen_t length = sizeof got;
    memset(&got, 0x55, sizeof got);
    long result =
        peer ? abi_call(getpeername, fd, &got, &length) : abi_call(getsockname, fd, &got, &length);
    if (result)
        say("%s: %s", what, strerrorname_np(errno));
    else if (length <= 2)
        say("%s: none, %d", what, length);
    else
        say("%s: '%s%s', %d", what, got.sun_path[0] ? "" : "@",
            got.sun_path + !got.sun_path[0] * (length > 3), length);
}

#define BIND(error, fd, name, length) fails(error, bind, fd, &address, named(name, length))

int main(void) {
    char longest[108];
    memset(longest, 'n', sizeof longest);
    int one = socket(AF_UNIX, SOCK_STREAM, 0), two = socket(AF_UNIX, SOCK_STREAM, 0);
    name_of("new", one, 0);
    name_of("nobody", one, 1);
    gives(0, bind, one, &address, named("\0abi case", 9));
    name_of("abstract", one, 0);
    BIND(EADDRINUSE, two, "\0abi case", 9);
    gives(0, bind, two, &address, named("\0abi case\0", 10));
    BIND(EINVAL, two, "\0other", 6);
    fails(ECONNREFUSED, connect, socket(AF_UNIX, SOCK_STREAM, 0), &address, named("\0abi case", 9));
    gives(0, listen, one, 1);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    gives(0, connect, client, &address, named("\0abi case", 9));
    name_of("client", client, 0);
    name_of("its peer", client, 1);
    int served = works(accept, one, NULL, NULL);
    name_of("served", served, 0);
    name_of("its peer", served, 1);
    fails(EISCONN, connect, client, &address, named("\0abi case", 9));
    fails(ECONNREFUSED, connect, socket(AF_UNIX, SOCK_DGRAM, 0), &address, named("\0abi case", 9));
    fails(ECONNREFUSED, connect, socket(AF_UNIX, SOCK_STREAM, 0), &address, named("\0none", 5));
    close(one);
    name_of("when the listener is gone", client, 1);
    one = socket(AF_UNIX, SOCK_STREAM, 0);
    gives(0, bind, one, &address, named("\0abi case", 9));
    /* Names in folders are files. */
    int file = socket(AF_UNIX, SOCK_STREAM, 0);
    umask(027);
    gives(0, bind, file, &address, named("socket", 6));
    struct stat seen;
    stat("socket", &seen);
    say("%o", seen.st_mode);
    name_of("in a folder", file, 0);
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    BIND(EADDRINUSE, other, "socket", 6);
    put("plain", "");
    BIND(EADDRINUSE, other, "plain", 5);
    BIND(ENOENT, other, "none/x", 6);
    BIND(ENOTDIR, other, "plain/x", 7);
    fails(ECONNREFUSED, connect, other, &address, named("plain", 5));
    fails(ENOENT, connect, other, &address, named("none", 4));
    gives(0, listen, file, 5);
    gives(0, rename, "socket", "moved");
    gives(0, connect, other, &address, named("moved", 5));
    name_of("as it was bound", other, 1);
    unlink("moved");
    fails(ENOENT, connect, socket(AF_UNIX, SOCK_STREAM, 0), &address, named("moved", 5));
    close(file);
    file = socket(AF_UNIX, SOCK_DGRAM, 0);
    gives(0, bind, file, &address, named(longest, 108));
    is("there", access(memcpy((char[109]){}, longest, 108), F_OK), 0);
    close(file);
    fails(ECONNREFUSED, connect, socket(AF_UNIX, SOCK_DGRAM, 0), &address, named(longest, 108));
    /* By itself: a name of five digits. */
    file = socket(AF_UNIX, SOCK_DGRAM, 0);
    gives(0, bind, file, &address, 2);
    struct sockaddr_un got;
    socklen_t length = sizeof got;
    gives(0, getsockname, file, &got, &length);
    is("length", length, 8);
    fails(EINVAL, bind, other, &address, 1);
    fails(EINVAL, bind, socket(AF_UNIX, SOCK_DGRAM, 0), &address, 111);
    address.sun_family = 77;
    fails(EINVAL, bind, socket(AF_UNIX, SOCK_DGRAM, 0), &address, 10);
    length = 4;
    gives(0, getsockname, one, &got, &length);
    is("whole length", length, 11);
    length = -1;
    fails(EINVAL, getsockname, one, &got, &length);
}
