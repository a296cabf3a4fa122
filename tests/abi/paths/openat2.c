/* openat2: how a path may be resolved, and everything refused. */
#include "abi.h"

#include <linux/openat2.h>

int main(void) {
    struct open_how how = {.flags = O_RDONLY};
    struct {
        struct open_how how;
        uint64_t more;
    } longer = {{.flags = O_RDONLY}, 0};
    struct rlimit few;
    put("file", "");
    mkdir("d", 0755);
    symlink("../file", "d/up");
    symlink("/etc", "d/absolute");
    symlink("x", "d/plain");
    put("d/x", "");
    mkfifo("fifo", 0644);
    works(openat2, AT_FDCWD, "file", &how, sizeof how);
    works(openat2, AT_FDCWD, "file", &longer, sizeof longer);
    longer.more = 1;
    fails(E2BIG, openat2, AT_FDCWD, "file", &longer, sizeof longer);
    fails(E2BIG, openat2, AT_FDCWD, "file", &how, 8192);
    fails(EINVAL, openat2, AT_FDCWD, "file", &how, 8);
    fails(EFAULT, openat2, AT_FDCWD, "file", BAD, sizeof how);
    fails(EFAULT, openat2, AT_FDCWD, BAD, &how, sizeof how);
    fails(EBADF, openat2, -1, "file", &how, sizeof how);
    fails(ENOTDIR, openat2, AT_FDCWD, "file/x", &how, sizeof how);
    fails(ENOENT, openat2, AT_FDCWD, "nothing", &how, sizeof how);
    int d = open("d", O_PATH);
    how.resolve = RESOLVE_BENEATH;
    fails(EXDEV, openat2, d, "up", &how, sizeof how);
    fails(EXDEV, openat2, d, "../file", &how, sizeof how);
    fails(EXDEV, openat2, d, "/etc", &how, sizeof how);
    works(openat2, d, "plain", &how, sizeof how);
    how.resolve = RESOLVE_IN_ROOT;
    fails(ENOENT, openat2, d, "up", &how, sizeof how);
    works(openat2, d, "../../x", &how, sizeof how);
    how.resolve = RESOLVE_NO_SYMLINKS;
    fails(ELOOP, openat2, d, "plain", &how, sizeof how);
    works(openat2, d, "x", &how, sizeof how);
    how.resolve = RESOLVE_NO_XDEV;
    fails(EXDEV, openat2, AT_FDCWD, "/proc/version", &how, sizeof how);
    how.resolve = RESOLVE_NO_MAGICLINKS;
    fails(ELOOP, openat2, AT_FDCWD, "/proc/self/fd/0", &how, sizeof how);
    how.resolve = RESOLVE_CACHED;
    how.flags = O_RDWR | O_TRUNC;
    fails(EAGAIN, openat2, d, "x", &how, sizeof how);
    how.resolve = 64;
    how.flags = O_RDONLY;
    fails(EINVAL, openat2, d, "x", &how, sizeof how);
    how.resolve = 0;
    how.mode = 0644;
    fails(EINVAL, openat2, d, "x", &how, sizeof how);
    how.flags = O_RDONLY | O_CREAT | O_EXCL;
    fails(EEXIST, openat2, d, "x", &how, sizeof how);
    how.mode = 0;
    how.flags = 1ull << 40;
    fails(EINVAL, openat2, d, "x", &how, sizeof how);
    how.flags = O_WRONLY;
    fails(EISDIR, openat2, AT_FDCWD, "d", &how, sizeof how);
    how.flags = O_WRONLY | O_NONBLOCK;
    fails(ENXIO, openat2, AT_FDCWD, "fifo", &how, sizeof how);
    how.flags = O_RDONLY;
    fails_on_bad_paths(openat2, AT_FDCWD, path, &how, sizeof how);
    few = (struct rlimit){3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, openat2, AT_FDCWD, "file", &how, sizeof how);
}
