/* Memory that ends in the middle of what is written or read: a page's worth goes whole or not. */
#include "abi.h"

#include <sys/ioctl.h>
#include <sys/uio.h>

static int in_it(int fd) {
    int count = -1;
    ioctl(fd, FIONREAD, &count);
    return count;
}

int main(void) {
    int ends[2];
    char *end = page_end(), bytes[8192];
    struct iovec two[] = {{bytes, 30}, {BAD, 30}};
    pipe2(ends, O_NONBLOCK);

    memset(end - 4096, 'a', 4096);
    fails(EFAULT, write, ends[1], end - 50, 100);
    fails(EFAULT, writev, ends[1], two, 2);
    is("in it", in_it(ends[0]), 0);
    gives(100, write, ends[1], end - 100, 100);
    fails(EFAULT, write, ends[1], end - 1, 2);
    is("in it", in_it(ends[0]), 100);

    fails(EFAULT, read, ends[0], end - 50, 100);
    fails(EFAULT, readv, ends[0], two, 2);
    is("in it", in_it(ends[0]), 100);
    gives(50, read, ends[0], end - 50, 50);
    gives(50, read, ends[0], bytes, sizeof bytes);

    memset(bytes, 'b', sizeof bytes);
    two[0].iov_len = 5000, two[1].iov_len = 1000;
    gives(4096, writev, ends[1], two, 2);
    is("in it", in_it(ends[0]), 4096);
    gives(4096, read, ends[0], bytes, sizeof bytes);
    is("the last", bytes[4095], 'b');
}
