/* chdir, fchdir, getcwd, chroot: where a program is. */
#include "abi.h"

static void elsewhere(void) {
    char space[PATH_MAX];
    gives(0, chroot, ".");
    works(getcwd, space, sizeof space);
    say("%s", space);
    gives(0, chdir, "/inside");
    gives(8, getcwd, space, sizeof space);
    gives(0, chdir, "../../../..");
    gives(2, getcwd, space, sizeof space);
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, chroot, ".");
    int fd = open("closed", O_PATH);
    fails(EACCES, fchdir, fd);
    fails(EACCES, chdir, "closed");
}

int main(void) {
    char space[PATH_MAX], before[PATH_MAX];
    mkdir("inside", 0755);
    mkdir("closed", 0700);
    put("file", "");
    works(getcwd, before, sizeof before);
    gives(0, chdir, "inside");
    works(getcwd, space, sizeof space);
    is("one below",
       !strncmp(space, before, strlen(before)) && !strcmp(strrchr(space, '/'), "/inside"), 1);
    fails(ERANGE, getcwd, space, 3);
    fails(ERANGE, getcwd, space, 0);
    fails(EFAULT, getcwd, BAD, 4096);
    fails(EFAULT, getcwd, NULL, 4096);
    int fd = open("..", O_PATH), file = open("../file", O_RDONLY);
    gives(0, fchdir, fd);
    works(getcwd, space, sizeof space);
    is("back", strcmp(space, before), 0);
    fails(EBADF, fchdir, -1);
    fails(ENOTDIR, fchdir, file);
    fails(ENOTDIR, chroot, "file");
    in_child("somebody", somebody);
    in_child("elsewhere", elsewhere);
    chdir("inside");
    rmdir("../inside");
    fails(ENOENT, getcwd, space, sizeof space);
    fails(ENOENT, open, "new", O_RDWR | O_CREAT, 0644);
}
