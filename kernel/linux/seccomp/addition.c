/*
 * Files that a supervisor adds to the table of a task that asks it (SECCOMP_IOCTL_NOTIF_ADDFD).
 *
 * The asking task puts it there itself, as if it had opened it, so whoever adds waits for the task
 * to say which number it has. He may be interrupted meanwhile: then he takes the addition back, or
 * waits until the task is through with it, which nothing keeps from that. One is added at a time.
 *
 * Fails: -ENOENT, -EINPROGRESS, -EBUSY, -EBADF, -EMFILE, -EINVAL, -ESRCH.
 */
#include "../events/unnamed.h"
#include "../files/files.h"
#include "listeners.h"

#include <linux/fcntl.h>
#include <linux/ioctl.h>

#define HOW_FIRST 24 /* bytes of the first struct seccomp_notif_addfd */

/* ---- the asking task ---- */

static k42_result put(const struct addition *addition) {
    const struct seccomp_notif_addfd *how = &addition->how;
    unsigned flags = how->newfd_flags & O_CLOEXEC ? DESCRIPTOR_CLOSE_ON_EXEC : 0u;
    descriptors_ref table = task_self()->descriptors;
    if (!(how->flags & SECCOMP_ADDFD_FLAG_SETFD))
        return k42_call(table, add, 0, (k42_ref)addition->file, flags, files_limit());
    k42_result result =
        k42_call(table, put, (int)how->newfd, (k42_ref)addition->file, flags, files_limit());
    return result < 0 ? result : (k42_result)how->newfd;
}

void addition_carry_out(struct listener *listener, struct question *question) {
    struct addition *addition = question->addition;
    k42_result result = put(addition);
    k42_lock(&listener->lock);
    question->addition = NULL;
    if (result >= 0 && (addition->how.flags & SECCOMP_ADDFD_FLAG_SEND)) {
        question->answer = (struct seccomp_notif_resp){.val = result};
        question->state = QUESTION_ANSWERED;
    }
    addition->result = result;
    addition->state = ADDITION_OVER;
    k42_unlock(&listener->lock);
    listener_tell(addition, WAIT_READ);
    listener_tell(&listener->first, WAIT_WRITE);
}

bool addition_comes_late(struct addition *addition) {
    if (!addition)
        return false;
    addition->result = -ESRCH;
    addition->state = ADDITION_OVER;
    return true;
}

/* ---- who adds ---- */

static k42_result begin(struct listener *listener, struct addition *addition) {
    k42_result result = 0;
    k42_lock(&listener->lock);
    struct question *question = question_find(listener, addition->how.id);
    if (!question)
        result = -ENOENT;
    else if (question->state != QUESTION_RECEIVED)
        result = -EINPROGRESS;
    else if (question->addition)
        result = addition->how.flags & SECCOMP_ADDFD_FLAG_SEND ? -EBUSY : -K42_WAIT;
    else
        question->addition = addition;
    k42_unlock(&listener->lock);
    if (result >= 0)
        listener_tell(question, WAIT_READ); /* an address: it may be gone */
    return result == -K42_WAIT ? wait_on(WAIT_NO_OBJECT, (uintptr_t)&listener->first, WAIT_WRITE)
                               : result;
}

static k42_result see(struct listener *listener, const struct addition *addition) {
    k42_lock(&listener->lock);
    bool over = addition->state == ADDITION_OVER;
    k42_unlock(&listener->lock);
    return over ? 0 : wait_on(WAIT_NO_OBJECT, (uintptr_t)addition, WAIT_READ);
}

/* False: the task has it by now. */
static bool take_back(struct listener *listener, struct addition *addition) {
    k42_lock(&listener->lock);
    bool takes = addition->state == ADDITION_WAITS;
    if (takes)
        question_find(listener, addition->how.id)->addition = NULL;
    k42_unlock(&listener->lock);
    if (takes)
        listener_tell(&listener->first, WAIT_WRITE);
    return takes;
}

/* The file's hold is the table's when it is 0 or more. */
static k42_result pass(struct listener *listener, struct addition *addition) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0, begin(listener, addition));
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, 0, see(listener, addition));
    if (result < 0 && take_back(listener, addition))
        return result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, see(listener, addition));
    return addition->result;
}

static k42_result read_how(struct seccomp_notif_addfd *how, uintptr_t from, size_t size) {
    if (size < HOW_FIRST || size >= FRAME_SIZE)
        return -EINVAL;
    _Static_assert(sizeof *how == HOW_FIRST, "there is none that is longer");
    k42_result result = files_check_rest(from + sizeof *how, size - sizeof *how);
    if (result >= 0)
        result = files_copy_in(how, from, sizeof *how);
    if (result < 0)
        return result;
    const uint32_t known = SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND;
    if ((how->newfd_flags & ~(uint32_t)O_CLOEXEC) || (how->flags & ~known) ||
        (how->newfd && !(how->flags & SECCOMP_ADDFD_FLAG_SETFD)))
        return -EINVAL;
    return 0;
}

static k42_result add_to(struct listener *listener, uintptr_t from, size_t size) {
    struct addition addition = {.state = ADDITION_WAITS};
    k42_result result = read_how(&addition.how, from, size);
    if (result >= 0)
        result = files_get((int)addition.how.srcfd, &addition.file);
    if (result >= 0 && k42_call(addition.file, hold) < 0)
        result = -EBADF;
    if (result < 0)
        return result;
    result = pass(listener, &addition);
    if (result < 0)
        (void)!k42_call(addition.file, release);
    return result;
}

static k42_result add_file(file_ref file, unsigned request, uintptr_t argument) {
    struct listener *listener;
    k42_result result = k42_call(file, control, FILE_LOOK, (uintptr_t)&listener);
    if (result < 0)
        return result;
    result = add_to(listener, argument, _IOC_SIZE(request));
    listener_release(listener);
    return linux_result(result, -EBADF);
}

void seccomp_register(void) {
    files_add_elsewhere = add_file;
}
