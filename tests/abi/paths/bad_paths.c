/* What every call that takes a path refuses. */
#include "abi.h"

#include <utime.h>

int main(void) {
    char space[4096];
    struct timeval times[2] = {{1, 2}, {3, 4}};
    put("good", "");
    fails_on_bad_paths(open, path, O_RDONLY);
    fails_on_bad_paths(openat, AT_FDCWD, path, O_RDONLY);
    fails_on_bad_paths(creat, path, 0644);
    fails_on_bad_paths(stat, path, space);
    fails_on_bad_paths(lstat, path, space);
    fails_on_bad_paths(newfstatat, AT_FDCWD, path, space, 0);
    fails_on_bad_paths(statx, AT_FDCWD, path, 0, STATX_BASIC_STATS, space);
    fails_on_bad_paths(statfs, path, space);
    fails_on_bad_paths(truncate, path, 0);
    fails_on_bad_paths(chdir, path);
    fails_on_bad_paths(mkdir, path, 0755);
    fails_on_bad_paths(mkdirat, AT_FDCWD, path, 0755);
    fails_on_bad_paths(rmdir, path);
    fails_on_bad_paths(unlink, path);
    fails_on_bad_paths(unlinkat, AT_FDCWD, path, 0);
    fails_on_bad_paths(mknod, path, S_IFREG | 0644, 0);
    fails_on_bad_paths(mknodat, AT_FDCWD, path, S_IFREG | 0644, 0);
    fails_on_bad_paths(rename, path, "other");
    fails_on_bad_paths(rename, "good", path);
    fails_on_bad_paths(renameat, AT_FDCWD, path, AT_FDCWD, "other");
    fails_on_bad_paths(renameat2, AT_FDCWD, "good", AT_FDCWD, path, 0);
    fails_on_bad_paths(link, path, "other");
    fails_on_bad_paths(link, "good", path);
    fails_on_bad_paths(linkat, AT_FDCWD, path, AT_FDCWD, "other", 0);
    fails_on_bad_paths(symlink, "to", path);
    fails_on_bad_paths(symlinkat, "to", AT_FDCWD, path);
    fails_on_bad_paths(readlink, path, space, sizeof space);
    fails_on_bad_paths(readlinkat, AT_FDCWD, path, space, sizeof space);
    fails_on_bad_paths(chmod, path, 0644);
    fails_on_bad_paths(fchmodat, AT_FDCWD, path, 0644);
    fails_on_bad_paths(chown, path, 0, 0);
    fails_on_bad_paths(lchown, path, 0, 0);
    fails_on_bad_paths(fchownat, AT_FDCWD, path, 0, 0, 0);
    fails_on_bad_paths(utime, path, space);
    fails_on_bad_paths(utimes, path, times);
    fails_on_bad_paths(futimesat, AT_FDCWD, path, times);
    fails_on_bad_paths(utimensat, AT_FDCWD, path, times, 0);
    fails_on_bad_paths(execve, path, NULL, NULL);
    fails_on_bad_paths(execveat, AT_FDCWD, path, NULL, NULL, 0);
    fails_on_bad_paths(chroot, path);
}
