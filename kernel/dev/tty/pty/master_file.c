/*
 * Open file of the master of a pseudo-terminal: what is written is typed, and what the terminal
 * shows is read.
 *
 * In packet mode each read begins with a byte that says what it is: 0, and then comes what the
 * terminal shows, or what has happened to it and nothing else. Both leave the terminal only once
 * they are with the program, so a page that must be waited for loses nothing.
 *
 * A file has a reference of its pseudo-terminal; the last release hangs the terminal up. No lock of
 * its own.
 */
#include "../../../copy.h"
#include "../../../fs/open_file.h"
#include "../../../fs/values.h"
#include "../../../sched/wait.h"
#include "pty.h"

#include <errno.h>

enum { CHUNK = 512 };

struct master_file {
    struct opened opened;
    struct pty *pty;
};

static struct pty *pty_of(struct file *self) {
    return ((struct master_file *)OPENED(self))->pty;
}

static k42_result wait_for(const struct pty *pty, uint32_t events) {
    return wait_on(k42_id_of(pty->terminal), TERMINAL_DEVICE, events);
}

/* What has happened, as far as the program has not been told; 0: nothing. */
static k42_result read_packet(const struct pty *pty, unsigned packet, struct copy *copy) {
    uint8_t byte = (uint8_t)packet;
    k42_result copied = copy_out(copy, &byte, 1);
    if (copied < 0)
        return copied;
    (void)!k42_call(pty->terminal, packet, byte);
    return copied;
}

/* A piece of what is shown, behind `before` bytes of 0. 0: there is none; -K42_WAIT: another has it
 * in hand. */
static k42_result read_piece(const struct pty *pty, size_t before, struct copy *copy) {
    uint8_t bytes[1 + CHUNK] = {0};
    size_t most = copy->left - before < CHUNK ? copy->left - before : CHUNK;
    k42_result count = k42_call(pty->terminal, output, bytes + before, most);
    if (count <= 0)
        return count;
    k42_result copied = copy_out(copy, bytes, before + (size_t)count);
    size_t moved = copied > (k42_result)before ? (size_t)copied - before : 0;
    if (k42_call(pty->terminal, moved, moved) == 1)
        wait_notify(k42_id_of(pty->terminal), TERMINAL_DEVICE, WAIT_READ, WAIT_ALL);
    return copied;
}

static k42_result master_read(struct file *self, int64_t offset, struct copy *copy) {
    const struct pty *pty = pty_of(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!open_reads(OPENED(self)->flags))
        return -EBADF;
    if (!copy->left)
        return 0;
    k42_result packet = k42_call(pty->terminal, packet, 0), done = 0, result;
    if (packet & 0xff)
        return read_packet(pty, (unsigned)packet & 0xff, copy);
    do {
        result = read_piece(pty, packet && !done, copy);
        done += result > 0 ? result : 0;
    } while (copy->left && result > 0);
    if (done || result < 0)
        return done ? done : result;
    return k42_call(pty->terminal, ready) & FILE_HANG_UP ? -EIO : wait_for(pty, WAIT_READ);
}

static k42_result master_write(struct file *self, int64_t offset, struct copy *copy) {
    const struct pty *pty = pty_of(self);
    k42_result done = 0;
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!open_writes(OPENED(self)->flags))
        return -EBADF;
    while (copy->left) {
        uint8_t bytes[CHUNK];
        struct copy before = *copy;
        k42_result got = copy_in(copy, bytes, copy->left < CHUNK ? copy->left : CHUNK);
        if (got < 0)
            return done ? done : got;
        k42_result taken = k42_call(pty->terminal, input, bytes, (size_t)got);
        if (taken < 0)
            return done ? done : -EIO;
        done += taken;
        if (taken < got) {
            *copy = before;
            copy_skip(copy, (size_t)taken);
            return done ? done : wait_for(pty, WAIT_WRITE);
        }
    }
    return done;
}

static k42_result master_poll(struct file *self, struct file_poll *poll) {
    const struct pty *pty = pty_of(self);
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(pty->terminal), .key = TERMINAL_DEVICE};
    return k42_call(pty->terminal, ready);
}

/* The other side is opened by whoever has descriptors to give: which node it is, and where. */
static k42_result tell_peer(struct file *self, struct place *place) {
    *place = (struct place){OPENED(self)->place.mount, pty_of(self)->node};
    return 0;
}

static k42_result master_control(struct file *self, unsigned request, uintptr_t argument) {
    if (request == FILE_PEER)
        return tell_peer(self, (struct place *)argument);
    if (request >= FILE_KERNEL_REQUESTS && request < FILE_REQUESTS_END)
        return -ENOTTY;
    return k42_call(pty_of(self)->terminal, control, TERMINAL_FROM_DEVICE, request, argument);
}

static const struct file_ops master_ops = {
    OPENED_METHODS,
    .read = master_read,
    .write = master_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = master_poll,
    .control = master_control,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
};

/* Canonical: word 0 is the struct master_file. */
static const struct k42_format master_format = {"file.ptmx", 1, 1};
static const struct k42_transfer transfers[] = BODY_TRANSFERS(master_format);

K42_CLASS(file_ptmx) = {
    .name = "file.ptmx",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &master_ops,
    .fini = opened_fini,
    .transfers = transfers,
};

static void ended(struct opened *opened) {
    struct pty *pty = ((struct master_file *)opened)->pty;
    pty_hang_up(pty);
    pty_release(pty);
}

static k42_result set_up(struct opened *opened, void *context) {
    ((struct master_file *)opened)->pty = context;
    opened->ended = ended;
    return 0;
}

struct k42_pair pty_open_master(struct pty *pty, k42_ref node, unsigned flags) {
    struct k42_pair made =
        opened_make(&file_ptmx, sizeof(struct master_file), node, flags, set_up, pty);
    if (made.result < 0) {
        pty_hang_up(pty);
        pty_release(pty);
    }
    return made;
}
