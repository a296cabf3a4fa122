/* Names of sockets: taken, removed, taken again; what a path says of its socket. */
#include "abi.h"

#include <sys/socket.h>
#include <sys/un.h>

int main(void) {
    struct sockaddr_un at = {AF_UNIX, "name"}, seen, other = {AF_UNIX, "other"};
    int size = sizeof seen, first = socket(AF_UNIX, SOCK_STREAM, 0);
    int second = socket(AF_UNIX, SOCK_STREAM, 0);
    struct stat node;
    gives(0, bind, first, &at, sizeof at);
    fails(EINVAL, bind, first, &other, sizeof other);
    fails(EADDRINUSE, bind, second, &at, sizeof at);
    stat("name", &node);
    is("a socket", S_ISSOCK(node.st_mode), 1);
    fails(ENXIO, open, "name", O_RDWR);
    close(first);
    fails(EADDRINUSE, bind, second, &at, sizeof at);
    fails(ECONNREFUSED, connect, second, &at, sizeof at);
    gives(0, unlink, "name");
    fails(ENOENT, connect, second, &at, sizeof at);
    gives(0, bind, second, &at, sizeof at);
    gives(0, getsockname, second, &seen, &size);
    is("length", size, 2 + 5);
    is("name", strcmp(seen.sun_path, "name"), 0);
    gives(0, rename, "name", "moved");
    gives(0, listen, second, 1);
    struct sockaddr_un moved = {AF_UNIX, "moved"};
    int third = socket(AF_UNIX, SOCK_STREAM, 0);
    gives(0, connect, third, &moved, sizeof moved);
    size = sizeof seen;
    gives(0, getpeername, third, &seen, &size);
    is("still so", strcmp(seen.sun_path, "name"), 0);
    size = 2;
    gives(0, getsockname, second, &seen, &size);
    is("whole length", size, 7);
}
