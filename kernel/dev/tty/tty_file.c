/*
 * Open file of a terminal: reads and writes go to the terminal object, and what it has to show on
 * to its stream.
 *
 * A file keeps the refs of both; a terminal that was destroyed answers as one that hung up. No lock
 * of its own.
 */
#include "tty_file.h"
#include "../../copy.h"
#include "../../fs/open_file.h"
#include "console.h"

#include <errno.h>

struct tty_file {
    struct opened opened;
    terminal_ref terminal;
    stream_ref stream;
};

static struct tty_file *tty_of(struct file *self) {
    return (struct tty_file *)OPENED(self);
}

enum { ACCESS_MODE = 3, READ_ONLY = 0, WRITE_ONLY = 1 }; /* O_ACCMODE and so on */

static k42_result gone_is(k42_result result, k42_result instead) {
    return result == -K42_STALE ? instead : result;
}

static k42_result tty_read(struct file *self, int64_t offset, struct copy *copy) {
    struct tty_file *tty = tty_of(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if ((tty->opened.flags & ACCESS_MODE) == WRITE_ONLY)
        return -EBADF;
    return gone_is(k42_call(tty->terminal, read, copy), 0);
}

/* The terminal takes what it has room for; what it then shows makes room for more. */
static k42_result tty_write(struct file *self, int64_t offset, struct copy *copy) {
    struct tty_file *tty = tty_of(self);
    k42_result done = 0, result;
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if ((tty->opened.flags & ACCESS_MODE) == READ_ONLY)
        return -EBADF;
    do {
        result = gone_is(k42_call(tty->terminal, write, copy), -EIO);
        console_show(tty->terminal, tty->stream);
        done += result > 0 ? result : 0;
    } while (copy->left && result > 0);
    return done ? done : result;
}

static k42_result tty_poll(struct file *self, struct file_poll *poll) {
    struct tty_file *tty = tty_of(self);
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(tty->terminal), .key = TERMINAL_PROGRAM};
    return gone_is(k42_call(tty->terminal, poll), FILE_HANG_UP | FILE_READABLE | FILE_WRITABLE);
}

static k42_result tty_control(struct file *self, unsigned request, uintptr_t argument) {
    struct tty_file *tty = tty_of(self);
    k42_result result = gone_is(k42_call(tty->terminal, control, request, argument), -EIO);
    console_show(tty->terminal, tty->stream);
    return result;
}

static const struct file_ops tty_file_ops = {
    OPENED_METHODS,
    .read = tty_read,
    .write = tty_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = tty_poll,
    .control = tty_control,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
};

/* Canonical: word 0 is the struct tty_file. */
static const struct k42_format tty_file_format = {"file.tty", 1, 1};
static const struct k42_transfer transfers[] = BODY_TRANSFERS(tty_file_format);

K42_CLASS(file_tty) = {
    .name = "file.tty",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &tty_file_ops,
    .fini = opened_fini,
    .transfers = transfers,
};

struct opening {
    terminal_ref terminal;
    stream_ref stream;
};

static k42_result set_up(struct opened *opened, void *context) {
    const struct opening *opening = context;
    struct tty_file *tty = (struct tty_file *)opened;
    tty->terminal = opening->terminal;
    tty->stream = opening->stream;
    return 0;
}

struct k42_pair tty_open(terminal_ref terminal, stream_ref stream, k42_ref node, unsigned flags) {
    enum { NO_TERMINAL = 0400 }; /* O_NOCTTY */
    struct opening opening = {terminal, stream};
    k42_result opened = k42_call(terminal, opened, !!(flags & NO_TERMINAL));
    if (opened < 0)
        return (struct k42_pair){gone_is(opened, -EIO), 0};
    return opened_make(&file_tty, sizeof(struct tty_file), node, flags, set_up, &opening);
}
