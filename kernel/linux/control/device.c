/*
 * /dev/k42: the open file through which a program converses with the kernel.
 *
 * Owns: the conversation, memory of the open file. Locking: the file's offset is taken for the
 * length of a call (fs/opened.c), so one call at a time uses a conversation; nothing is locked.
 * Fails: a request is refused as a whole, by write(); then the last answer is gone, and nothing
 * else has changed.
 */
#include "control.h"

#include "../../copy.h"
#include "../../fs/devices.h"
#include "../../fs/values.h"
#include "../../sched/wait.h"
#include "../task.h"

#include <k42/k42.h>

enum { MAJOR = 10, MINOR = 42 }; /* one of Linux's many small devices */

#define CONTROL(self) k42_container((struct opened *)BODY(self), struct control, opened)

/* ---- the answer ---- */

static void answer_forget(struct control *control) {
    k42_platform_free(control->answer.bytes);
    control->answer = (struct control_answer){0};
}

k42_result control_begin(struct control *control, enum k42_control_kind kind, size_t room) {
    answer_forget(control);
    struct control_answer *answer = &control->answer;
    answer->room = sizeof(struct k42_control_head) + room;
    answer->bytes = k42_platform_alloc(answer->room);
    if (!answer->bytes)
        return -ENOMEM;
    answer->used = sizeof(struct k42_control_head);
    *(struct k42_control_head *)(void *)answer->bytes = (struct k42_control_head){
        .length = (uint32_t)answer->used, .version = K42_CONTROL_VERSION, .kind = (uint16_t)kind};
    return 0;
}

size_t control_room(const struct control *control) {
    return control->answer.room - control->answer.used;
}

void *control_add(struct control *control, size_t size) {
    struct control_answer *answer = &control->answer;
    struct k42_control_head *head = (struct k42_control_head *)(void *)answer->bytes;
    if (size > control_room(control))
        return NULL;
    void *record = answer->bytes + answer->used;
    answer->used += size;
    head->length = (uint32_t)answer->used;
    head->count++;
    return record;
}

void control_go_on(struct control *control, uint64_t next) {
    ((struct k42_control_head *)(void *)control->answer.bytes)->next = next;
}

/* ---- asking ---- */

static const control_fn kinds[K42_CONTROL_KINDS] = {
    [K42_CONTROL_OBJECTS] = control_objects,
    [K42_CONTROL_CLASSES] = control_classes,
    [K42_CONTROL_OWNERS] = control_owners,
    [K42_CONTROL_DESCRIBE] = control_describe,
    [K42_CONTROL_FILE] = control_file,
    [K42_CONTROL_STATS] = control_stats,
    [K42_CONTROL_SWAP] = control_swap,
    [K42_CONTROL_CALLS] = control_calls,
    [K42_CONTROL_INTERPOSE] = control_interpose,
    [K42_CONTROL_COMPONENT] = control_component,
    [K42_CONTROL_POLICY] = control_policy,
    [K42_CONTROL_RUN] = control_run,
    [K42_CONTROL_END] = control_end,
    [K42_CONTROL_COUNTERS] = control_counters,
    [K42_CONTROL_ADVISORS] = control_advisors,
    [K42_CONTROL_DECISIONS] = control_decisions,
    [K42_CONTROL_ADVISE] = control_advise,
};

/* What was asked for has not come about yet. */
static bool goes_on(const struct control *control) {
    return control_swaps_go_on(control) || control_run_goes_on(control);
}

static k42_result ask(struct control *control, const void *bytes, size_t size) {
    struct control_request request;
    k42_result result = control_request_read(bytes, size, &request);
    if (result < 0)
        return result;
    if (request.changes && !task_capable(task_self(), CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    if (control_swaps_go_on(control))
        return -EBUSY;
    control_swaps_forget(control);
    control->run_asked = 0;
    answer_forget(control);
    result = kinds[request.kind](control, &request);
    if (result != -K42_WAIT)
        result = control_result(result);
    if (result < 0)
        answer_forget(control);
    return result;
}

/* All of what is written, or an error, and then the cursor is where it was. */
static k42_result take(struct copy *copy, char *bytes, size_t size) {
    struct copy before = *copy;
    for (size_t got = 0; got < size;) {
        k42_result result = copy_in(copy, bytes + got, size - got);
        if (result <= 0) {
            *copy = before;
            return result ? result : -EFAULT;
        }
        got += (size_t)result;
    }
    return 0;
}

static k42_result control_write(struct file *self, int64_t offset, struct copy *copy) {
    struct control *control = CONTROL(self);
    struct copy before = *copy;
    size_t size = copy->left;
    (void)offset;
    if (!open_writes(control->opened.flags))
        return -EBADF;
    if (size < sizeof(struct k42_control_head) || size > K42_CONTROL_REQUEST)
        return -EINVAL;
    k42_result result = offset_take(&control->opened);
    if (result < 0)
        return result;
    char *bytes = k42_platform_alloc(size);
    result = bytes ? take(copy, bytes, size) : -ENOMEM;
    if (!result)
        result = ask(control, bytes, size);
    k42_platform_free(bytes);
    offset_leave(&control->opened);
    if (result == -K42_WAIT) {
        *copy = before;
        return result;
    }
    /* For a poll that looked in the middle, and could not see what there is. */
    wait_notify(k42_id_of(control->opened.self), CONTROL_SWAPS_ENDED, WAIT_READ, WAIT_ALL);
    return result < 0 ? result : (k42_result)size;
}

/* ---- answering ---- */

static k42_result answer(struct control *control, struct copy *copy) {
    if (goes_on(control))
        return wait_on(k42_id_of(control->opened.self), CONTROL_SWAPS_ENDED, WAIT_READ);
    k42_result result = control->swaps       ? control_swaps_tell(control)
                        : control->run_asked ? control_run_tell(control)
                                             : 0;
    struct control_answer *from = &control->answer;
    if (result < 0 || from->given == from->used)
        return result;
    result = copy_out(copy, from->bytes + from->given, from->used - from->given);
    if (result > 0)
        from->given += (size_t)result;
    if (from->given == from->used)
        answer_forget(control);
    return result;
}

static k42_result control_read(struct file *self, int64_t offset, struct copy *copy) {
    struct control *control = CONTROL(self);
    (void)offset;
    if (!open_reads(control->opened.flags))
        return -EBADF;
    k42_result result = offset_take(&control->opened);
    if (result < 0)
        return result;
    result = copy->left ? answer(control, copy) : 0;
    offset_leave(&control->opened);
    return result;
}

/* While another call has the conversation nothing can be read; a write tells when it is through. */
static k42_result control_poll(struct file *self, struct file_poll *poll) {
    struct control *control = CONTROL(self);
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(control->opened.self),
                                   .key = CONTROL_SWAPS_ENDED};
    k42_result result = offset_take(&control->opened);
    if (result < 0)
        return FILE_WRITABLE;
    bool ready = !goes_on(control);
    offset_leave(&control->opened);
    return FILE_WRITABLE | (ready ? FILE_READABLE : 0);
}

static const struct file_ops control_ops = {
    OPENED_METHODS,
    .read = control_read,
    .write = control_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = control_poll,
    .control = file_no_control,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_seek_allocate,
};

static const struct k42_format control_format = {"file.control", 1, 1};
static const struct k42_transfer control_transfers[] = BODY_TRANSFERS(control_format);

/* Nobody is inside any more, nor will be. */
static void control_fini(struct k42_root *root) {
    struct opened *opened = body_of_root(root);
    if (!opened)
        return;
    struct control *control = k42_container(opened, struct control, opened);
    control_swaps_forget(control);
    control_hooks_end(control);
    control_policy_end(control);
    answer_forget(control);
    k42_platform_free(control);
}

K42_CLASS(file_control) = {
    .name = "file.control",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &control_ops,
    .fini = control_fini,
    .transfers = control_transfers,
};

static struct k42_pair control_open(struct device *device, uint32_t minor, k42_ref node,
                                    unsigned flags) {
    (void)device, (void)minor;
    return opened_make(&file_control, sizeof(struct control), node, flags, NULL, NULL);
}

void control_register(void) {
    static struct device device = {
        .name = "k42", .major = MAJOR, .minor = MINOR, .mode = 0666, .open = control_open};
    device_register(&device);
}
