/* How many vectors a call takes, and how much in all. */
#include "abi.h"

static struct iovec many[1026];

int main(void) {
    int ends[2], file = open("file", O_RDWR | O_CREAT, 0600);
    static char bytes[1026];
    pipe(ends);
    for (int i = 0; i < 1026; i++)
        many[i] = (struct iovec){bytes + i, 1};
    gives(1024, writev, ends[1], many, 1024);
    gives(1024, readv, ends[0], many, 1024);
    fails(EINVAL, writev, ends[1], many, 1025);
    fails(EINVAL, readv, ends[0], many, 1025);
    fails(EINVAL, writev, ends[1], many, -1);
    gives(1024, pwritev, file, many, 1024, 0);
    gives(1024, preadv, file, many, 1024, 0);
    fails(EINVAL, pwritev, file, many, 1025, 0);
    fails(EINVAL, preadv, file, many, 1025, 0);
    gives(0, writev, ends[1], NULL, 0);
    gives(0, readv, ends[0], NULL, 0);
    gives(0, writev, ends[1], BAD, 0);
    fails(EFAULT, writev, ends[1], BAD, 1);
    many[1].iov_len = (size_t)-1;
    fails(EINVAL, writev, file, many, 3);
    fails(EINVAL, readv, file, many, 3);
    many[1].iov_len = (size_t)1 << 63;
    fails(EINVAL, pwritev, file, many, 2, 0);
    many[1] = (struct iovec){NULL, 0};
    gives(2, writev, file, many, 3);
}
