/*
 * msgget, msgsnd, msgrcv.
 *
 * A call that waits finds its queue, and looks at its rights, anew each time. A message that was
 * taken and cannot be written to the program is lost, as on Linux.
 */
#include "message_calls.h"

#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../call.h"
#include "../program.h"
#include "../task.h"
#include "message_queue.h"

#include <linux/msg.h>

struct message_limits message_limits = {MSGMAX, MSGMNB};

static k42_result make(struct ipc_entry *entry, const struct ipc_request *request) {
    (void)request;
    return message_queue_make(__atomic_load_n(&message_limits.queue, __ATOMIC_RELAXED),
                              &entry->object);
}

static void unmake(struct ipc_entry *entry) {
    (void)!k42_destroy(entry->object);
}

struct ipc_table ipc_queues = {.make = make, .unmake = unmake, .most = MSGMNI};

bool queue_remove(struct ipc_entry *entry) {
    if (!ipc_remove(&ipc_queues, entry))
        return false;
    unmake(entry);
    for (uintptr_t key = 0; key < MESSAGE_KEYS; key++)
        wait_hangup(k42_ref_id(entry->object), key);
    return true;
}

LINUX_CALL(68, msgget, int key, int flags) {
    struct ipc_request request = {.key = key, .flags = flags};
    k42_result result;
    MEMORY_CALL(result, result = ipc_get(&ipc_queues, &request));
    return result;
}

/* ---- both ways ---- */

struct passing {
    int queue, flags;
    bool tried;
};

/* The queue for one attempt more of a call. -EINVAL, -EIDRM, -EACCES. */
static k42_result find(struct passing *passing, unsigned rights, struct ipc_entry **entry) {
    *entry = ipc_find(&ipc_queues, passing->queue);
    if (!*entry)
        return passing->tried ? -EIDRM : -EINVAL;
    passing->tried = true;
    return ipc_allows(*entry, rights);
}

static k42_result end(k42_result result) {
    if (result == -EINTR)
        return -LINUX_RESTART_NO_HANDLER;
    return result == -K42_STALE ? -EIDRM : result;
}

/* ---- sending ---- */

static k42_result send_once(struct passing *passing, struct message *message) {
    struct ipc_entry *entry;
    k42_result result = find(passing, 0222, &entry);
    if (result >= 0)
        result = k42_call((message_queue_ref)entry->object, send, message, task_self()->pid);
    return result == -K42_WAIT && (passing->flags & IPC_NOWAIT) ? -EAGAIN : result;
}

LINUX_CALL(69, msgsnd, int queue, uintptr_t from, size_t size, int flags) {
    struct passing passing = {.queue = queue, .flags = flags};
    int64_t type;
    k42_result result = program_read(&type, from, sizeof type);
    if (result < 0)
        return result;
    if (size > __atomic_load_n(&message_limits.message, __ATOMIC_RELAXED) || queue < 0 || type < 1)
        return -EINVAL;
    struct message *message = message_read(from + sizeof type, size, &result);
    if (!message)
        return result;
    message->type = type;
    WAIT_CALL(result, WAIT_FOREVER, 0, send_once(&passing, message));
    if (result < 0)
        heap_free(message);
    return end(result);
}

/* ---- receiving ---- */

static k42_result receive_once(struct passing *passing, const struct message_choice *choice,
                               struct message **message) {
    struct ipc_entry *entry;
    k42_result result = find(passing, 0444, &entry);
    if (result < 0)
        return result;
    struct k42_pair got = k42_call((message_queue_ref)entry->object, receive, choice);
    *message = (struct message *)got.word;
    return got.result == -K42_WAIT && (passing->flags & IPC_NOWAIT) ? -ENOMSG : got.result;
}

/* A message that stays where it is, by its number in the queue. */
static k42_result peek(struct passing *passing, int64_t number, size_t size,
                       struct message **message) {
    struct ipc_entry *entry;
    size_t most = __atomic_load_n(&message_limits.message, __ATOMIC_RELAXED);
    size = size < most ? size : most;
    *message = heap_allocate(sizeof **message + size);
    if (!*message)
        return -ENOMEM;
    (*message)->size = size;
    k42_result result = find(passing, 0444, &entry);
    if (result >= 0)
        result = k42_call((message_queue_ref)entry->object, peek, (uint64_t)number, *message,
                          !!(passing->flags & MSG_NOERROR));
    if (result < 0)
        heap_free(*message);
    return result;
}

static struct message_choice choice_of(int64_t type, size_t size, int flags) {
    struct message_choice choice = {.kind = MESSAGE_EQUAL,
                                    .pid = task_self()->pid,
                                    .type = type,
                                    .most = flags & MSG_NOERROR ? SIZE_MAX : size};
    if (!type)
        choice.kind = MESSAGE_ANY;
    else if (type < 0)
        choice = (struct message_choice){MESSAGE_LOWEST, choice.pid,
                                         type == INT64_MIN ? INT64_MAX : -type, choice.most};
    else if (flags & MSG_EXCEPT)
        choice.kind = MESSAGE_OTHER;
    return choice;
}

static k42_result write_out(struct message *message, uintptr_t to, size_t size) {
    size = size < message->size ? size : message->size;
    k42_result result = program_write(to, &message->type, sizeof message->type);
    if (result >= 0)
        result = program_write(to + sizeof message->type, message->bytes, size);
    heap_free(message);
    return result < 0 ? result : (k42_result)size;
}

LINUX_CALL(70, msgrcv, int queue, uintptr_t to, size_t size, int64_t type, int flags) {
    struct passing passing = {.queue = queue, .flags = flags};
    struct message *message = NULL;
    k42_result result;
    if (queue < 0 || (int64_t)size < 0)
        return -EINVAL;
    if (flags & MSG_COPY) {
        if ((flags & MSG_EXCEPT) || !(flags & IPC_NOWAIT))
            return -EINVAL;
        result = peek(&passing, type, size, &message);
    } else {
        struct message_choice choice = choice_of(type, size, flags);
        WAIT_CALL(result, WAIT_FOREVER, 0, receive_once(&passing, &choice, &message));
    }
    return result < 0 ? end(result) : write_out(message, to, size);
}
