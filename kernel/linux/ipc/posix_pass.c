/*
 * mq_timedsend, mq_timedreceive.
 *
 * The file is held while a call waits, and with it the queue. A message that was taken and cannot
 * be written to the program is lost, as on Linux.
 */
#include "posix_queue.h"

#include "../../fs/values.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../clocks.h"
#include "../program.h"
#include "../task.h"

#include <linux/mqueue.h>

/* Of the time of day; no time: for ever. */
static k42_result read_deadline(uintptr_t from, uint64_t *deadline) {
    int64_t ns;
    *deadline = WAIT_FOREVER;
    if (!from)
        return 0;
    k42_result result = clocks_read(from, &ns);
    return result < 0 ? result : clocks_deadline(CLOCK_REALTIME, ns, deadline);
}

static k42_result end(k42_result result) {
    return result == -EINTR ? -LINUX_RESTART : result == -K42_STALE ? -EBADF : result;
}

/* ---- sending ---- */

static k42_result send_once(const struct posix_file *file, struct message *message) {
    k42_result result = k42_call(file->queue->object, send, message, task_self()->pid);
    return result == -K42_WAIT && (file->flags & OPEN_NON_BLOCKING) ? -EAGAIN : result;
}

static k42_result send(const struct posix_file *file, uintptr_t from, size_t size,
                       unsigned priority, uint64_t deadline) {
    k42_result result;
    if (!open_writes(file->flags))
        return -EBADF;
    if (size > file->queue->size)
        return -EMSGSIZE;
    struct message *message = message_read(from, size, &result);
    if (!message)
        return result;
    message->type = priority;
    WAIT_CALL(result, deadline, 0, send_once(file, message));
    if (result < 0)
        heap_free(message);
    if (result == 1)
        posix_queue_tell(file->queue);
    return result < 0 ? end(result) : 0;
}

LINUX_CALL(242, mq_timedsend, int number, uintptr_t from, size_t size, unsigned priority,
           uintptr_t time_at) {
    struct posix_file file;
    uint64_t deadline;
    k42_result result = read_deadline(time_at, &deadline);
    if (result >= 0 && priority >= MQ_PRIO_MAX)
        result = -EINVAL;
    if (result >= 0)
        result = posix_file_get(number, &file);
    if (result < 0)
        return result;
    result = send(&file, from, size, priority, deadline);
    posix_file_release(&file);
    return result;
}

/* ---- receiving ---- */

static k42_result receive_once(const struct posix_file *file, struct message **message) {
    struct message_choice choice = {.kind = MESSAGE_ANY};
    struct k42_pair got = k42_call(file->queue->object, receive, &choice);
    *message = (struct message *)got.word;
    return got.result == -K42_WAIT && (file->flags & OPEN_NON_BLOCKING) ? -EAGAIN : got.result;
}

static k42_result write_out(struct message *message, uintptr_t to, uintptr_t priority_to) {
    uint32_t priority = (uint32_t)message->type;
    size_t size = message->size;
    k42_result result = priority_to ? program_write(priority_to, &priority, sizeof priority) : 0;
    if (result >= 0)
        result = program_write(to, message->bytes, size);
    heap_free(message);
    return result < 0 ? result : (k42_result)size;
}

static k42_result receive(const struct posix_file *file, uintptr_t to, size_t size,
                          uintptr_t priority_to, uint64_t deadline) {
    struct message *message;
    k42_result result;
    if (!open_reads(file->flags))
        return -EBADF;
    if (size < file->queue->size)
        return -EMSGSIZE;
    WAIT_CALL(result, deadline, 0, receive_once(file, &message));
    return result < 0 ? end(result) : write_out(message, to, priority_to);
}

LINUX_CALL(243, mq_timedreceive, int number, uintptr_t to, size_t size, uintptr_t priority_to,
           uintptr_t time_at) {
    struct posix_file file;
    uint64_t deadline;
    k42_result result = read_deadline(time_at, &deadline);
    if (result >= 0)
        result = posix_file_get(number, &file);
    if (result < 0)
        return result;
    result = receive(&file, to, size, priority_to, deadline);
    posix_file_release(&file);
    return result;
}
