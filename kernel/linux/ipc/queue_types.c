/*
 * A queue of messages with types, as System V has them. See message_queue.h.
 *
 * A list in the order of coming, under one lock. Who asks for a type looks through what is before
 * it; how much that can be is the queue's limit.
 *
 * Who waits for whichever is first is woken one for each message. Others may find that it does not
 * fit, so all of them are; those who wait for one type stand at keys of their own, so that many
 * programs, each with its own type, do not wake each other for every message.
 *
 * Data: the body. Format: message_queue.types, by pointer. Fails: -ENOMEM when made, -E2BIG,
 * -ENOMSG.
 */
#include "message_queue.h"

#include "../../body.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../program.h"
#include "ipc.h"
#include "runtime.h"

#include <errno.h>

struct queue {
    k42_id id; /* where it is waited for */
    struct k42_lock lock;
    struct message *first, **end;
    struct message_queue_state state;
};

#define QUEUE(self) ((struct queue *)BODY(self))

static uintptr_t key_of_type(int64_t type) {
    return MESSAGE_TYPE + (uint64_t)type % MESSAGE_TYPES;
}

/* ---- sending ---- */

static bool has_room(const struct queue *queue, size_t size) {
    const struct message_queue_state *state = &queue->state;
    return state->bytes + size <= state->most && state->count < state->most;
}

static void append(struct queue *queue, struct message *message, int pid) {
    message->next = NULL;
    *queue->end = message;
    queue->end = &message->next;
    queue->state.count++;
    queue->state.bytes += message->size;
    queue->state.sent = ipc_now();
    queue->state.sender = pid;
}

static void tell_of(const struct queue *queue, int64_t type) {
    (void)!wait_notify(queue->id, MESSAGE_FIRST, WAIT_READ, 1);
    (void)!wait_notify(queue->id, MESSAGE_SOME, WAIT_READ, WAIT_ALL);
    (void)!wait_notify(queue->id, key_of_type(type), WAIT_READ, WAIT_ALL);
}

/* With the lock held it is told of: afterwards the message is whoever's takes it. */
static k42_result types_send(struct message_queue *self, struct message *message, int pid) {
    struct queue *queue = QUEUE(self);
    k42_result result = 0;
    k42_lock(&queue->lock);
    if (has_room(queue, message->size)) {
        append(queue, message, pid);
        tell_of(queue, message->type);
    } else {
        result = wait_on(queue->id, MESSAGE_ROOM, WAIT_WRITE);
    }
    k42_unlock(&queue->lock);
    return result;
}

/* ---- receiving ---- */

static bool fits(const struct message *message, const struct message_choice *choice) {
    switch (choice->kind) {
    case MESSAGE_ANY:
        return true;
    case MESSAGE_EQUAL:
        return message->type == choice->type;
    case MESSAGE_OTHER:
        return message->type != choice->type;
    default:
        return message->type <= choice->type;
    }
}

/* Where the link to it is; to NULL: none fits. */
static struct message **find(struct queue *queue, const struct message_choice *choice) {
    struct message **found = NULL, **link = &queue->first;
    for (; *link; link = &(*link)->next) {
        if (!fits(*link, choice) || (found && (*link)->type >= (*found)->type))
            continue;
        found = link;
        if (choice->kind != MESSAGE_LOWEST)
            break;
    }
    return found ? found : link;
}

static k42_result wait_for(const struct queue *queue, const struct message_choice *choice) {
    uintptr_t key = choice->kind == MESSAGE_ANY     ? MESSAGE_FIRST
                    : choice->kind == MESSAGE_EQUAL ? key_of_type(choice->type)
                                                    : MESSAGE_SOME;
    return wait_on(queue->id, key, WAIT_READ);
}

static k42_result take(struct queue *queue, const struct message_choice *choice,
                       struct message **taken) {
    struct message **link = find(queue, choice), *message = *link;
    if (!message)
        return wait_for(queue, choice);
    if (message->size > choice->most)
        return -E2BIG;
    *link = message->next;
    if (queue->end == &message->next)
        queue->end = link;
    queue->state.count--;
    queue->state.bytes -= message->size;
    queue->state.received = ipc_now();
    queue->state.receiver = choice->pid;
    (void)!wait_notify(queue->id, MESSAGE_ROOM, WAIT_WRITE, WAIT_ALL);
    *taken = message;
    return 0;
}

static struct k42_pair types_receive(struct message_queue *self,
                                     const struct message_choice *choice) {
    struct queue *queue = QUEUE(self);
    struct message *taken = NULL;
    k42_lock(&queue->lock);
    k42_result result = take(queue, choice, &taken);
    k42_unlock(&queue->lock);
    return (struct k42_pair){result, (uintptr_t)taken};
}

/* Nothing is cut; whoever would allow it is told of another error, as on Linux. */
static k42_result copy(const struct queue *queue, uint64_t number, struct message *to, bool cut) {
    const struct message *message = queue->first;
    while (message && number--)
        message = message->next;
    if (!message)
        return -ENOMSG;
    if (message->size > to->size)
        return cut ? -EINVAL : -E2BIG;
    to->type = message->type;
    to->size = message->size;
    __builtin_memcpy(to->bytes, message->bytes, to->size);
    return 0;
}

static k42_result types_peek(struct message_queue *self, uint64_t number, struct message *to,
                             unsigned cut) {
    struct queue *queue = QUEUE(self);
    k42_lock(&queue->lock);
    k42_result result = copy(queue, number, to, cut);
    k42_unlock(&queue->lock);
    return result;
}

/* ---- the rest ---- */

static k42_result types_look(struct message_queue *self, struct message_queue_state *state) {
    struct queue *queue = QUEUE(self);
    k42_lock(&queue->lock);
    *state = queue->state;
    k42_unlock(&queue->lock);
    return 0;
}

static k42_result types_limit(struct message_queue *self, uint64_t bytes) {
    struct queue *queue = QUEUE(self);
    k42_lock(&queue->lock);
    queue->state.most = bytes;
    (void)!wait_notify(queue->id, MESSAGE_ROOM, WAIT_WRITE, WAIT_ALL);
    k42_unlock(&queue->lock);
    return 0;
}

static k42_result types_describe(struct k42_object *self, char *text, size_t size) {
    const struct message_queue_state *state = &QUEUE(self)->state;
    return (k42_result)k42_format_text(text, size, "%lu messages of %lu bytes", state->count,
                                       state->bytes);
}

static void types_fini(struct k42_root *root) {
    struct queue *queue = body_of_root(root);
    for (struct message *message = queue ? queue->first : NULL, *next; message; message = next) {
        next = message->next;
        heap_free(message);
    }
    heap_free(queue);
}

static const struct message_queue_ops types_ops = {
    .object.describe = types_describe,
    .send = types_send,
    .receive = types_receive,
    .peek = types_peek,
    .look = types_look,
    .limit = types_limit,
};

static const struct k42_format types_format = {"message_queue.types", 1, 1};
static const struct k42_transfer types_transfers[] = BODY_TRANSFERS(types_format);

K42_CLASS(message_queue_types) = {
    .name = "message_queue.types",
    .interface = &message_queue_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &types_ops,
    .fini = types_fini,
    .transfers = types_transfers,
};

k42_result message_queue_make(uint64_t bytes, k42_ref *made) {
    struct queue *queue = heap_allocate_zeroed(sizeof *queue);
    if (!queue)
        return -ENOMEM;
    queue->end = &queue->first;
    queue->state.most = bytes;
    k42_result result = k42_make(&message_queue_types, queue, made);
    if (result < 0)
        heap_free(queue);
    else
        queue->id = k42_ref_id(*made);
    return result;
}

struct message *message_read(uintptr_t from, size_t size, k42_result *error) {
    struct message *message = heap_allocate(sizeof *message + size);
    *error = message ? program_read(message->bytes, from, size) : -ENOMEM;
    if (*error < 0) {
        heap_free(message);
        return NULL;
    }
    message->size = size;
    return message;
}
