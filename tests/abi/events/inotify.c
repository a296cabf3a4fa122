/* inotify: what happens to files and names, and what is refused. */
#include "abi.h"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

static int fd;
static uint32_t first_cookie;

static const char *const names[] = {
    "ACCESS",     "MODIFY",   "ATTRIB",     "CLOSE_WRITE", "CLOSE_NOWRITE", "OPEN",
    "MOVED_FROM", "MOVED_TO", "CREATE",     "DELETE",      "DELETE_SELF",   "MOVE_SELF",
    "?",          "UNMOUNT",  "Q_OVERFLOW", "IGNORED",
};

/* Says what waits to be read. Cookies differ from run to run; that two are of one move is told. */
static void events(const char *after) {
    static char buffer[1 << 16] __attribute__((aligned(8)));
    say("%s:", after);
    long length = read(fd, buffer, sizeof buffer);
    if (length < 0)
        say("  none: %d", errno);
    for (char *at = buffer; at < buffer + length;) {
        struct inotify_event *event = (void *)at;
        const char *name = "?";
        for (int bit = 0; bit < 16; bit++)
            if (event->mask == 1u << bit || event->mask == (1u << bit | IN_ISDIR))
                name = names[bit];
        if ((event->mask & IN_MOVED_FROM))
            first_cookie = event->cookie;
        say("  %d %x %s%s %s%s length %u", event->wd, event->mask, name,
            event->mask & IN_ISDIR ? " ISDIR" : "", event->len ? event->name : "(itself)",
            !event->cookie                    ? ""
            : (event->mask & IN_MOVED_FROM)   ? " moved"
            : (event->cookie == first_cookie) ? " by the same move"
                                              : " by another move",
            event->len);
        at += sizeof *event + event->len;
    }
}

static void bytes(void) {
    char some[64];
    int file = works(open, "d/file", O_RDWR | O_CREAT, 0644);
    works(write, file, "abc", 3);
    works(write, file, "abc", 3);
    works(pread64, file, some, 3, 0);
    gives(0, read, file, some, 3);
    works(ftruncate, file, 1);
    works(fchmod, file, 0600);
    works(fallocate, file, 0, 0, 100);
    close(file);
    events("a new file");
    file = works(open, "d/file", O_RDONLY, 0);
    works(read, file, some, 3);
    close(file);
    events("reading");
    /* Before or after it is opened, which depends on the version of Linux. */
    gives(1, inotify_add_watch, fd, "d", IN_ALL_EVENTS & ~IN_OPEN);
    file = works(open, "d/file", O_WRONLY | O_TRUNC, 0);
    struct iovec vector = {some, 5};
    works(pwritev, file, &vector, 1, 3, 0);
    works(utimensat, file, 0, 0, 0);
    close(file);
    events("cut off");
    gives(1, inotify_add_watch, fd, "d", IN_ALL_EVENTS);
    struct timespec times[2] = {{1, 0}, {0, UTIME_OMIT}}, other[2] = {{0, UTIME_OMIT}, {1, 0}};
    works(utimensat, AT_FDCWD, "d/file", times, 0);
    works(utimensat, AT_FDCWD, "d/file", other, 0);
    works(chmod, "d/file", 0644);
    works(chown, "d/file", 1, 1);
    works(chown, "d/file", -1, -1);
    works(truncate, "d/file", 10);
    works(setxattr, "d/file", "trusted.a", "b", 1, 0);
    works(removexattr, "d/file", "trusted.a");
    struct stat status;
    works(stat, "d/file", &status);
    works(access, "d/file", R_OK);
    events("by path");
    file = works(open, "d/file", O_PATH, 0);
    close(file);
    events("only its path");
}

static void names_in_it(void) {
    works(mkdir, "d/sub", 0755);
    works(symlink, "file", "d/link");
    works(mknod, "d/fifo", S_IFIFO | 0644, 0);
    works(link, "d/file", "d/other");
    events("names");
    int folder = works(open, "d/sub", O_RDONLY | O_DIRECTORY, 0);
    char some[512];
    works(getdents64, folder, some, sizeof some);
    close(folder);
    works(rename, "d/other", "d/another");
    works(rename, "d/sub", "d/folder");
    works(rename, "d/another", "d/folder/outside");
    works(rename, "d/folder/outside", "d/inside");
    works(renameat2, AT_FDCWD, "d/link", AT_FDCWD, "d/inside", RENAME_EXCHANGE);
    works(rename, "d/fifo", "d/link");
    events("moves");
    works(unlink, "d/link");
    works(unlink, "d/inside");
    works(rmdir, "d/folder");
    events("removed");
    fails(ENOENT, unlink, "d/link");
    fails(EEXIST, mkdir, "d/file", 0755);
    fails(EAGAIN, read, fd, some, sizeof some);
}

/* What happens to a file that has lost its name, and to one in a directory that has. */
static void nameless(uint32_t mask) {
    gives(1, inotify_add_watch, fd, "d", mask);
    int file = works(open, "d/name", O_RDWR | O_CREAT, 0600);
    int over = works(open, "d/other", O_RDWR | O_CREAT, 0600);
    works(unlink, "d/name");
    works(rename, "d/other", "d/another");
    put("d/moved", "");
    works(rename, "d/moved", "d/another");
    works(write, file, "abc", 3);
    works(fchmod, over, 0644);
    close(file);
    close(over);
    works(mkdir, "d/folder", 0700);
    int folder = works(open, "d/folder", O_RDONLY, 0);
    works(rmdir, "d/folder");
    close(folder);
    works(unlink, "d/another");
    events(mask & IN_EXCL_UNLINK ? "nameless, but not told of" : "nameless");
}

static void itself(void) {
    int watch = works(inotify_add_watch, fd, "d/file", IN_ALL_EVENTS);
    int file = works(open, "d/file", O_RDWR, 0);
    works(write, file, "abc", 3);
    works(chmod, "d/file", 0600);
    works(rename, "d/file", "d/moved");
    works(link, "d/moved", "d/second");
    works(unlink, "d/second");
    events("file and directory");
    works(unlink, "d/moved");
    events("unlinked");
    close(file);
    events("closed");
    fails(EINVAL, inotify_rm_watch, fd, watch);
    nameless(IN_ALL_EVENTS);
    nameless(IN_ALL_EVENTS | IN_EXCL_UNLINK);
    put("d/file", "abc");
    put("d/over", "abc");
    works(inotify_add_watch, fd, "d/file", IN_ALL_EVENTS);
    events("two files");
    works(rename, "d/over", "d/file");
    events("moved over");
}

static void folder_itself(void) {
    works(mkdir, "e", 0755);
    int watch = works(inotify_add_watch, fd, "e", IN_ALL_EVENTS);
    works(chmod, "e", 0700);
    works(rename, "e", "f");
    int folder = works(open, "f", O_RDONLY, 0);
    works(rmdir, "f");
    events("folder removed");
    close(folder);
    events("folder closed");
    fails(EINVAL, inotify_rm_watch, fd, watch);
}

static void masks(void) {
    put("file", "abc");
    int watch = works(inotify_add_watch, fd, "file", IN_ATTRIB);
    gives(watch, inotify_add_watch, fd, "file", IN_MODIFY);
    works(chmod, "file", 0600);
    works(truncate, "file", 1);
    events("other mask");
    gives(watch, inotify_add_watch, fd, "file", IN_ATTRIB | IN_MASK_ADD);
    works(chmod, "file", 0644);
    works(truncate, "file", 2);
    events("mask added to");
    fails(EEXIST, inotify_add_watch, fd, "file", IN_ATTRIB | IN_MASK_CREATE);
    fails(EINVAL, inotify_add_watch, fd, "file", IN_ATTRIB | IN_MASK_CREATE | IN_MASK_ADD);
    works(inotify_rm_watch, fd, watch);
    events("watch removed");
    fails(EINVAL, inotify_rm_watch, fd, watch);
    works(inotify_add_watch, fd, "file", IN_ATTRIB | IN_ONESHOT);
    works(chmod, "file", 0600);
    works(chmod, "file", 0644);
    events("once");
    works(symlink, "file", "link");
    works(inotify_add_watch, fd, "link", IN_ALL_EVENTS | IN_DONT_FOLLOW);
    works(chmod, "file", 0600);
    works(unlink, "link");
    events("the link itself");
    fails(ENOTDIR, inotify_add_watch, fd, "file", IN_ATTRIB | IN_ONLYDIR);
}

static void read_in_parts(void) {
    char some[64];
    int waiting = -1;
    put("file", "abc");
    works(inotify_add_watch, fd, "file", IN_ATTRIB | IN_MODIFY);
    works(chmod, "file", 0600);
    works(chmod, "file", 0644);
    works(truncate, "file", 2);
    works(chmod, "file", 0644);
    gives(0, ioctl, fd, FIONREAD, &waiting);
    is("bytes that wait", waiting, 48);
    fails(EINVAL, read, fd, some, 15);
    gives(16, read, fd, some, 31);
    struct pollfd one = {fd, POLLIN | POLLOUT, 0};
    gives(1, poll, &one, 1, 0);
    is("ready", one.revents, POLLIN);
    fails(EFAULT, read, fd, BAD, 4096);
    events("the rest");
    gives(0, poll, &one, 1, 0);
    gives(0, ioctl, fd, FIONREAD, &waiting);
    is("bytes that wait", waiting, 0);
    fails(ENOTTY, ioctl, fd, TIOCGWINSZ, some);
    fails(EBADF, write, fd, some, 1);
    fails(ESPIPE, pread64, fd, some, 64, 0);
}

static void unmounted(void) {
    works(mkdir, "m", 0755);
    works(mount, "none", "m", "tmpfs", 0, 0);
    put("m/file", "abc");
    works(inotify_add_watch, fd, "m", IN_MODIFY);
    works(inotify_add_watch, fd, "m/file", IN_ONESHOT | IN_MODIFY);
    works(truncate, "m/file", 1);
    works(inotify_add_watch, fd, "m/file", IN_ATTRIB);
    events("mounted");
    works(mount, "m", "d", 0, MS_BIND, 0);
    works(umount2, "m", 0);
    events("mounted elsewhere");
    works(umount2, "d", 0);
    static char said[4096] __attribute__((aligned(8)));
    long length = works(read, fd, said, sizeof said), unmounts = 0, ends = 0, folders = 0;
    for (struct inotify_event *event = (void *)said; (char *)event < said + length; event++) {
        unmounts += event->mask == IN_UNMOUNT || event->mask == (IN_UNMOUNT | IN_ISDIR);
        folders += event->mask == (IN_UNMOUNT | IN_ISDIR);
        ends += event->mask == IN_IGNORED;
    }
    is("unmounts", unmounts, 2);
    is("of folders", folders, 1);
    is("ends", ends, 2);
}

/* More than wait at most: one of the last says that some were lost. */
static void too_many(void) {
    static char said[1 << 20] __attribute__((aligned(8)));
    FILE *most = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    long waits = 16384, events_read = 0, lost = 0;
    int waiting = -1;
    if (most)
        (void)!fscanf(most, "%ld", &waits), fclose(most);
    put("file", "abc");
    int many = works(inotify_init1, IN_NONBLOCK);
    works(inotify_add_watch, many, "file", IN_ATTRIB | IN_MODIFY);
    for (long n = 0; n < waits / 2 + 10; n++)
        if (chmod("file", 0600) || truncate("file", 2))
            give_up("nothing changes");
    works(ioctl, many, FIONREAD, &waiting);
    is("bytes that wait beyond the most", waiting - 16 * waits, 16);
    for (long length; (length = read(many, said, sizeof said)) > 0;)
        for (struct inotify_event *event = (void *)said; (char *)event < said + length; event++) {
            events_read++;
            lost += event->mask == IN_Q_OVERFLOW && event->wd == -1;
        }
    is("events beyond the most", events_read - waits, 1);
    is("lost", lost, 1);
    close(many);
}

static void touch_later(void) {
    doze(50);
    chmod("file", 0600);
    _exit(0);
}

static void waits(void) {
    char some[64];
    int plain = works(inotify_init, 0);
    works(inotify_add_watch, plain, "file", IN_ATTRIB);
    int child = start(touch_later);
    gives(16, read, plain, some, sizeof some);
    ended("who touches it", child);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, read, plain, some, sizeof some);
    alarm_in(0);
    close(plain);
}

/* Of one user's files; those that are closed do not count. */
static void too_many_files(void) {
    enum { MOST = 128 };
    struct rlimit many = {1000, 1000};
    setrlimit(RLIMIT_NOFILE, &many);
    be(SOMEBODY);
    for (int round = 0; round < 2; round++) {
        int first = inotify_init1(0), last = first;
        for (int n = 1; n < MOST; n++)
            last = inotify_init1(0);
        is("files", last - first, MOST - 1);
        fails(EMFILE, inotify_init1, 0);
        for (int n = first; n <= last; n++)
            close(n);
    }
}

static void refused(void) {
    int null = open("/dev/null", O_RDWR);
    fails(EINVAL, inotify_init1, 1);
    fails(EINVAL, inotify_add_watch, fd, "file", 0);
    fails(EINVAL, inotify_add_watch, fd, "file", 0x08000000);
    fails(EBADF, inotify_add_watch, 99, "file", IN_ATTRIB);
    fails(EINVAL, inotify_add_watch, null, "file", IN_ATTRIB);
    fails(EBADF, inotify_rm_watch, 99, 1);
    fails(EINVAL, inotify_rm_watch, null, 1);
    fails(EINVAL, inotify_rm_watch, fd, 1000);
    fails_on_bad_paths(inotify_add_watch, fd, path, IN_ATTRIB);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, inotify_init, 0);
    fails(EMFILE, inotify_init1, 0);
}

int main(void) {
    works(mkdir, "d", 0755);
    fd = works(inotify_init1, IN_NONBLOCK | IN_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    gives(1, inotify_add_watch, fd, "d", IN_ALL_EVENTS);
    bytes();
    names_in_it();
    itself();
    folder_itself();
    masks();
    read_in_parts();
    waits();
    unmounted();
    too_many();
    in_child("too many files", too_many_files);
    refused();
}
