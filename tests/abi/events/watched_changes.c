/* inotify: what each call on a file or folder tells, in order, with names and cookies. */
#include "abi.h"

#include <sys/inotify.h>

static int watch, folder, file;

static void told(const char *what) {
    char bytes[4096];
    uint32_t cookie = 0;
    say("%s", what);
    long length = abi_call(read, watch, bytes, sizeof bytes);
    for (long at = 0; at < length;) {
        struct inotify_event *one = (void *)(bytes + at);
        say("  %s: %x '%s'%s",
            one->wd == folder ? "folder"
            : one->wd == file ? "file"
                              : "other",
            one->mask, one->len ? one->name : "",
            !one->cookie            ? ""
            : one->cookie == cookie ? ", the same move"
                                    : ", a move");
        cookie = one->cookie;
        at += sizeof *one + one->len;
    }
}

int main(void) {
    char byte;
    mkdir("d", 0755);
    put("d/f", "text");
    watch = inotify_init1(IN_NONBLOCK);
    folder = inotify_add_watch(watch, "d", IN_ALL_EVENTS);
    file = inotify_add_watch(watch, "d/f", IN_ALL_EVENTS);
    int fd = open("d/f", O_RDWR);
    told("opened");
    read(fd, &byte, 1);
    told("read");
    write(fd, "x", 1);
    told("written");
    write(fd, "y", 1);
    write(fd, "y", 1);
    told("twice is once");
    ftruncate(fd, 1);
    told("cut");
    fchmod(fd, 0600);
    told("mode");
    utimensat(AT_FDCWD, "d/f", NULL, 0);
    told("times");
    close(fd);
    told("closed");
    close(open("d/new", O_CREAT | O_WRONLY, 0600));
    told("made");
    mkdir("d/sub", 0755);
    told("folder made");
    symlink("x", "d/link");
    mkfifo("d/fifo", 0600);
    link("d/f", "d/hard");
    told("link, fifo, name");
    rename("d/new", "d/renamed");
    told("renamed");
    rename("d/renamed", "out");
    told("moved out");
    rename("out", "d/back");
    told("moved in");
    rename("d/back", "d/f");
    told("over the file");
    unlink("d/hard");
    told("its last name gone");
    rmdir("d/sub");
    told("folder removed");
    readlink("d/link", &byte, 1);
    told("link read");
    close(open("d", O_RDONLY));
    told("folder opened");
    rename("d", "e");
    told("folder renamed");
    inotify_rm_watch(watch, folder);
    told("no longer watched");
    folder = inotify_add_watch(watch, "e", IN_CREATE | IN_ONESHOT);
    put("e/one", "");
    put("e/two", "");
    told("once");
    folder = inotify_add_watch(watch, "e", IN_DELETE);
    inotify_add_watch(watch, "e", IN_CREATE | IN_MASK_ADD);
    put("e/three", "");
    unlink("e/three");
    told("both");
    inotify_add_watch(watch, "e", IN_CREATE);
    put("e/three", "");
    unlink("e/three");
    told("one");
    fails(EEXIST, inotify_add_watch, watch, "e", IN_CREATE | IN_MASK_CREATE);
    fails(EINVAL, inotify_add_watch, watch, "e", 0);
}
