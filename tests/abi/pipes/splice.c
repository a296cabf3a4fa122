/* splice: between pipes and files, and everything refused. */
#include "abi.h"

int main(void) {
    int a[2], b[2], file = open("file", O_RDWR | O_CREAT, 0644);
    int64_t offset = 2;
    char data[16] = "";
    pipe(a);
    pipe(b);
    write(file, "0123456789", 10);
    gives(5, splice, file, &offset, a[1], NULL, 5, 0);
    say("%ld", (long)offset);
    gives(3, splice, a[0], NULL, b[1], NULL, 3, 0);
    gives(3, read, b[0], data, sizeof data);
    say("%s", data);
    offset = 8;
    gives(2, splice, a[0], NULL, file, &offset, 10, 0);
    say("%s", get("file"));
    fails(EAGAIN, splice, a[0], NULL, b[1], NULL, 3, SPLICE_F_NONBLOCK);
    fails(EINVAL, splice, file, NULL, file, NULL, 3, 0);
    fails(EINVAL, splice, a[0], NULL, a[1], NULL, 3, 0);
    fails(EINVAL, splice, a[0], NULL, b[1], NULL, 3, 64);
    gives(0, splice, a[0], NULL, b[1], NULL, 0, 0);
    fails(ESPIPE, splice, a[0], &offset, b[1], NULL, 3, 0);
    fails(ESPIPE, splice, file, NULL, a[1], &offset, 3, 0);
    fails(EBADF, splice, -1, NULL, a[1], NULL, 3, 0);
    fails(EBADF, splice, a[1], NULL, b[1], NULL, 3, 0);
    fails(EBADF, splice, a[0], NULL, -1, NULL, 3, 0);
    int appends = open("file", O_WRONLY | O_APPEND);
    write(a[1], "x", 1);
    fails(EINVAL, splice, a[0], NULL, appends, NULL, 1, 0);
}
