/* tee and vmsplice. */
#include "abi.h"

int main(void) {
    int a[2], b[2], file = open("file", O_RDWR | O_CREAT, 0644);
    char data[16] = "";
    struct iovec some[] = {{"abc", 3}, {"de", 2}}, in = {data, 4}, bad = {BAD, 3};
    pipe2(a, O_NONBLOCK);
    pipe2(b, O_NONBLOCK);
    gives(5, vmsplice, a[1], some, 2, 0);
    gives(5, tee, a[0], b[1], 100, 0);
    gives(5, read, a[0], data, sizeof data);
    gives(5, read, b[0], data, sizeof data);
    say("%s", data);
    fails(EAGAIN, tee, a[0], b[1], 100, SPLICE_F_NONBLOCK);
    fails(EINVAL, tee, a[0], a[1], 100, 0);
    fails(EINVAL, tee, file, a[1], 100, 0);
    fails(EINVAL, tee, a[0], b[1], 100, 64);
    gives(0, tee, a[0], b[1], 0, 0);
    fails(EBADF, tee, -1, b[1], 100, 0);
    fails(EBADF, tee, a[0], -1, 100, 0);
    write(a[1], "wxyz", 4);
    gives(4, vmsplice, a[0], &in, 1, 0);
    say("%.4s", data);
    fails(EBADF, vmsplice, -1, some, 1, 0);
    fails(EBADF, vmsplice, file, some, 1, 0);
    fails(EINVAL, vmsplice, a[1], some, 1, 64);
    fails(EINVAL, vmsplice, a[1], some, 1025, 0);
    fails(EFAULT, vmsplice, a[1], BAD, 1, 0);
    fails(EFAULT, vmsplice, a[1], &bad, 1, 0);
    char *much = calloc(1, 70000);
    struct iovec all = {much, 65536};
    fcntl(a[1], F_SETFL, O_NONBLOCK);
    write(a[1], much, 65536);
    fails(EAGAIN, vmsplice, a[1], some, 1, SPLICE_F_NONBLOCK);
    int c[2];
    pipe(c);
    struct iovec more = {pages(20), 20 * 4096};
    gives(65536, vmsplice, c[1], &more, 1, SPLICE_F_NONBLOCK);
    fails(EAGAIN, tee, a[0], c[1], 100, SPLICE_F_NONBLOCK);
}
