/* Files that whoever answers for a call puts into the caller's table. */
#include "asked.h"

#include <pthread.h>
#include <sys/ioctl.h>

#define RECEIVE SECCOMP_IOCTL_NOTIF_RECV
#define SEND    SECCOMP_IOCTL_NOTIF_SEND
#define ADD     SECCOMP_IOCTL_NOTIF_ADDFD
#define AT      SECCOMP_ADDFD_FLAG_SETFD
#define RETURN  SECCOMP_ADDFD_FLAG_SEND

static int listener, source;

/* A child asks for a file, and says what it has got. */
static void asks(void) {
    close(listener);
    close(source);
    long fd = abi_call(getpgid, 0);
    char text[16] = "";
    if (fd < 0) {
        say("refused: %s", strerror(errno));
        return;
    }
    ssize_t length = pread((int)fd, text, sizeof text - 1, 0);
    say("%s: %zd bytes, %s, flags %d", fd < 40 ? "low" : "high", length, text,
        fcntl((int)fd, F_GETFD));
}

static uint64_t received(void) {
    struct seccomp_notif told = {0};
    gives(0, ioctl, listener, RECEIVE, &told);
    return told.id;
}

static void answered(uint64_t id, long value) {
    struct seccomp_notif_resp answer = {.id = id, .val = value};
    gives(0, ioctl, listener, SEND, &answer);
}

static void added(void) {
    int child = start(asks);
    struct seccomp_notif_addfd add = {.id = received(), .srcfd = (unsigned)source};
    long fd = works(ioctl, listener, ADD, &add);
    answered(add.id, fd);
    ended("lowest", child);

    child = start(asks);
    add = (struct seccomp_notif_addfd){received(), AT, (unsigned)source, 40, O_CLOEXEC};
    gives(40, ioctl, listener, ADD, &add);
    answered(add.id, 40);
    ended("there", child);

    child = start(asks);
    add = (struct seccomp_notif_addfd){received(), AT, (unsigned)source, 0, 0};
    gives(0, ioctl, listener, ADD, &add);
    gives(0, ioctl, listener, ADD, &add);
    answered(add.id, 0);
    ended("in place of another", child);
}

static void returned(void) {
    int child = start(asks);
    struct seccomp_notif_addfd add = {received(), RETURN, (unsigned)source, 0, 0};
    works(ioctl, listener, ADD, &add);
    fails(ENOENT, ioctl, listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &add.id);
    ended("returned", child);

    child = start(asks);
    add = (struct seccomp_notif_addfd){received(), AT | RETURN, (unsigned)source, 41, 0};
    gives(41, ioctl, listener, ADD, &add);
    ended("returned from there", child);
}

static void refused(void) {
    int child = start(asks);
    struct seccomp_notif_addfd add = {received(), 0, (unsigned)source, 0, 0}, good = add;
    add.id++;
    fails(ENOENT, ioctl, listener, ADD, &add);
    add = good;
    add.flags = 4;
    fails(EINVAL, ioctl, listener, ADD, &add);
    add = good;
    add.newfd_flags = O_NONBLOCK;
    fails(EINVAL, ioctl, listener, ADD, &add);
    add = good;
    add.newfd = 5;
    fails(EINVAL, ioctl, listener, ADD, &add);
    add = good;
    add.srcfd = 99;
    fails(EBADF, ioctl, listener, ADD, &add);
    add = good;
    add.flags = AT;
    add.newfd = 100000000;
    fails(EBADF, ioctl, listener, ADD, &add);
    fails(EFAULT, ioctl, listener, ADD, BAD);
    fails(EINVAL, ioctl, listener, _IOC(_IOC_WRITE, '!', 3, 8), &good);
    struct {
        struct seccomp_notif_addfd add;
        uint64_t more;
    } larger = {good, 1};
    fails(E2BIG, ioctl, listener, _IOC(_IOC_WRITE, '!', 3, sizeof larger), &larger);
    larger.more = 0;
    works(ioctl, listener, _IOC(_IOC_WRITE, '!', 3, sizeof larger), &larger);
    fails(ENOTTY, ioctl, source, ADD, &good);
    struct seccomp_notif_resp answer = {.id = good.id, .error = -EPERM};
    gives(0, ioctl, listener, SEND, &answer);
    ended("refused", child);
}

/* The other one ends while it is to get a file: one of the two comes first. */
static void too_late(void) {
    int child = start(asks);
    struct seccomp_notif_addfd add = {received(), 0, (unsigned)source, 0, 0};
    kill(child, SIGKILL);
    ended("killed", child);
    fails(ENOENT, ioctl, listener, ADD, &add);
}

int main(void) {
    put("file", "contents");
    source = open("file", O_RDONLY);
    listener =
        (int)works(seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &filter);
    in_child("added", added);
    in_child("returned", returned);
    in_child("refused", refused);
    in_child("too late", too_late);
}
