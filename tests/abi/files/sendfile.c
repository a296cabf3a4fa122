/* sendfile: from files to files and pipes, and everything refused. */
#include "abi.h"

int main(void) {
    put("from", "0123456789");
    char data[16] = "";
    int from = open("from", O_RDONLY), to = open("to", O_RDWR | O_CREAT, 0644), ends[2];
    long offset = 3;
    gives(4, sendfile, to, from, &offset, 4);
    is("offset", offset, 7);
    gives(0, lseek, from, 0, SEEK_CUR);
    gives(10, sendfile, to, from, NULL, 100);
    gives(10, lseek, from, 0, SEEK_CUR);
    gives(0, sendfile, to, from, NULL, 100);
    say("%s", get("to"));
    pipe(ends);
    offset = 0;
    gives(10, sendfile, ends[1], from, &offset, 100);
    gives(10, read, ends[0], data, sizeof data);
    fails(EBADF, sendfile, -1, from, NULL, 1);
    fails(EBADF, sendfile, to, -1, NULL, 1);
    fails(EBADF, sendfile, from, from, NULL, 1);
    fails(EFAULT, sendfile, to, from, BAD, 1);
    offset = -1;
    fails(EINVAL, sendfile, to, from, &offset, 1);
    offset = 0;
    fails(ESPIPE, sendfile, to, ends[0], &offset, 1);
    int appends = open("to", O_WRONLY | O_APPEND);
    fails(EINVAL, sendfile, appends, from, &offset, 1);
    int folder = open(".", O_RDONLY);
    fails(EINVAL, sendfile, to, folder, NULL, 1);
    static char much[65536];
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    write(ends[1], much, sizeof much);
    offset = 0;
    fails(EAGAIN, sendfile, ends[1], from, &offset, 1);
}
