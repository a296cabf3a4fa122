/* Opening masters and terminals: the lock, the number, the node, the other side by its master. */
#include "pair.h"

#include <sys/sysmacros.h>

static char name[64];

static void say_node(const char *path) {
    struct stat stat_;
    is("stat", stat(path, &stat_), 0);
    say("type %o, owner %d, %s %d", stat_.st_mode & S_IFMT, stat_.st_uid,
        S_ISCHR(stat_.st_mode) ? "device" : "no device", major(stat_.st_rdev));
}

static void settings(void) {
    struct termios termios;
    works(ioctl, terminal, TCGETS, &termios);
    tcgetattr(terminal, &termios);
    say("settings %x %x %x %x", termios.c_iflag, termios.c_oflag, termios.c_cflag, termios.c_lflag);
    say("characters %s", visible((char *)termios.c_cc, 17));
    termios.c_cflag = B9600 | CS5 | PARENB;
    is("set", tcsetattr(terminal, TCSANOW, &termios), 0);
    tcgetattr(terminal, &termios);
    say("control %x", termios.c_cflag);
    is("by the master", tcgetattr(master, &termios), 0);
    say("control %x", termios.c_cflag);
}

int main(void) {
    int number = -1, locked = -1;
    master = (int)works(openat, AT_FDCWD, "/dev/ptmx", O_RDWR | O_NOCTTY);
    gives(0, ioctl, master, TIOCGPTN, &number);
    gives(0, ioctl, master, TIOCGPTLCK, &locked);
    is("locked", locked, 1);
    snprintf(name, sizeof name, "/dev/pts/%d", number);
    fails(EIO, open, name, O_RDWR | O_NOCTTY);
    fails(EIO, ioctl, master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    locked = 0;
    gives(0, ioctl, master, TIOCSPTLCK, &locked);
    gives(0, ioctl, master, TIOCGPTLCK, &locked);
    is("locked", locked, 0);
    is("opens", (terminal = open(name, O_RDWR | O_NOCTTY)) >= 0, 1);
    say_node(name);
    int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
    is("peer", peer >= 0, 1);
    char link[64], path[64] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", peer);
    readlink(link, path, sizeof path - 1);
    is("named alike", strcmp(path, name), 0);
    is("a terminal", isatty(peer) && isatty(master), 1);
    settings();
    unsigned device = 0;
    gives(0, ioctl, terminal, TIOCGDEV, &device);
    is("device", major(device) == 136 && (int)minor(device) == number, 1);
    fails(EIO, ioctl, terminal, TIOCGPTPEER, O_RDWR);
    fails(ENOTTY, ioctl, terminal, TIOCGPTN, &number);
    fails(ENOTTY, ioctl, terminal, TIOCSPTLCK, &number);
    fails(ENOTTY, ioctl, terminal, TIOCPKT, &number);
    fails(EFAULT, ioctl, master, TIOCGPTN, BAD);
    fails(EFAULT, ioctl, master, TIOCSPTLCK, BAD);
    fails(EFAULT, ioctl, terminal, TCGETS, BAD);
    fails(EFAULT, ioctl, terminal, TCSETS, BAD);
    fails(ENOTTY, ioctl, master, 0x54ff, 0);
    fails(ESPIPE, lseek, master, 0, SEEK_CUR);
    fails(ESPIPE, lseek, terminal, 0, SEEK_CUR);
    fails(EFAULT, write, master, BAD, 1);
    fails(EFAULT, write, terminal, BAD, 1);
    int reads = open(name, O_RDONLY | O_NOCTTY), writes = open(name, O_WRONLY | O_NOCTTY);
    fails(EBADF, write, reads, "x", 1);
    fails(EBADF, read, writes, name, 1);
    int other = open("/dev/ptmx", O_RDWR | O_NOCTTY), next = -1;
    ioctl(other, TIOCGPTN, &next);
    is("another", next != number, 1);
    close(other);
    int exclusive = -1;
    gives(0, ioctl, terminal, TIOCEXCL);
    gives(0, ioctl, terminal, TIOCGEXCL, &exclusive);
    is("exclusive", exclusive, 1);
    is("root opens", open(name, O_RDWR | O_NOCTTY) >= 0, 1);
    fchmod(terminal, 0666);
    be(SOMEBODY);
    fails(EBUSY, open, name, O_RDWR | O_NOCTTY);
    gives(0, ioctl, terminal, TIOCNXCL);
    is("others open", open(name, O_RDWR | O_NOCTTY) >= 0, 1);
    close(master);
    fails(ENOENT, open, name, O_RDWR | O_NOCTTY);
    return 0;
}
