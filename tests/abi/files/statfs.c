/* statfs and fstatfs. */
#include "abi.h"

#include <sys/vfs.h>

int main(void) {
    struct statfs seen;
    gives(0, statfs, ".", &seen);
    say("type %lx, blocks of %ld, names of %ld", (long)seen.f_type, (long)seen.f_bsize,
        (long)seen.f_namelen);
    gives(0, statfs, "/proc", &seen);
    say("type %lx", (long)seen.f_type);
    int fd = open("/dev/null", O_RDONLY);
    gives(0, fstatfs, fd, &seen);
    fails(EFAULT, statfs, ".", BAD);
    fails(EFAULT, fstatfs, fd, BAD);
    fails(EBADF, fstatfs, -1, &seen);
}
