/*
 * A queue of messages with priorities, as POSIX has them: the highest first, of equal ones the one
 * that came first. See message_queue.h.
 *
 * A heap in an array that has room for as many messages as there may be, under one lock: to send
 * or to take one costs the logarithm of how many there are. Messages and room are one for one, so
 * one who waits is woken for each; senders and receivers stand at one key, for their events, where
 * polls stand too.
 *
 * Data: the body. Format: message_queue.priorities, by pointer. Fails: -ENOMEM when made.
 */
#include "message_queue.h"

#include "../../body.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "runtime.h"

#include <errno.h>

struct queue {
    k42_id id; /* where it is waited for */
    struct k42_lock lock;
    uint64_t came; /* how many messages, in all */
    uint64_t bytes;
    uint32_t count, most;
    struct message *heap[];
};

#define QUEUE(self) ((struct queue *)BODY(self))

/* ---- the heap ---- */

static bool is_before(const struct message *left, const struct message *right) {
    return left->type != right->type ? left->type > right->type : left->order < right->order;
}

static void rise(struct queue *queue, uint32_t at, struct message *message) {
    for (uint32_t above; at && is_before(message, queue->heap[above = (at - 1) / 2]); at = above)
        queue->heap[at] = queue->heap[above];
    queue->heap[at] = message;
}

static void sink(struct queue *queue, uint32_t at, struct message *message) {
    for (uint32_t below; (below = 2 * at + 1) < queue->count; at = below) {
        if (below + 1 < queue->count && is_before(queue->heap[below + 1], queue->heap[below]))
            below++;
        if (!is_before(queue->heap[below], message))
            break;
        queue->heap[at] = queue->heap[below];
    }
    queue->heap[at] = message;
}

/* ---- methods ---- */

/* Whoever waited takes it, and then nobody is to be told of it. */
static k42_result add(struct queue *queue, struct message *message) {
    if (queue->count == queue->most)
        return wait_on(queue->id, MESSAGE_FIRST, WAIT_WRITE);
    message->order = queue->came++;
    queue->bytes += message->size;
    rise(queue, queue->count++, message);
    return !wait_notify(queue->id, MESSAGE_FIRST, WAIT_READ, 1) && queue->count == 1;
}

static k42_result priorities_send(struct message_queue *self, struct message *message, int pid) {
    struct queue *queue = QUEUE(self);
    (void)pid;
    k42_lock(&queue->lock);
    k42_result result = add(queue, message);
    k42_unlock(&queue->lock);
    return result;
}

static struct message *take(struct queue *queue) {
    struct message *first = queue->heap[0], *last = queue->heap[--queue->count];
    queue->bytes -= first->size;
    if (queue->count)
        sink(queue, 0, last);
    (void)!wait_notify(queue->id, MESSAGE_FIRST, WAIT_WRITE, 1);
    return first;
}

static struct k42_pair priorities_receive(struct message_queue *self,
                                          const struct message_choice *choice) {
    struct queue *queue = QUEUE(self);
    struct k42_pair got = {0};
    (void)choice;
    k42_lock(&queue->lock);
    if (queue->count)
        got.word = (uintptr_t)take(queue);
    else
        got.result = wait_on(queue->id, MESSAGE_FIRST, WAIT_READ);
    k42_unlock(&queue->lock);
    return got;
}

static k42_result priorities_look(struct message_queue *self, struct message_queue_state *state) {
    struct queue *queue = QUEUE(self);
    k42_lock(&queue->lock);
    *state = (struct message_queue_state){
        .count = queue->count, .bytes = queue->bytes, .most = queue->most};
    k42_unlock(&queue->lock);
    return 0;
}

static k42_result priorities_peek(struct message_queue *self, uint64_t number, struct message *copy,
                                  unsigned cut) {
    (void)self, (void)number, (void)copy, (void)cut;
    return -ENOTSUP;
}

static k42_result priorities_limit(struct message_queue *self, uint64_t bytes) {
    (void)self, (void)bytes;
    return -ENOTSUP;
}

static k42_result priorities_describe(struct k42_object *self, char *text, size_t size) {
    struct queue *queue = QUEUE(self);
    return (k42_result)k42_format_text(text, size, "%u messages of at most %u", queue->count,
                                       queue->most);
}

static void priorities_fini(struct k42_root *root) {
    struct queue *queue = body_of_root(root);
    while (queue && queue->count)
        heap_free(queue->heap[--queue->count]);
    heap_free(queue);
}

static const struct message_queue_ops priorities_ops = {
    .object.describe = priorities_describe,
    .send = priorities_send,
    .receive = priorities_receive,
    .peek = priorities_peek,
    .look = priorities_look,
    .limit = priorities_limit,
};

static const struct k42_format priorities_format = {"message_queue.priorities", 1, 1};
static const struct k42_transfer priorities_transfers[] = BODY_TRANSFERS(priorities_format);

K42_CLASS(message_queue_priorities) = {
    .name = "message_queue.priorities",
    .interface = &message_queue_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &priorities_ops,
    .fini = priorities_fini,
    .transfers = priorities_transfers,
};

k42_result message_queue_make_sorted(uint32_t most, k42_ref *made) {
    struct queue *queue = heap_allocate_zeroed(sizeof *queue + most * sizeof queue->heap[0]);
    if (!queue)
        return -ENOMEM;
    queue->most = most;
    k42_result result = k42_make(&message_queue_priorities, queue, made);
    if (result < 0)
        heap_free(queue);
    else
        queue->id = k42_ref_id(*made);
    return result;
}
