/*
 * Open files at the ends of pipes, with and without a name.
 *
 * A file of a pipe without a name has no node until somebody asks, and then it is the pipe's. That
 * of a FIFO holds the FIFO's node, and takes the pipe's ref out of there when it was the last.
 */
#include "pipe.h"

#include "../../copy.h"
#include "../../sched/wait.h"
#include "../open_file.h"
#include "../values.h"
#include "runtime.h"

#include <errno.h>

enum { KEY_ARRIVALS = 3, CONTROL_BYTES = 0x541b };

struct pipe_file {
    struct opened opened; /* node 0: of a pipe without a name */
    pipe_ref pipe;
    k42_ref *noted; /* FIFO: where the node knows the pipe */
    unsigned ends;
    bool settled;        /* FIFO: the other end was there when it was opened */
    k42_result arrivals; /* FIFO: how many had come there by then */
};

#define PIPE_FILE(self) ((struct pipe_file *)BODY(self))

/* A FIFO has times. */
static k42_result touch(const struct pipe_file *file, k42_result result, unsigned how) {
    if (result > 0 && file->noted)
        (void)k42_call(file->opened.node, touch, how);
    return result;
}

static k42_result end_read(struct file *self, int64_t offset, struct copy *copy) {
    struct pipe_file *file = PIPE_FILE(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!(file->ends & PIPE_READER))
        return -EBADF;
    return touch(file, k42_call(file->pipe, read, copy), NODE_TOUCH_READ);
}

static k42_result end_write(struct file *self, int64_t offset, struct copy *copy) {
    struct pipe_file *file = PIPE_FILE(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!(file->ends & PIPE_WRITER))
        return -EBADF;
    return touch(file, k42_call(file->pipe, write, copy), NODE_TOUCH_WRITTEN);
}

static k42_result end_poll(struct file *self, struct file_poll *poll) {
    struct pipe_file *file = PIPE_FILE(self);
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(file->pipe)};
    k42_result ready = k42_call(file->pipe, poll, file->ends);
    /* Nobody who has not come yet can have hung up. */
    if (file->noted && (ready & FILE_HANG_UP) && !file->settled &&
        k42_call(file->pipe, arrivals, file->ends) == file->arrivals)
        ready &= ~FILE_HANG_UP;
    return ready;
}

static k42_result end_control(struct file *self, unsigned request, uintptr_t argument) {
    struct pipe_file *file = PIPE_FILE(self);
    if (request == FILE_PIPE_SIZE)
        return k42_call(file->pipe, capacity);
    if (request == FILE_SET_PIPE_SIZE)
        return k42_call(file->pipe, set_capacity, argument);
    if (request == FILE_PIPE_ROOM)
        return k42_call(file->pipe, capacity) - k42_call(file->pipe, count);
    if (request == FILE_PIPE_PEEK)
        return k42_call(file->pipe, peek, (struct copy *)argument);
    if (request != CONTROL_BYTES)
        return -ENOTTY;
    int32_t count = (int32_t)k42_call(file->pipe, count);
    struct copy copy = copy_of_user(argument, sizeof count);
    k42_result result = copy_out(&copy, &count, sizeof count);
    return result < 0 ? result : result < (k42_result)sizeof count ? -EFAULT : 0;
}

static struct k42_pair end_node(struct file *self) {
    struct pipe_file *file = PIPE_FILE(self);
    if (file->opened.node)
        return (struct k42_pair){0, (uintptr_t)file->opened.node};
    return k42_call(file->pipe, node);
}

static k42_result end_settle(struct file *self) {
    struct pipe_file *file = PIPE_FILE(self);
    if (file->settled || !file->noted ||
        k42_call(file->pipe, arrivals, file->ends) != file->arrivals)
        return 0;
    return wait_on(k42_id_of(file->pipe), KEY_ARRIVALS, WAIT_READ);
}

static k42_result end_release(struct file *self) {
    struct pipe_file *file = PIPE_FILE(self);
    (void)k42_call(file->pipe, leave, file->ends);
    return opened_release(self);
}

static const struct file_ops pipe_file_ops = {
    .object.describe = opened_describe,
    .hold = opened_hold,
    .release = end_release,
    .read = end_read,
    .write = end_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = end_poll,
    .control = end_control,
    .node = end_node,
    .set_place = opened_set_place,
    .place = opened_place,
    .flags = opened_flags,
    .set_flags = opened_set_flags,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_seek_allocate,
    .settle = end_settle,
};

static const struct k42_format pipe_file_format = {"file.pipe", 1, 1};
static const struct k42_transfer pipe_file_transfers[] = BODY_TRANSFERS(pipe_file_format);

K42_CLASS(file_pipe) = {
    .name = "file.pipe",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &pipe_file_ops,
    .fini = opened_fini,
    .transfers = pipe_file_transfers,
};

/* The last hold has gone. */
static void ended(struct opened *opened) {
    struct pipe_file *file = k42_container(opened, struct pipe_file, opened);
    k42_ref pipe = (k42_ref)file->pipe;
    if (k42_call(file->pipe, detach, file->ends) == 1 && file->noted)
        __atomic_compare_exchange_n(file->noted, &pipe, K42_NULL_REF, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
}

static unsigned ends_of(unsigned flags) {
    return (open_reads(flags) ? PIPE_READER : 0u) | (open_writes(flags) ? PIPE_WRITER : 0u);
}

static k42_result set_up(struct opened *opened, void *context) {
    const struct pipe_file *from = context;
    struct pipe_file *file = k42_container(opened, struct pipe_file, opened);
    file->pipe = from->pipe;
    file->noted = from->noted;
    file->ends = from->ends;
    file->settled = from->settled;
    file->arrivals = from->arrivals;
    opened->ended = ended;
    return 0;
}

/* A file at ends that are attached already; it takes them over when it succeeds. */
static struct k42_pair make_file(const struct pipe_file *what, k42_ref node, unsigned flags) {
    return opened_make(&file_pipe, sizeof(struct pipe_file), node, flags, set_up,
                       (void *)(uintptr_t)what);
}

/* ---- pipes without a name ---- */

static k42_result open_end(pipe_ref pipe, unsigned flags, k42_ref *made) {
    struct pipe_file what = {.pipe = pipe, .ends = ends_of(flags), .settled = true};
    k42_result result = k42_call(pipe, attach, what.ends);
    if (result < 0)
        return result;
    struct k42_pair file = make_file(&what, K42_NULL_REF, flags);
    if (file.result < 0) {
        (void)k42_call(pipe, detach, what.ends);
        return file.result;
    }
    *made = (k42_ref)file.word;
    return 0;
}

k42_result pipe_open(unsigned flags, k42_ref *reader, k42_ref *writer) {
    pipe_ref pipe;
    k42_result result = pipe_make(&pipe);
    if (result < 0)
        return result;
    result = open_end(pipe, OPEN_READ_ONLY | (flags & OPEN_STATUS), reader);
    if (result < 0) {
        (void)!k42_destroy((k42_ref)pipe);
        return result;
    }
    result = open_end(pipe, OPEN_WRITE_ONLY | (flags & OPEN_STATUS), writer);
    if (result < 0)
        (void)k42_call((file_ref)*reader, release);
    return result;
}

/* ---- FIFOs ---- */

/* The FIFO's pipe, attached at the ends; made when there is none. */
static k42_result attach(k42_ref *noted, unsigned ends, pipe_ref *pipe) {
    for (;;) {
        k42_ref present = __atomic_load_n(noted, __ATOMIC_ACQUIRE);
        if (present) {
            *pipe = (pipe_ref)present;
            k42_result result = k42_call(*pipe, attach, ends);
            if (result != -K42_STALE)
                return result;
            __atomic_compare_exchange_n(noted, &present, K42_NULL_REF, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED);
            continue;
        }
        k42_result result = pipe_make(pipe);
        if (result < 0)
            return result;
        if (__atomic_compare_exchange_n(noted, &present, (k42_ref)*pipe, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            continue;
        (void)!k42_destroy((k42_ref)*pipe);
    }
}

struct k42_pair fifo_open(k42_ref *noted, k42_ref node, unsigned flags) {
    struct pipe_file what = {.noted = noted, .ends = ends_of(flags)};
    k42_result result = attach(noted, what.ends, &what.pipe);
    if (result < 0)
        return (struct k42_pair){.result = result};
    /* As it was when it attached: who came since then, and perhaps has gone again, counts. */
    bool alone = !(result & 1);
    what.arrivals = result >> 1;
    what.settled = !alone;
    struct k42_pair file = {.result = -ENXIO};
    if (!alone || what.ends != PIPE_WRITER || !(flags & OPEN_NON_BLOCKING))
        file = make_file(&what, node, flags);
    if (file.result < 0 && k42_call(what.pipe, detach, what.ends) == 1) {
        k42_ref gone = (k42_ref)what.pipe;
        __atomic_compare_exchange_n(noted, &gone, K42_NULL_REF, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_RELAXED);
    }
    return file;
}
