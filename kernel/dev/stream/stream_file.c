/*
 * Open file of a stream: the bytes as they come.
 *
 * Keeps the stream's ref; one that was destroyed reads as ended. No locks.
 */
#include "stream_file.h"

#include "../../fs/open_file.h"
#include "../../sched/wait.h"

#include <errno.h>

struct stream_file {
    struct opened opened;
    stream_ref stream;
};

static stream_ref stream_of(struct file *self) {
    return ((struct stream_file *)OPENED(self))->stream;
}

static k42_result stream_file_read(struct file *self, int64_t offset, struct copy *copy) {
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    k42_result result = k42_call(stream_of(self), read, copy);
    return result == -K42_STALE ? 0 : result;
}

static k42_result stream_file_write(struct file *self, int64_t offset, struct copy *copy) {
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    k42_result result = k42_call(stream_of(self), write, copy);
    return result == -K42_STALE ? -EPIPE : result;
}

/* A stream's events have the values of file_ready. */
static k42_result stream_file_poll(struct file *self, struct file_poll *poll) {
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(stream_of(self)), .key = STREAM_KEY};
    k42_result result = k42_call(stream_of(self), poll);
    return result == -K42_STALE ? FILE_HANG_UP : result;
}

static k42_result stream_file_sync(struct file *self, unsigned data) {
    (void)data;
    return k42_call(stream_of(self), drain);
}

static const struct file_ops stream_file_ops = {
    OPENED_METHODS,
    .read = stream_file_read,
    .write = stream_file_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = stream_file_poll,
    .control = file_no_control,
    .map = file_no_map,
    .sync = stream_file_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
};

/* Canonical: word 0 is the struct stream_file. */
static const struct k42_format stream_file_format = {"file.stream", 1, 1};
static const struct k42_transfer transfers[] = BODY_TRANSFERS(stream_file_format);

K42_CLASS(file_stream) = {
    .name = "file.stream",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &stream_file_ops,
    .fini = opened_fini,
    .transfers = transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    ((struct stream_file *)opened)->stream = *(stream_ref *)context;
    return 0;
}

struct k42_pair stream_open(stream_ref stream, k42_ref node, unsigned flags) {
    return opened_make(&file_stream, sizeof(struct stream_file), node, flags, set_up, &stream);
}
