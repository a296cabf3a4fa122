/*
 * mq_open, mq_unlink, mq_notify, mq_getsetattr.
 *
 * A process that closes a descriptor of a queue is told of its messages no more. Closing asks about
 * that only when somebody has ever been to be told.
 */
#include "posix_queue.h"

#include "../../fs/values.h"
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../call.h"
#include "../files/files.h"
#include "../program.h"
#include "../socket/socket.h"
#include "../task.h"

#include <linux/mqueue.h>

/* A program's struct sigevent, as far as the kernel looks at it. */
struct event {
    uint64_t value;
    int32_t signal, kind;
    uint64_t unused[6];
};
_Static_assert(sizeof(struct event) == 64, "Linux's layout");

/* ---- names ---- */

/* One that a folder could have. */
static k42_result check_name(const struct files_text *text, struct node_name *name) {
    bool dots =
        text->at[0] == '.' && (text->length == 1 || (text->length == 2 && text->at[1] == '.'));
    if (!text->length)
        return -ENOENT;
    for (size_t at = 0; at < text->length; at++)
        if (text->at[at] == '/')
            return -EACCES;
    if (dots || text->length > NODE_NAME_MAX)
        return dots ? -EACCES : -ENAMETOOLONG;
    *name = (struct node_name){text->at, (uint32_t)text->length,
                               node_hash(text->at, (uint32_t)text->length)};
    return 0;
}

/* ---- opening ---- */

static k42_result open_queue(const struct queue_request *request) {
    struct posix_queue *queue;
    k42_result result;
    MEMORY_CALL(result, result = posix_queue_open(request, &queue));
    if (result < 0)
        return result;
    struct k42_pair file = posix_file_make(queue, request->flags);
    if (file.result < 0)
        posix_queue_release(queue);
    return file.result < 0 ? file.result : files_add((file_ref)file.word, OPEN_CLOSE_ON_EXEC);
}

LINUX_CALL(240, mq_open, uintptr_t name_at, int flags, uint32_t mode, uintptr_t attributes_at) {
    struct queue_request request = {.flags = (unsigned)flags, .mode = mode};
    struct mq_attr attributes;
    struct files_text text;
    k42_result result = 0;
    if (attributes_at)
        result = program_read(&attributes, attributes_at, sizeof attributes);
    if (result >= 0)
        result = files_text_get(&text, name_at, FILES_PATH);
    if (result < 0)
        return result;
    posix_queue_as_usual(&request);
    if (attributes_at) {
        request.most = (uint64_t)attributes.mq_maxmsg;
        request.size = (uint64_t)attributes.mq_msgsize;
    }
    result = check_name(&text, &request.name);
    if (result >= 0)
        result = open_queue(&request);
    files_text_end(&text);
    return result;
}

LINUX_CALL(241, mq_unlink, uintptr_t name_at) {
    struct files_text text;
    struct node_name name;
    k42_result result = files_text_get(&text, name_at, FILES_PATH);
    if (result < 0)
        return result;
    result = check_name(&text, &name);
    if (result >= 0)
        result = posix_queue_unlink(&name);
    files_text_end(&text);
    return result;
}

/* ---- being told ---- */

static void closed(file_ref file) {
    struct posix_queue *queue;
    if (k42_call(file, control, FILE_KIND, 0) == FILE_OF_QUEUE &&
        k42_call(file, control, FILE_LOOK, (uintptr_t)&queue) >= 0)
        posix_queue_forget(queue);
}

/* The inbox of a netlink socket, held: what glibc waits at for SIGEV_THREAD. Errors: Linux's. */
static k42_result find_inbox(int number, k42_id *inbox) {
    file_ref file;
    k42_result result = files_get(number, &file);
    if (result < 0)
        return result;
    if (k42_call(file, control, FILE_KIND, 0) != FILE_OF_SOCKET)
        return -ENOTSOCK;
    socket_ref socket = (socket_ref)k42_id_ref((k42_id)k42_call(file, control, FILE_OBJECT, 0));
    if (k42_call(socket, number, SOCKET_FAMILY) != FAMILY_KERNEL)
        return -EINVAL;
    *inbox = (k42_id)k42_call(socket, number, SOCKET_INBOX);
    return k42_call((inbox_ref)k42_id_ref(*inbox), hold) < 0 ? -EBADF : 0;
}

static k42_result read_event(uintptr_t from, struct queue_notice *notice) {
    struct event event;
    k42_result result = program_read(&event, from, sizeof event);
    if (result < 0)
        return result;
    *notice =
        (struct queue_notice){.kind = event.kind, .signal = event.signal, .value = event.value};
    if (event.kind == SIGEV_SIGNAL)
        return event.signal < 0 || event.signal > SIGNALS ? -EINVAL : 0;
    if (event.kind != SIGEV_THREAD)
        return event.kind == SIGEV_NONE ? 0 : -EINVAL;
    result = program_read(notice->cookie, event.value, sizeof notice->cookie);
    return result < 0 ? result : find_inbox(event.signal, &notice->inbox);
}

LINUX_CALL(244, mq_notify, int number, uintptr_t event_at) {
    struct queue_notice notice = {0};
    struct posix_file file;
    k42_result result = event_at ? read_event(event_at, &notice) : 0;
    if (result < 0)
        return result;
    result = posix_file_get(number, &file);
    if (result < 0) {
        queue_notice_end(&notice);
        return result;
    }
    __atomic_store_n(&files_told_of_closing, closed, __ATOMIC_RELAXED);
    if (!event_at)
        posix_queue_forget(file.queue);
    else if ((result = posix_queue_ask(file.queue, &notice)) < 0)
        queue_notice_end(&notice);
    posix_file_release(&file);
    return result;
}

/* ---- attributes ---- */

static k42_result write_attributes(const struct posix_file *file, uintptr_t to) {
    struct message_queue_state state;
    k42_result result = k42_call(file->queue->object, look, &state);
    struct mq_attr attributes = {.mq_flags = file->flags & OPEN_NON_BLOCKING,
                                 .mq_maxmsg = (long)file->queue->most,
                                 .mq_msgsize = (long)file->queue->size,
                                 .mq_curmsgs = result < 0 ? 0 : (long)state.count};
    return program_write(to, &attributes, sizeof attributes);
}

LINUX_CALL(245, mq_getsetattr, int number, uintptr_t from, uintptr_t to) {
    struct mq_attr wanted;
    struct posix_file file;
    k42_result result = from ? program_read(&wanted, from, sizeof wanted) : 0;
    if (result >= 0 && from && (wanted.mq_flags & ~(long)OPEN_NON_BLOCKING))
        result = -EINVAL;
    if (result >= 0)
        result = posix_file_get(number, &file);
    if (result < 0)
        return result;
    if (from)
        result = k42_call(file.file, set_flags,
                          (file.flags & ~(unsigned)OPEN_NON_BLOCKING) | (unsigned)wanted.mq_flags);
    if (to)
        result = write_attributes(&file, to);
    posix_file_release(&file);
    return result < 0 ? result : 0;
}
