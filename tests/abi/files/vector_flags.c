/* pwritev2 that appends, wherever the file stands. */
#include "abi.h"

int main(void) {
    struct iovec out = {"abc", 3};
    int fd = open("file", O_RDWR | O_CREAT, 0644);
    write(fd, "01234", 5);
    gives(3, pwritev2, fd, &out, 1, 0, 0, RWF_APPEND);
    gives(3, pwritev2, fd, &out, 1, -1, -1, RWF_APPEND);
    say("%s", get("file"));
}
