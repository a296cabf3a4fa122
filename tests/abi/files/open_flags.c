/* What open() keeps of its flags, what F_SETFL may change of them, and what descriptors share. */
#include "abi.h"

int main(void) {
    const int kept[] = {O_RDONLY,
                        O_WRONLY,
                        O_RDWR,
                        O_RDWR | O_APPEND,
                        O_RDWR | O_NONBLOCK,
                        O_RDWR | O_CREAT,
                        O_RDWR | O_TRUNC,
                        O_RDWR | O_NOCTTY,
                        O_RDWR | O_CLOEXEC,
                        O_RDWR | O_DSYNC,
                        O_RDWR | O_SYNC,
                        O_RDONLY | O_NOATIME,
                        O_RDONLY | O_NOFOLLOW,
                        O_PATH,
                        O_PATH | O_CLOEXEC,
                        O_PATH | O_NOFOLLOW,
                        O_PATH | O_RDWR | O_APPEND};
    put("file", "0123456789");
    for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++) {
        int fd = open("file", kept[i], 0644);
        say("%2u: flags %o, on exec %d", i, fcntl(fd, F_GETFL), fcntl(fd, F_GETFD));
        close(fd);
    }
    int folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    say("folder: %o", fcntl(folder, F_GETFL));
    int fd = works(open, "file", O_RDWR), same = works(dup, fd),
        other = works(open, "file", O_RDWR);
    /* The access mode and what concerns opening alone are not changed. */
    gives(0, fcntl, fd, F_SETFL, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_SYNC | O_CLOEXEC);
    say("%o %o %o", fcntl(fd, F_GETFL), fcntl(same, F_GETFL), fcntl(other, F_GETFL));
    is("not on exec", fcntl(fd, F_GETFD), 0);
    gives(0, fcntl, same, F_SETFL, O_NONBLOCK);
    say("%o %o", fcntl(fd, F_GETFL), fcntl(same, F_GETFL));
    gives(0, fcntl, fd, F_SETFL, 0);
    say("%o", fcntl(same, F_GETFL));
    gives(0, fcntl, fd, F_SETFD, FD_CLOEXEC);
    is("its copy", fcntl(same, F_GETFD), 0);
    gives(0, fcntl, fd, F_SETFD, 0x7ffffffe);
    is("one bit counts", fcntl(fd, F_GETFD), 0);
    be(SOMEBODY);
    fails(EPERM, open, "file", O_RDONLY | O_NOATIME);
    int foreign = works(open, "file", O_RDONLY);
    fails(EPERM, fcntl, foreign, F_SETFL, O_NOATIME);
}
