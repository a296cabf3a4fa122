/*
 * Contexts of Linux AIO: see context.h.
 *
 * A context has no number and stands in no table: its name is the address at which it is mapped,
 * and the mapping leads to its file. Whoever unmaps it has ended it. It belongs to the address
 * space that it was made in: a child that inherits the mapping cannot use it.
 *
 * The ring of events is the program's to read, and libaio does so: the head is read once each time
 * and taken modulo the size, the tail is the kernel's own. There is always room for an event, since
 * no more is submitted than events fit; a program that moves its head backwards loses events of its
 * own. Locking: the ring's lock for tail and events. Fails: -ENOMEM, -EINVAL.
 */
#include "context.h"

#include "../call.h"

#include <k42/k42.h>

#define MAGIC 0xa10a10a1u

/* As libaio knows it. */
struct aio_ring {
    uint32_t id, events, head, tail;
    uint32_t magic, compatible, incompatible, header_length;
    struct io_event event[];
};

static struct aio_ring *ring_of(const struct ring *context) {
    return (struct aio_ring *)(void *)context->shared;
}

/* ---- events; with the lock ---- */

static uint32_t head_of(const struct ring *context) {
    return __atomic_load_n(&ring_of(context)->head, __ATOMIC_ACQUIRE) % context->events;
}

static uint32_t used(const struct ring *context) {
    return (context->tail + context->events - head_of(context)) % context->events;
}

static void put(struct ring *context, const struct io_event *event) {
    struct aio_ring *ring = ring_of(context);
    struct io_event *at = &ring->event[context->tail];
    at->data = event->data;
    at->obj = event->obj;
    at->res = event->res;
    at->res2 = 0;
    context->tail = (context->tail + 1) % context->events;
    __atomic_store_n(&ring->tail, context->tail, __ATOMIC_RELEASE);
}

static void tell(struct request *request, int32_t result) {
    struct ring *context = request->ring;
    struct io_event event = {
        .data = request->entry.addr3, .obj = request->entry.user_data, .res = result};
    uint64_t one = 1;
    struct copy copy = copy_of_kernel(&one, sizeof one);
    k42_lock(&context->lock);
    put(context, &event);
    k42_unlock(&context->lock);
    (void)!wait_notify(context->self, RING_DATA, WAIT_READ, WAIT_ALL);
    if (request->counter)
        (void)!k42_call((file_ref)request->counter, write, FILE_CURRENT, &copy);
}

bool aio_has_room(struct ring *context) {
    k42_lock(&context->lock);
    bool room = !context->ends && used(context) + context->running < context->events - 1;
    k42_unlock(&context->lock);
    return room;
}

uint32_t aio_waiting(struct ring *context) {
    k42_lock(&context->lock);
    uint32_t count = used(context);
    k42_unlock(&context->lock);
    return count;
}

/* Who has the context taken is the only one in the kernel that moves the head. */
k42_result aio_collect(struct ring *context, uintptr_t to, uint32_t most) {
    struct aio_ring *ring = ring_of(context);
    uint32_t head = head_of(context), done = 0, count = aio_waiting(context);
    k42_result result = 0;
    count = count < most ? count : most;
    for (; done < count; done++) {
        struct io_event event = ring->event[(head + done) % context->events];
        result = files_copy_out(to + done * sizeof event, &event, sizeof event);
        if (result < 0)
            break;
    }
    __atomic_store_n(&ring->head, (head + done) % context->events, __ATOMIC_RELEASE);
    return done ? (k42_result)done : result;
}

/* ---- contexts ---- */

static k42_result map(const struct ring *context, file_ref file) {
    struct space_request request = {.length = context->bytes,
                                    .protection = SPACE_READ | SPACE_WRITE,
                                    .most = SPACE_READ | SPACE_WRITE,
                                    .flags = SPACE_SHARED,
                                    .fcm = context->fcm,
                                    .file = (k42_ref)file};
    struct k42_pair mapped = k42_call(task_self()->space, map, &request);
    return mapped.result < 0 ? mapped.result : (k42_result)mapped.word;
}

static uint32_t power_of_two(uint32_t number) {
    uint32_t power = 1;
    while (power < number)
        power *= 2;
    return power;
}

/* Whole pages of events, one of which is never used, and twice what is asked for, as on Linux. */
static struct ring *make(uint32_t events) {
    enum { PAGE = 4096, FEWEST = 32 };
    events = (events < FEWEST ? FEWEST : events) * 2 + 2;
    size_t bytes = sizeof(struct aio_ring) + events * sizeof(struct io_event);
    bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    struct ring *context = uring_make_plain(bytes, power_of_two(events));
    if (!context)
        return NULL;
    context->events = (uint32_t)((bytes - sizeof(struct aio_ring)) / sizeof(struct io_event));
    context->tells = tell;
    context->memory = task_self()->memory;
    *ring_of(context) = (struct aio_ring){.events = context->events,
                                          .magic = MAGIC,
                                          .compatible = 1,
                                          .header_length = sizeof(struct aio_ring)};
    return context;
}

k42_result aio_make(uint32_t events, uint64_t *address) {
    struct ring *context = make(events);
    if (!context)
        return -ENOMEM;
    struct k42_pair file = uring_file_make(context);
    if (file.result < 0) {
        uring_release(context);
        return file.result;
    }
    k42_result result;
    MEMORY_CALL(result,
                WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, map(context, (file_ref)file.word)));
    (void)!k42_call((file_ref)file.word, release); /* the mapping holds it */
    *address = (uint64_t)result;
    return result < 0 ? result : 0;
}

k42_result aio_get(uint64_t address, file_ref *file, struct ring **context) {
    struct space_mapping mapping;
    struct task *task = task_self();
    if (k42_call(task->space, find, address, 0, &mapping) < 0 || mapping.start != address ||
        mapping.first || mapping.file == K42_NULL_REF)
        return -EINVAL;
    *file = (file_ref)mapping.file;
    if (k42_call(*file, control, FILE_KIND, 0) != FILE_OF_RING ||
        k42_call(*file, control, FILE_LOOK, (uintptr_t)context) < 0 || !(*context)->tells ||
        (*context)->memory != task->memory || k42_call(*file, hold) < 0)
        return -EINVAL;
    return 0;
}

static k42_result all_over(struct ring *context) {
    k42_lock(&context->lock);
    bool over = !context->running;
    k42_unlock(&context->lock);
    return over ? 0 : wait_on(context->self, RING_DATA, WAIT_READ);
}

k42_result aio_end(struct ring *context, uint64_t address) {
    k42_result result;
    k42_lock(&context->lock);
    bool first = !context->ends;
    context->ends = true;
    k42_unlock(&context->lock);
    if (!first)
        return -EINVAL;
    (void)!wait_notify(context->self, RING_DATA, WAIT_READ, WAIT_ALL);
    requests_end(context);
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, all_over(context));
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                  k42_call(task_self()->space, unmap, address, context->bytes)));
    return result < 0 ? result : 0;
}
