/* access, faccessat, faccessat2: by the real user, or the effective one. */
#include "abi.h"

static void somebody(void) {
    be(SOMEBODY);
    fails(EACCES, access, "mine", R_OK);
    fails(EACCES, access, "closed/x", F_OK);
    fails(EACCES, faccessat, AT_FDCWD, "closed/x", F_OK);
    fails(EACCES, faccessat2, AT_FDCWD, "closed/x", F_OK, 0);
    fails(EACCES, faccessat2, AT_FDCWD, "mine", R_OK, AT_EACCESS);
    gives(0, access, "mine", F_OK);
    fails(EACCES, access, "readable", W_OK);
    gives(0, access, "readable", R_OK);
}

static void real_somebody(void) {
    setresuid(SOMEBODY, 0, 0);
    fails(EACCES, access, "mine", R_OK);
    gives(0, faccessat2, AT_FDCWD, "mine", R_OK, AT_EACCESS);
}

int main(void) {
    char longest[300];
    memset(longest, 'n', 299);
    longest[299] = 0;
    put("mine", "");
    chmod("mine", 0600);
    put("readable", "");
    mkdir("closed", 0700);
    symlink("loop", "loop");
    symlink("nothing", "dangling");
    gives(0, access, "mine", R_OK | W_OK);
    fails(EACCES, access, "mine", X_OK);
    gives(0, access, "closed", X_OK);
    gives(0, faccessat, AT_FDCWD, "mine", R_OK);
    gives(0, faccessat2, AT_FDCWD, "dangling", F_OK, AT_SYMLINK_NOFOLLOW);
    int fd = open("mine", O_RDONLY);
    gives(0, faccessat2, fd, "", R_OK, AT_EMPTY_PATH);
    fails(EINVAL, access, "mine", 8);
    fails(EINVAL, faccessat, AT_FDCWD, "mine", 8);
    fails(EINVAL, faccessat2, AT_FDCWD, "mine", 8, 0);
    fails(EINVAL, faccessat2, AT_FDCWD, "mine", 0, 0x10000);
    fails(ENOENT, access, "nothing", F_OK);
    fails(ENOENT, faccessat, AT_FDCWD, "dangling", F_OK);
    fails(ENOENT, faccessat2, AT_FDCWD, "", F_OK, 0);
    fails(ENOTDIR, access, "mine/x", F_OK);
    fails(ENOTDIR, faccessat, fd, "x", F_OK);
    fails(ENOTDIR, faccessat2, fd, "x", F_OK, 0);
    fails(ELOOP, access, "loop", F_OK);
    fails(ELOOP, faccessat, AT_FDCWD, "loop", F_OK);
    fails(ELOOP, faccessat2, AT_FDCWD, "loop", F_OK, 0);
    fails(ENAMETOOLONG, access, longest, F_OK);
    fails(ENAMETOOLONG, faccessat, AT_FDCWD, longest, F_OK);
    fails(ENAMETOOLONG, faccessat2, AT_FDCWD, longest, F_OK, 0);
    fails(EFAULT, access, BAD, F_OK);
    fails(EFAULT, faccessat, AT_FDCWD, BAD, F_OK);
    fails(EFAULT, faccessat2, AT_FDCWD, BAD, F_OK, 0);
    fails(EBADF, faccessat, -1, "x", F_OK);
    fails(EBADF, faccessat2, -1, "x", F_OK, 0);
    in_child("somebody", somebody);
    in_child("real somebody", real_somebody);
}
