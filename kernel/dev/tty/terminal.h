/*
 * The interface `terminal`: a line discipline between a program and a device, with the foreground
 * group and session of job control. Programs come through open files (tty_file.c); the device is a
 * stream, whose bytes a console moves (console.c), or whoever has the master of a pseudo-terminal
 * (pty/).
 *
 * An opening is one time of being open for all: who hangs a terminal up (vhangup) ends it for the
 * files that have it open, and who opens it afterwards has a fresh one.
 *
 * To wait: key TERMINAL_PROGRAM for whoever reads or writes; key TERMINAL_DEVICE for the device's
 * side, which reads output (WAIT_READ: there is some that no program moves on) and writes typing
 * (WAIT_WRITE: what was refused has room now). Methods do not wait.
 */
#ifndef KERNEL_TERMINAL_H
#define KERNEL_TERMINAL_H

#include <k42/object.h>
#include <stdbool.h>

#define TERMINAL_INTERFACE_VERSION 2

struct copy;
struct terminal;

enum terminal_key { TERMINAL_PROGRAM, TERMINAL_DEVICE };

/* As the opening in control(): from the device's side. */
#define TERMINAL_FROM_DEVICE (~0u)

/* Who opens it. */
enum terminal_how { TERMINAL_NOT_MINE = 1, TERMINAL_PRIVILEGED = 2 };

/* Who hangs up. */
enum terminal_end { TERMINAL_AGAIN, TERMINAL_GONE };

/* In the answer of packet(): it is in packet mode. */
#define TERMINAL_PACKETS 0x100

/* What /proc says of it. */
struct terminal_facts {
    uint64_t device;  /* number, as st_rdev */
    uintptr_t master; /* terminal_new's */
    int32_t session, foreground;
};

struct terminal_ops {
    struct k42_object_ops object;

    /* Bytes from the device. Returns how many were taken; the rest when there is room again. */
    K42_METHOD(input)
    (struct terminal *self, K42_IN K42_BUF(size, 4096) const uint8_t *bytes, size_t size);

    /*
     * The next bytes for the device, which stay until moved(); nobody else gets any meanwhile.
     * Returns how many; 0: none, or somebody else is at it and will hear that it was asked for.
     */
    K42_METHOD(output)
    (struct terminal *self, K42_OUT K42_BUF(size, 4096) uint8_t *bytes, size_t size);

    /* The device took so many of them. 1: output() was asked for meanwhile, and refused. */
    K42_METHOD(moved)(struct terminal *self, size_t count);

    /* Which of file_ready holds for the device's side. FILE_HANG_UP: no program has it open. */
    K42_METHOD(ready)(struct terminal *self);

    /* What is to be told in packet mode, without what was `told` by now; with TERMINAL_PACKETS. 0:
     * it is not in that mode. */
    K42_METHOD(packet)(struct terminal *self, unsigned told);

    /* What a program reads. Errors: -EIO (in the background and cannot be stopped), -K42_WAIT,
     * those of copies. 0: end of file, or hung up. */
    K42_METHOD(read)(struct terminal *self, unsigned opening, K42_LOCAL struct copy *copy);

    /* What a program writes, as far as there is room. Errors: -EIO (hung up), -K42_WAIT. */
    K42_METHOD(write)(struct terminal *self, unsigned opening, K42_LOCAL struct copy *copy);

    /* Which of file_ready holds. */
    K42_METHOD(poll)(struct terminal *self, unsigned opening);

    /* ioctl. Errors: -ENOTTY, -EFAULT, -EINVAL, -EPERM, -EIO, -ESRCH. */
    K42_METHOD(control)
    (struct terminal *self, unsigned opening, unsigned request, uintptr_t argument);

    /* Somebody opened it: a session's leader without a terminal gets this one, unless
     * TERMINAL_NOT_MINE. Returns the opening. Errors: -EIO (gone, or locked), -EBUSY. */
    K42_METHOD(opened)(struct terminal *self, unsigned how);

    /* A file that it was opened by is closed. */
    K42_METHOD(closed)(struct terminal *self);

    /* terminal_end: the device is gone, or it hangs up and can be opened again. Readers get the
     * end, writers -EIO, the session's leader SIGHUP. */
    K42_METHOD(hang_up)(struct terminal *self, unsigned end);

    /* The session's leader gave it up, or ended: SIGHUP for the foreground, and it is nobody's
     * terminal. */
    K42_METHOD(session_ended)(struct terminal *self, int session, unsigned ended);

    /* What others say of it. */
    K42_METHOD(facts)(struct terminal *self, K42_OUT struct terminal_facts *facts);
};

struct terminal {
    const struct terminal_ops *ops;
};
K42_DECLARE_REF(terminal);
extern const struct k42_interface terminal_interface;

struct terminal_new {
    uint64_t device;  /* number, as st_rdev */
    uintptr_t master; /* whatever its maker knows its master by; 0: its device is a stream */
};

/* Makes one. May wait. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result terminal_create(const struct terminal_new *what, terminal_ref *terminal);

#endif
