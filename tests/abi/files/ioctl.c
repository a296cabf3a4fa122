/* ioctl: of pipes and files, and everything refused. */
#include "abi.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

int main(void) {
    int ends[2], count = -1;
    struct termios state;
    pipe(ends);
    write(ends[1], "12345", 5);
    gives(0, ioctl, ends[0], FIONREAD, &count);
    is("bytes", count, 5);
    int fd = open("file", O_RDWR | O_CREAT, 0644), on = 1;
    write(fd, "123", 3);
    lseek(fd, 1, SEEK_SET);
    gives(0, ioctl, fd, FIONREAD, &count);
    is("bytes", count, 2);
    gives(0, ioctl, ends[0], FIONBIO, &on);
    gives(O_NONBLOCK, fcntl, ends[0], F_GETFL);
    gives(0, ioctl, ends[0], FIOCLEX);
    gives(FD_CLOEXEC, fcntl, ends[0], F_GETFD);
    gives(0, ioctl, ends[0], FIONCLEX);
    gives(0, fcntl, ends[0], F_GETFD);
    fails(ENOTTY, ioctl, fd, TCGETS, &state);
    fails(ENOTTY, ioctl, ends[0], TCGETS, &state);
    fails(ENOTTY, ioctl, fd, 0x1234, 0);
    fails(EBADF, ioctl, -1, FIONREAD, &count);
    fails(EFAULT, ioctl, ends[0], FIONREAD, BAD);
    fails(EFAULT, ioctl, ends[0], FIONBIO, BAD);
    int path = open("file", O_PATH);
    fails(EBADF, ioctl, path, FIONREAD, &count);
    /* Who takes connections has no bytes of its own. */
    struct sockaddr_un name = {AF_UNIX, "listens"};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(server, (struct sockaddr *)&name, sizeof name);
    listen(server, 1);
    fails(EINVAL, ioctl, server, FIONREAD, &count);
}
