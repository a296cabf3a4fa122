/* inotify: names that come, go and move in a folder, with their cookies. */
#include "abi.h"

#include <sys/inotify.h>

int main(void) {
    char bytes[1024];
    mkdir("folder", 0700);
    int fd = works(inotify_init1, IN_NONBLOCK);
    int watch = works(inotify_add_watch, fd, "folder",
                      IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB);
    put("folder/a", "");
    rename("folder/a", "folder/b");
    chmod("folder/b", 0600);
    mkdir("folder/d", 0700);
    rename("folder/b", "out");
    rename("out", "folder/c");
    unlink("folder/c");
    long got = read(fd, bytes, sizeof bytes);
    unsigned cookie = 0;
    for (long at = 0; at < got;) {
        struct inotify_event *event = (void *)(bytes + at);
        say("%x '%s' %s", event->mask, event->len ? event->name : "",
            !event->cookie            ? ""
            : event->cookie == cookie ? "the same"
                                      : "moves");
        cookie = event->cookie;
        at += sizeof *event + event->len;
    }
    fails(EAGAIN, read, fd, bytes, sizeof bytes);
    gives(watch, inotify_add_watch, fd, "folder", IN_DELETE_SELF);
    gives(0, inotify_rm_watch, fd, watch);
    fails(EINVAL, inotify_rm_watch, fd, watch);
}
