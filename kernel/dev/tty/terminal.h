/*
 * The interface `terminal`: a line discipline between a program and a device, with the foreground
 * group and session of job control. Programs come through open files (tty_file.c), the device's
 * bytes through a console (console.c).
 *
 * To wait: key TERMINAL_PROGRAM for whoever reads or writes; key TERMINAL_DEVICE for the device's
 * side, WAIT_WRITE: there is output that no program moves on; WAIT_READ: typing that was refused
 * has room now. Methods do not wait.
 */
#ifndef KERNEL_TERMINAL_H
#define KERNEL_TERMINAL_H

#include <k42/object.h>

struct copy;
struct terminal;

enum terminal_key { TERMINAL_PROGRAM, TERMINAL_DEVICE };

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

    /* What a program reads. Errors: -EIO (in the background and cannot be stopped), -K42_WAIT,
     * those of copies. 0: end of file, or hung up. */
    K42_METHOD(read)(struct terminal *self, K42_LOCAL struct copy *copy);

    /* What a program writes, as far as there is room. Errors: -EIO (hung up), -K42_WAIT. */
    K42_METHOD(write)(struct terminal *self, K42_LOCAL struct copy *copy);

    /* Which of file_ready holds. */
    K42_METHOD(poll)(struct terminal *self);

    /* ioctl. Errors: -ENOTTY, -EFAULT, -EINVAL, -EPERM, -EIO, -ESRCH. */
    K42_METHOD(control)(struct terminal *self, unsigned request, uintptr_t argument);

    /* Somebody opened it: a session's leader without a terminal gets this one, unless `not_mine`.
     */
    K42_METHOD(opened)(struct terminal *self, unsigned not_mine);

    /* The device is gone: readers get the end, writers -EIO, the session SIGHUP. */
    K42_METHOD(hang_up)(struct terminal *self);

    /* The session's leader ended: SIGHUP for the foreground, and it is nobody's terminal. */
    K42_METHOD(session_ended)(struct terminal *self, int session);
};

struct terminal {
    const struct terminal_ops *ops;
};
K42_DECLARE_REF(terminal);
extern const struct k42_interface terminal_interface;

/* Makes one. May wait. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result terminal_create(terminal_ref *terminal);

#endif
