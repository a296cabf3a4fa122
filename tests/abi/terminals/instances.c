/* Mounts of devpts: each has numbers of its own; options say whose and what terminals are. */
#include "pair.h"

#include <sys/mount.h>
#include <sys/vfs.h>

static int opened(const char *path) {
    int number = -1, zero = 0;
    int fd = open(path, O_RDWR | O_NOCTTY);
    is("opens", fd >= 0, 1);
    ioctl(fd, TIOCSPTLCK, &zero);
    ioctl(fd, TIOCGPTN, &number);
    say("%s: %d", path, number);
    return fd;
}

static void says(const char *path) {
    struct stat stat_;
    if (stat(path, &stat_) < 0)
        say("%s: %s", path, strerrorname_np(errno));
    else
        say("%s: %o %d %d", path, stat_.st_mode, stat_.st_uid, stat_.st_gid);
}

int main(void) {
    struct statfs counts;
    mkdir("first", 0755);
    mkdir("second", 0755);
    gives(0, mount, "devpts", "first", "devpts", 0, "newinstance,ptmxmode=666,mode=620,gid=5");
    gives(0, mount, "devpts", "second", "devpts", 0, "max=2,uid=7");
    gives(0, statfs, "first", &counts);
    is("type", counts.f_type, 0x1cd1);
    says("first");
    says("first/ptmx");
    says("second/ptmx");
    int one = opened("first/ptmx"), two = opened("first/ptmx"), other = opened("second/ptmx");
    says("first/0");
    says("first/1");
    says("first/2");
    says("second/0");
    says("second/1");
    opened("second/ptmx");
    fails(ENOSPC, open, "second/ptmx", O_RDWR);
    close(one);
    says("first/0");
    one = opened("first/ptmx");
    int held = open("first/1", O_RDWR | O_NOCTTY);
    close(two);
    says("first/1");
    int next = opened("first/ptmx");
    close(held);
    close(next);
    opened("first/ptmx");
    fails(EINVAL, mount, "devpts", "second", "devpts", 0, "mode=rw");
    fails(EBUSY, umount2, "first", 0);
    gives(0, umount2, "first", MNT_DETACH);
    master = one;
    terminal = (int)works(ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY) >= 0;
    umount2("second", MNT_DETACH);
    close(other);
    return 0;
}
