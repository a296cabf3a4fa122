/* chroot: what is seen from inside, what was open before, and by whom it is allowed. */
#include "abi.h"

static int outside;

static void inside(void) {
    char here[PATH_MAX] = "";
    struct stat seen, root;
    gives(0, chroot, "jail");
    works(getcwd, here, sizeof here);
    say("%.13s", here);
    gives(0, stat, "beside", &seen);
    gives(0, chdir, "/");
    works(getcwd, here, sizeof here);
    say("%s", here);
    fails(ENOENT, stat, "/beside", &seen);
    fails(ENOENT, stat, "../beside", &seen);
    gives(0, stat, "/..", &seen);
    stat("/", &root);
    is("the top", seen.st_ino == root.st_ino, 1);
    gives(0, stat, "/inner/../file", &seen);
    fails(ENOENT, open, "absolute", O_RDONLY);
    say("%s", get("relative"));
    fails(ENOENT, stat, "/proc/self", &seen);
    /* What is open leads out. */
    works(openat, outside, "beside", O_RDONLY);
    gives(0, fchdir, outside);
    works(open, "beside", O_RDONLY);
    works(getcwd, here, sizeof here);
    say("%.13s", here);
    gives(0, chdir, "jail");
    works(getcwd, here, sizeof here);
    say("%s", here);
    gives(0, chroot, "inner");
    gives(0, chdir, "/");
    fails(ENOENT, stat, "/file", &seen);
    fails(ENOENT, execve, "/bin/true", NULL, NULL);
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, chroot, "jail");
    fails(EPERM, chroot, ".");
}

int main(void) {
    mkdir("jail", 0755);
    mkdir("jail/inner", 0755);
    put("jail/file", "in jail");
    put("beside", "outside");
    symlink("/beside", "jail/absolute");
    symlink("/inner/../../../file", "jail/relative");
    outside = open(".", O_RDONLY);
    fails(ENOENT, chroot, "nothing");
    fails(ENOTDIR, chroot, "beside");
    fails(EFAULT, chroot, BAD);
    in_child("inside", inside);
    in_child("somebody", somebody);
    is("not outside", access("beside", F_OK), 0);
}
