/*
 * The plainest order of turns: first come, first served, and to the end of the line again.
 *
 * Data is the queue's; locking is the CPU's. Cannot fail.
 */
#include "sched.h"

static void fifo_add(struct run_queue *queue, struct thread *thread) {
    thread->next = NULL;
    if (queue->last)
        queue->last->next = thread;
    else
        queue->first = thread;
    queue->last = thread;
    queue->length++;
}

static struct thread *fifo_take_if(struct run_queue *queue,
                                   bool (*wanted)(const struct thread *thread)) {
    struct thread **link = &queue->first, *before = NULL;
    while (*link && !wanted(*link)) {
        before = *link;
        link = &before->next;
    }
    struct thread *thread = *link;
    if (!thread)
        return NULL;
    *link = thread->next;
    if (queue->last == thread)
        queue->last = before;
    queue->length--;
    return thread;
}

static bool any(const struct thread *thread) {
    (void)thread;
    return true;
}

static struct thread *fifo_take(struct run_queue *queue) {
    return fifo_take_if(queue, any);
}

static struct thread *fifo_take_movable(struct run_queue *queue) {
    return fifo_take_if(queue, thread_is_movable);
}

const struct run_queue_ops fifo_ops = {
    .name = "fifo", .add = fifo_add, .take = fifo_take, .take_movable = fifo_take_movable};
