/*
 * Who is asked in a filter's stead: a descriptor from which a supervisor receives what others are
 * about to call, and by which it answers (SECCOMP_RET_USER_NOTIF). See listeners.h.
 *
 * What is received is marked before it is copied, and unmarked when that fails, so two supervisors
 * never have the same question. Reading and writing fail (-EINVAL).
 *
 * Format: file.listener, by pointer. Fails: -ENOENT, -EINPROGRESS, -EINVAL, -ENOMEM.
 */
#include "../../mem/heap/heap.h"
#include "../events/unnamed.h"
#include "../files/files.h"
#include "listeners.h"

#include <linux/ioctl.h>

bool listener_hold(struct listener *listener) {
    uint32_t references = __atomic_load_n(&listener->references, __ATOMIC_RELAXED);
    while (references)
        if (__atomic_compare_exchange_n(&listener->references, &references, references + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    return false;
}

static void free_listener(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct listener, defer));
}

void listener_release(struct listener *listener) {
    if (!__atomic_sub_fetch(&listener->references, 1, __ATOMIC_ACQ_REL))
        k42_defer(&listener->defer, free_listener);
}

void listener_leave(struct listener *listener) {
    if (!listener)
        return;
    k42_lock(&listener->lock);
    listener->abandoned = true;
    k42_unlock(&listener->lock);
    listener_tell(listener, WAIT_READ | WAIT_HANGUP);
    listener_release(listener);
}

struct question *question_find(const struct listener *listener, uint64_t id) {
    struct question *question = listener->first;
    while (question && question->id != id)
        question = question->next;
    return question;
}

/* ---- asking ---- */

static void begin(struct listener *listener, struct question *question) {
    k42_lock(&listener->lock);
    question->id = ++listener->last_id;
    question->place = listener->end;
    *listener->end = question;
    listener->end = &question->next;
    k42_unlock(&listener->lock);
    listener_tell(listener, WAIT_READ);
}

static void end(struct listener *listener, struct question *question) {
    k42_lock(&listener->lock);
    *question->place = question->next;
    if (question->next)
        question->next->place = question->place;
    else
        listener->end = question->place;
    const struct addition *addition = question->addition;
    bool tells = addition_comes_late(question->addition);
    k42_unlock(&listener->lock);
    if (tells)
        listener_tell(addition, WAIT_READ);
}

/* What is to be done: 0, it is answered; 1, a file is to be added. */
static k42_result look(struct listener *listener, const struct question *question) {
    k42_lock(&listener->lock);
    k42_result result = -K42_WAIT;
    if (question->addition) {
        question->addition->state = ADDITION_TAKEN;
        result = 1;
    } else if (question->state == QUESTION_ANSWERED) {
        result = 0;
    } else if (listener->closed) {
        result = -ENOSYS;
    }
    k42_unlock(&listener->lock);
    return result == -K42_WAIT ? wait_on(WAIT_NO_OBJECT, (uintptr_t)question, WAIT_READ) : result;
}

static bool is_patient(struct listener *listener, const struct question *question) {
    k42_lock(&listener->lock);
    bool is = listener->patient && question->state == QUESTION_RECEIVED;
    k42_unlock(&listener->lock);
    return is;
}

/* A signal that comes before the question is received ends the wait, and one that comes afterwards
 * only that of a listener that is not patient. */
static k42_result wait_for_answer(struct listener *listener, struct question *question) {
    for (unsigned how = 0;;) {
        k42_result result;
        WAIT_CALL(result, WAIT_FOREVER, how, look(listener, question));
        if (result == 1)
            addition_carry_out(listener, question);
        else if (result == -EINTR && !how && is_patient(listener, question))
            how = WAIT_KILLABLE;
        else
            return result;
    }
}

bool listener_allows(struct listener *listener, const struct seccomp_data *data,
                     k42_result *result) {
    struct question question = {.tid = task_self()->tid, .data = data};
    begin(listener, &question);
    k42_result got = wait_for_answer(listener, &question);
    end(listener, &question);
    const struct seccomp_notif_resp *answer = &question.answer;
    *result = got < 0 ? linux_result(got, -ENOSYS) : answer->error ? answer->error : answer->val;
    return got >= 0 && (answer->flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE);
}

/* ---- the supervisor's side ---- */

struct listener_file {
    struct opened opened;
    struct listener *listener; /* held */
};

#define LISTENER(self) (k42_container(OPENED(self), struct listener_file, opened)->listener)

/* Marks the first new one as received. */
static k42_result take(struct listener *listener, struct seccomp_notif *to) {
    k42_lock(&listener->lock);
    k42_result result = listener->abandoned ? -ENOENT : -K42_WAIT;
    struct question *at = listener->first;
    while (at && at->state != QUESTION_NEW)
        at = at->next;
    if (at) {
        at->state = QUESTION_RECEIVED;
        *to = (struct seccomp_notif){.id = at->id, .pid = (uint32_t)at->tid, .data = *at->data};
        result = 0;
    }
    k42_unlock(&listener->lock);
    return result == -K42_WAIT ? listener_wait(listener) : result;
}

static void give_back(struct listener *listener, uint64_t id) {
    k42_lock(&listener->lock);
    struct question *question = question_find(listener, id);
    if (question && question->state == QUESTION_RECEIVED)
        question->state = QUESTION_NEW;
    k42_unlock(&listener->lock);
    listener_tell(listener, WAIT_READ);
}

static bool is_zero(const void *bytes, size_t size) {
    const char *at = bytes;
    while (size && !*at)
        at++, size--;
    return !size;
}

static k42_result receive(struct listener *listener, uintptr_t argument) {
    struct seccomp_notif told;
    struct copy from = copy_of_user(argument, sizeof told);
    struct copy to = from;
    k42_result result = unnamed_copy_in(&from, &told, sizeof told);
    if (result >= 0)
        result = is_zero(&told, sizeof told) ? take(listener, &told) : -EINVAL;
    if (result < 0)
        return result;
    listener_tell(listener, WAIT_WRITE);
    result = unnamed_copy_out(&to, &told, sizeof told);
    if (result < 0)
        give_back(listener, told.id);
    return result;
}

static k42_result answer(struct listener *listener, uintptr_t argument) {
    struct seccomp_notif_resp answer;
    struct copy from = copy_of_user(argument, sizeof answer);
    k42_result result = unnamed_copy_in(&from, &answer, sizeof answer);
    if (result < 0)
        return result;
    bool goes_on = answer.flags & SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    if ((answer.flags & ~(uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE) ||
        (goes_on && (answer.error || answer.val)))
        return -EINVAL;
    k42_lock(&listener->lock);
    struct question *question = question_find(listener, answer.id);
    result = !question ? -ENOENT : question->state != QUESTION_RECEIVED ? -EINPROGRESS : 0;
    if (result >= 0) {
        question->answer = answer;
        question->state = QUESTION_ANSWERED;
    }
    k42_unlock(&listener->lock);
    if (result >= 0)
        listener_tell(question, WAIT_READ); /* an address: it may be gone */
    return result;
}

static k42_result is_asked(struct listener *listener, uintptr_t argument) {
    uint64_t id;
    struct copy from = copy_of_user(argument, sizeof id);
    k42_result result = unnamed_copy_in(&from, &id, sizeof id);
    if (result < 0)
        return result;
    k42_lock(&listener->lock);
    const struct question *question = question_find(listener, id);
    result = question && question->state == QUESTION_RECEIVED ? 0 : -ENOENT;
    k42_unlock(&listener->lock);
    return result;
}

#define WRONG_DIRECTION SECCOMP_IOR(2, __u64) /* as SECCOMP_IOCTL_NOTIF_ID_VALID was at first */

static k42_result listener_control(struct file *self, unsigned request, uintptr_t argument) {
    switch (request) {
    case FILE_KIND:
        return FILE_OF_LISTENER;
    case FILE_LOOK:
        *(struct listener **)argument = LISTENER(self);
        return listener_hold(LISTENER(self)) ? 0 : -K42_STALE;
    case SECCOMP_IOCTL_NOTIF_RECV:
        return receive(LISTENER(self), argument);
    case SECCOMP_IOCTL_NOTIF_SEND:
        return answer(LISTENER(self), argument);
    case SECCOMP_IOCTL_NOTIF_ID_VALID:
    case WRONG_DIRECTION:
        return is_asked(LISTENER(self), argument);
    default:
        return -EINVAL;
    }
}

static k42_result listener_poll(struct file *self, struct file_poll *poll) {
    struct listener *listener = LISTENER(self);
    k42_result ready = 0;
    if (poll)
        *poll = (struct file_poll){.object = WAIT_NO_OBJECT, .key = (uintptr_t)listener};
    k42_lock(&listener->lock);
    for (const struct question *at = listener->first; at; at = at->next)
        ready |= at->state == QUESTION_NEW        ? FILE_READABLE
                 : at->state == QUESTION_RECEIVED ? FILE_WRITABLE
                                                  : 0;
    if (listener->abandoned)
        ready |= FILE_HANG_UP;
    k42_unlock(&listener->lock);
    return ready;
}

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static const struct file_ops listener_ops = {
    UNNAMED_METHODS,       .read = no_bytes,     .write = no_bytes, .control = listener_control,
    .poll = listener_poll, .seek = file_no_seek,
};

static const struct k42_format listener_format = {"file.listener", 1, 1};
static const struct k42_transfer listener_transfers[] = BODY_TRANSFERS(listener_format);

K42_CLASS(file_listener) = {
    .name = "file.listener",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &listener_ops,
    .fini = opened_fini,
    .transfers = listener_transfers,
};

/* Who waits for an answer gets none. */
static void closed(struct opened *opened) {
    struct listener *listener = k42_container(opened, struct listener_file, opened)->listener;
    k42_lock(&listener->lock);
    listener->closed = true;
    for (const struct question *at = listener->first; at; at = at->next)
        listener_tell(at, WAIT_READ);
    k42_unlock(&listener->lock);
    listener_release(listener);
}

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct listener_file, opened)->listener = context;
    opened->ended = closed;
    return 0;
}

k42_result listener_open(unsigned flags, struct listener **made) {
    struct listener *listener = heap_allocate_zeroed(sizeof *listener);
    if (!listener)
        return -ENOMEM;
    listener->references = 2;
    listener->end = &listener->first;
    listener->patient = flags & SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    struct k42_pair file = opened_make(&file_listener, sizeof(struct listener_file), K42_NULL_REF,
                                       OPEN_READ_WRITE, set_up, listener);
    if (file.result < 0) {
        heap_free(listener);
        return file.result;
    }
    k42_result fd = files_add((file_ref)file.word, OPEN_CLOSE_ON_EXEC);
    if (fd < 0)
        listener_release(listener); /* the file has let it go */
    else
        *made = listener;
    return fd;
}
