/* statx: what it tells, and everything refused. */
#include "abi.h"

int main(void) {
    struct statx seen;
    put("file", "12345");
    symlink("file", "link");
    gives(0, statx, AT_FDCWD, "file", 0, STATX_BASIC_STATS, &seen);
    say("%o %d %d %d %ld", seen.stx_mode, seen.stx_nlink, seen.stx_uid, seen.stx_gid,
        (long)seen.stx_size);
    is("all of it", (seen.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS, 1);
    gives(0, statx, AT_FDCWD, "link", AT_SYMLINK_NOFOLLOW, STATX_TYPE, &seen);
    is("link", S_ISLNK(seen.stx_mode), 1);
    int fd = open("file", O_RDONLY);
    gives(0, statx, fd, "", AT_EMPTY_PATH, STATX_SIZE, &seen);
    is("size", seen.stx_size, 5);
    gives(0, statx, AT_FDCWD, "file", AT_STATX_DONT_SYNC, 0, &seen);
    fails(EINVAL, statx, AT_FDCWD, "file", AT_STATX_SYNC_TYPE, 0, &seen);
    fails(EINVAL, statx, AT_FDCWD, "file", 0x10000, 0, &seen);
    fails(EINVAL, statx, AT_FDCWD, "file", 0, STATX__RESERVED, &seen);
    fails(EFAULT, statx, AT_FDCWD, "file", 0, STATX_SIZE, BAD);
    fails(EBADF, statx, -1, "file", 0, STATX_SIZE, &seen);
    fails(ENOTDIR, statx, fd, "file", 0, STATX_SIZE, &seen);
    fails(ENOENT, statx, fd, "", 0, STATX_SIZE, &seen);
}
