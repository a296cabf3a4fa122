/*
 * The class of open files that lead to POSIX's queues of messages. See posix_queue.h.
 *
 * Reading one tells what is in the queue, as text; messages go by calls of their own. It is waited
 * for at the queue. Data: constant. Format: file.queue, by pointer. Fails: -EINVAL.
 */
#include "posix_queue.h"

#include "../../copy.h"
#include "../../fs/open_file.h"
#include "../../fs/values.h"
#include "../abi.h"
#include "../files/files.h"
#include "runtime.h"

struct queue_file {
    struct opened opened;
    struct posix_queue *queue;
};

#define QUEUE_FILE(self) k42_container(OPENED(self), struct queue_file, opened)

/* ---- text ---- */

enum { LONGEST = 128 };

/* A name and a number, after which there are blanks up to a width. */
static size_t put_number(char *text, size_t at, const char *name, uint64_t number, size_t width) {
    size_t begin = at + k42_text_length(name);
    at += k42_format_text(text + at, LONGEST - at, "%s%lu", name, number);
    while (at < begin + width)
        text[at++] = ' ';
    return at;
}

static size_t describe(struct posix_queue *queue, char *text) {
    struct message_queue_state state = {0};
    (void)!k42_call(queue->object, look, &state);
    k42_lock(&queue->lock);
    struct queue_notice notice = queue->notice;
    k42_unlock(&queue->lock);
    bool signals = notice.process && notice.kind == SIGEV_SIGNAL;
    size_t at = put_number(text, 0, "QSIZE:", state.bytes, 10);
    at = put_number(text, at, " NOTIFY:", notice.process ? (uint32_t)notice.kind : 0, 5);
    at = put_number(text, at, " SIGNO:", signals ? (uint32_t)notice.signal : 0, 5);
    at = put_number(text, at, " NOTIFY_PID:", (uint32_t)notice.pid, 6);
    text[at++] = '\n';
    return at;
}

static k42_result copy_text(struct queue_file *file, int64_t offset, struct copy *copy) {
    char text[LONGEST];
    size_t length = describe(file->queue, text);
    if (offset < 0 || (uint64_t)offset >= length)
        return offset < 0 ? -EINVAL : 0;
    return copy_out(copy, text + offset, length - (size_t)offset);
}

static k42_result queue_read(struct file *self, int64_t offset, struct copy *copy) {
    struct queue_file *file = QUEUE_FILE(self);
    if (offset != FILE_CURRENT)
        return copy_text(file, offset, copy);
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    result = copy_text(file, file->opened.offset, copy);
    if (result > 0)
        file->opened.offset += result;
    offset_leave(&file->opened);
    return result;
}

/* ---- the others ---- */

static k42_result queue_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result queue_poll(struct file *self, struct file_poll *poll) {
    struct posix_queue *queue = QUEUE_FILE(self)->queue;
    struct message_queue_state state;
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(queue->object), .key = MESSAGE_FIRST};
    k42_result result = k42_call(queue->object, look, &state);
    if (result < 0)
        return result;
    return (state.count ? FILE_READABLE : 0) | (state.count < state.most ? FILE_WRITABLE : 0);
}

static k42_result queue_control(struct file *self, unsigned request, uintptr_t argument) {
    if (request == FILE_LOOK)
        *(struct posix_queue **)argument = QUEUE_FILE(self)->queue;
    return request == FILE_KIND ? FILE_OF_QUEUE : request == FILE_LOOK ? 0 : -ENOTTY;
}

static const struct file_ops queue_ops = {
    OPENED_METHODS,           .read = queue_read,           .write = queue_write,
    .seek = opened_seek,      .list = file_no_list,         .poll = queue_poll,
    .control = queue_control, .map = file_no_map,           .sync = file_no_sync,
    .resize = file_no_resize, .allocate = file_no_allocate,
};

static const struct k42_format queue_format = {"file.queue", 1, 1};
static const struct k42_transfer queue_transfers[] = BODY_TRANSFERS(queue_format);

K42_CLASS(file_queue) = {
    .name = "file.queue",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &queue_ops,
    .fini = opened_fini,
    .transfers = queue_transfers,
};

/* ---- making and finding ---- */

static void ended(struct opened *opened) {
    posix_queue_release(k42_container(opened, struct queue_file, opened)->queue);
}

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct queue_file, opened)->queue = context;
    opened->ended = ended;
    return 0;
}

struct k42_pair posix_file_make(struct posix_queue *queue, unsigned flags) {
    return opened_make(&file_queue, sizeof(struct queue_file), (k42_ref)queue->node,
                       flags & (OPEN_ACCESS | OPEN_NON_BLOCKING), set_up, queue);
}

k42_result posix_file_get(int number, struct posix_file *file) {
    k42_result result = files_get(number, &file->file);
    if (result < 0 || k42_call(file->file, control, FILE_KIND, 0) != FILE_OF_QUEUE)
        return -EBADF;
    result = k42_call(file->file, hold);
    if (result < 0)
        return -EBADF;
    file->flags = (unsigned)k42_call(file->file, flags);
    (void)!k42_call(file->file, control, FILE_LOOK, (uintptr_t)&file->queue);
    return 0;
}

void posix_file_release(const struct posix_file *file) {
    (void)!k42_call(file->file, release);
}
