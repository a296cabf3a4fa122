/* Queues as files: the file system in which they have their names. */
#include "abi.h"

#include <dirent.h>
#include <mqueue.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/statfs.h>

static char name[32], path[64], other[64];

static void sees(const char *what) {
    struct stat about;
    if (stat(path, &about))
        say("%s: %s", what, strerror(errno));
    else
        say("%s: mode %o, %ld links, %ld bytes, owner %d", what, about.st_mode, about.st_nlink,
            (long)about.st_size, about.st_uid);
}

static bool is_listed(void) {
    DIR *all = opendir("queues");
    bool is = false;
    for (struct dirent *entry; (entry = readdir(all));)
        is |= !strcmp(entry->d_name, name);
    closedir(all);
    return is;
}

static void reads(int fd) {
    char text[200];
    ssize_t length = pread(fd, text, sizeof text - 1, 0);
    text[length < 0 ? 0 : length] = 0;
    say("%s", text);
}

static void by_name(void) {
    int queue = (int)works(mq_open, name, O_RDWR | O_CREAT, 0640, 0);
    sees("made by mq_open");
    is("listed", is_listed(), true);
    int file = open(path, O_RDWR);
    is("is one", mq_timedsend(file, "text", 4, 3, NULL), 0);
    reads(file);
    char got[8192];
    is("arrives", mq_timedreceive(queue, got, sizeof got, NULL, NULL), 4);
    gives(0, chmod, path, 0600);
    gives(0, chown, path, SOMEBODY, 0);
    sees("changed");
    gives(0, mq_unlink, name);
    sees("gone");
    is("listed", is_listed(), false);
    reads(file);
    struct stat about;
    fstat(queue, &about);
    is("links", (long)about.st_nlink, 0);
    close(queue);
    close(file);
}

static void by_path(void) {
    int file = (int)works(open, path, O_RDWR | O_CREAT | O_EXCL, 0604);
    struct mq_attr usual;
    sees("made by open");
    mq_getattr(file, &usual);
    say("%ld messages of %ld", usual.mq_maxmsg, usual.mq_msgsize);
    fails(EEXIST, open, path, O_RDWR | O_CREAT | O_EXCL, 0604);
    int queue = (int)works(mq_open, name, O_RDONLY, 0, 0);
    fails(EPERM, mkdir, other, 0700);
    fails(EPERM, symlink, "x", other);
    fails(EPERM, rename, path, other);
    fails(EPERM, link, path, other);
    fails(ENOTDIR, rmdir, path);
    fails(ENOENT, unlink, other);
    fails(ENOTDIR, open, path, O_DIRECTORY);
    gives(0, unlink, path);
    fails(ENOENT, mq_open, name, O_RDONLY, 0, 0);
    close(queue);
    close(file);
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, unlink, path);
    fails(EPERM, mq_unlink, name);
    fails(EACCES, open, path, O_RDONLY);
    fails(EACCES, mq_open, name, O_RDONLY, 0, 0);
}

int main(void) {
    struct statfs system;
    struct stat about;
    snprintf(name, sizeof name, "abi.%d", getpid());
    snprintf(path, sizeof path, "queues/%s", name);
    snprintf(other, sizeof other, "queues/%s.other", name);
    mkdir("queues", 0755);
    gives(0, mount, "queues", "queues", "mqueue", 0, 0);
    statfs("queues", &system);
    say("type %lx", (unsigned long)system.f_type);
    stat("queues", &about);
    say("mode %o, %ld links", about.st_mode, (long)about.st_nlink);
    in_child("by name", by_name);
    in_child("by path", by_path);
    close((int)works(mq_open, name, O_RDWR | O_CREAT, 0600, 0));
    in_child("somebody", somebody);
    gives(0, mq_unlink, name);
    gives(0, umount2, "queues", 0);
}
