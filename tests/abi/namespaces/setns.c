/* setns: into another's name space and back, and how name spaces show in /proc. */
#include "abi.h"

#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/utsname.h>

static void named(void) {
    struct utsname names;
    uname(&names);
    say("%s", names.nodename);
}

static long number_of(const char *path) {
    struct stat about;
    return stat(path, &about) ? -errno : (long)about.st_ino;
}

static int own(const char *which) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/ns/%s", which);
    return open(path, O_RDONLY);
}

static void there_and_back(void) {
    int before = own("uts");
    long number = number_of("/proc/self/ns/uts");
    unshare(CLONE_NEWUTS);
    sethostname("first", 5);
    named();
    int first = own("uts");
    is("another", number_of("/proc/self/ns/uts") != number, 1);
    unshare(CLONE_NEWUTS);
    sethostname("second", 6);
    gives(0, setns, first, CLONE_NEWUTS);
    named();
    gives(0, setns, before, 0);
    is("as it was", number_of("/proc/self/ns/uts") == number, 1);
    gives(0, setns, first, 0);
    gives(0, setns, first, 0);
    named();
    close(first);
    named();
}

static void waits(void) {
    unshare(CLONE_NEWUTS);
    sethostname("child", 5);
    pause();
}

static void of_a_child(void) {
    char path[64];
    int child = start(waits);
    until_asleep(child);
    int process = (int)works(pidfd_open, child, 0);
    gives(0, setns, process, CLONE_NEWUTS);
    named();
    unshare(CLONE_NEWUTS);
    sethostname("own", 3);
    snprintf(path, sizeof path, "/proc/%d/ns/uts", child);
    int space = open(path, O_RDONLY);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    fails(ESRCH, setns, process, CLONE_NEWUTS);
    gives(0, setns, space, CLONE_NEWUTS);
    named();
    is("gone", open(path, O_RDONLY), -1);
}

static void fails_so(void) {
    int space = own("uts"), pipes[2], process = (int)syscall(SYS_pidfd_open, getpid(), 0);
    pipe(pipes);
    fails(EBADF, setns, 99, 0);
    fails(EBADF, setns, open("/proc/self/ns/uts", O_PATH), 0);
    fails(EINVAL, setns, pipes[0], 0);
    fails(EINVAL, setns, open("/proc/self/ns", O_RDONLY), 0);
    fails(EINVAL, setns, space, CLONE_NEWNS);
    fails(EINVAL, setns, space, 0x1234);
    fails(EINVAL, setns, process, 0);
    fails(EINVAL, setns, process, 1);
    int other = start(waits);
    int its = (int)syscall(SYS_pidfd_open, other, 0);
    be(SOMEBODY);
    fails(EPERM, setns, space, 0);
    fails(EPERM, setns, own("uts"), CLONE_NEWUTS);
    fails(EPERM, setns, its, CLONE_NEWUTS);
    char path[64], text[64];
    snprintf(path, sizeof path, "/proc/%d/ns/uts", other);
    fails(EACCES, open, path, O_RDONLY);
    fails(EACCES, readlink, path, text, sizeof text);
    _exit(0);
}

static void of_mounts(void) {
    char folder[PATH_MAX];
    int space = own("mnt");
    mkdir("inside", 0755);
    chroot("inside");
    chdir("/");
    gives(0, setns, space, CLONE_NEWNS);
    say("%s", getcwd(folder, sizeof folder));
    is("all is there", access("/proc/self/ns/mnt", F_OK), 0);
    is("kind", ioctl(space, NS_GET_NSTYPE), CLONE_NEWNS);
}

/* Whose working directory is somebody else's as well stays where he is. */
static void shares(void) {
    int child = (int)syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0);
    if (!child) {
        fails(EINVAL, setns, own("mnt"), CLONE_NEWNS);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void as_files(void) {
    char text[64], path[64], other[64];
    struct stat about;
    int space = own("uts");
    ssize_t length = readlink("/proc/self/ns/uts", text, sizeof text - 1);
    text[length] = 0;
    is("named", !strncmp(text, "uts:[", 5), 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", space);
    length = readlink(path, other, sizeof other - 1);
    other[length] = 0;
    is("the same", strcmp(text, other), 0);
    fstat(space, &about);
    is("mode", about.st_mode, S_IFREG | 0444);
    is("kind", ioctl(space, NS_GET_NSTYPE), CLONE_NEWUTS);
    fails(ENOTTY, ioctl, space, 0x5401, text);
    fails(EINVAL, read, space, text, 1);
    fails(EPERM, open, "/proc/self/ns/uts", O_RDWR);
    is("again", open(path, O_RDONLY) >= 0, 1);
    is("a thread's", access("/proc/thread-self/stat", F_OK), 0);
}

int main(void) {
    in_child("there and back", there_and_back);
    in_child("of a child", of_a_child);
    in_child("fails", fails_so);
    in_child("of mounts", of_mounts);
    in_child("shares", shares);
    in_child("as files", as_files);
    return 0;
}
