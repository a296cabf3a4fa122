/*
 * Open file of a terminal: reads and writes go to the terminal object, and what it has to show on
 * to its stream.
 *
 * A file keeps the refs of both, and which opening of the terminal it is one of; a terminal that
 * was destroyed answers as one that hung up. No lock of its own.
 */
#include "tty_file.h"
#include "../../copy.h"
#include "../../fs/open_file.h"
#include "../../fs/values.h"
#include "../../linux/job.h"
#include "console.h"

#include <errno.h>

struct tty_file {
    struct opened opened;
    struct tty_line line;
    uint32_t opening;
};

static struct tty_file *tty_of(struct file *self) {
    return (struct tty_file *)OPENED(self);
}

static k42_result gone_is(k42_result result, k42_result instead) {
    return result == -K42_STALE ? instead : result;
}

static k42_result tty_read(struct file *self, int64_t offset, struct copy *copy) {
    struct tty_file *tty = tty_of(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!open_reads(tty->opened.flags))
        return -EBADF;
    return gone_is(k42_call(tty->line.terminal, read, tty->opening, copy), 0);
}

/* A master is told of output by the terminal. */
static void show(const struct tty_file *tty) {
    if (k42_id_of(tty->line.stream))
        console_show(tty->line.terminal, tty->line.stream);
}

/* The terminal takes what it has room for; what it then shows makes room for more. */
static k42_result tty_write(struct file *self, int64_t offset, struct copy *copy) {
    struct tty_file *tty = tty_of(self);
    k42_result done = 0, result;
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!open_writes(tty->opened.flags))
        return -EBADF;
    do {
        result = gone_is(k42_call(tty->line.terminal, write, tty->opening, copy), -EIO);
        show(tty);
        done += result > 0 ? result : 0;
    } while (copy->left && result > 0);
    return done ? done : result;
}

static k42_result tty_poll(struct file *self, struct file_poll *poll) {
    struct tty_file *tty = tty_of(self);
    if (poll)
        *poll =
            (struct file_poll){.object = k42_id_of(tty->line.terminal), .key = TERMINAL_PROGRAM};
    return gone_is(k42_call(tty->line.terminal, poll, tty->opening),
                   FILE_HANG_UP | FILE_READABLE | FILE_WRITABLE);
}

static k42_result tty_control(struct file *self, unsigned request, uintptr_t argument) {
    struct tty_file *tty = tty_of(self);
    if (request >= FILE_KERNEL_REQUESTS && request < FILE_REQUESTS_END)
        return request == FILE_PEER ? -EIO : -ENOTTY;
    k42_result result = k42_call(tty->line.terminal, control, tty->opening, request, argument);
    show(tty);
    return gone_is(result, -EIO);
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

static void let_go(const struct tty_line *line) {
    (void)!k42_call(line->terminal, closed);
    if (line->pty)
        pty_release(line->pty);
}

static void ended(struct opened *opened) {
    let_go(&((struct tty_file *)opened)->line);
}

struct opening {
    const struct tty_line *line;
    uint32_t opening;
};

static k42_result set_up(struct opened *opened, void *context) {
    const struct opening *opening = context;
    struct tty_file *tty = (struct tty_file *)opened;
    tty->line = *opening->line;
    tty->opening = opening->opening;
    opened->ended = ended;
    return 0;
}

/* Who only writes does not get it for his session. */
static unsigned how(unsigned flags) {
    bool wants = !(flags & OPEN_NO_TERMINAL) && open_reads(flags);
    return (wants ? 0u : TERMINAL_NOT_MINE) | (job_may_steal() ? TERMINAL_PRIVILEGED : 0u);
}

struct k42_pair tty_open(const struct tty_line *line, k42_ref node, unsigned flags) {
    k42_result opened = k42_call(line->terminal, opened, how(flags));
    if (opened < 0) {
        if (line->pty)
            pty_release(line->pty);
        return (struct k42_pair){gone_is(opened, -EIO), 0};
    }
    struct opening opening = {line, (uint32_t)opened};
    struct k42_pair made =
        opened_make(&file_tty, sizeof(struct tty_file), node, flags, set_up, &opening);
    if (made.result < 0)
        let_go(line);
    return made;
}
