/*
 * inotify's open file: reading gives the events that wait, as many as fit.
 *
 * One call at a time reads, or changes what is watched (offset_take()). An event is copied before
 * it is taken off the list, so a page that has to be waited for loses none.
 *
 * Who tells an event uses the body without the object, under the lock of the table of watched
 * nodes; so with the last hold all watches end, and what is left is freed with the body, a grace
 * period later. Format: file.changes, by pointer. Fails: -EINVAL, -ENOTTY, -EFAULT.
 */
#include "../../files/files.h"
#include "../../process/users.h"
#include "changes.h"
#include "platform.h"

#include <errno.h>
#include <string.h>

enum { CONTROL_BYTES = 0x541b };

#define CHANGES(self) k42_container(OPENED(self), struct changes, opened)

static k42_result copy_event(struct copy *copy, const struct event *event) {
    struct {
        int32_t watch;
        uint32_t what, cookie, length;
        char name[NODE_NAME_MAX + 1];
    } told = {event->watch, event->what, event->cookie, 0, {0}};
    size_t size = event_size(event);
    told.length = (uint32_t)(size - offsetof(typeof(told), name));
    memcpy(told.name, event_name(event), event->length);
    return unnamed_copy_out(copy, &told, size);
}

/* By who has the file. 0: none waits. */
static k42_result read_events(struct changes *changes, struct copy *copy) {
    k42_result done = 0, result = 0;
    struct event *event;
    while (result >= 0 && (event = events_first(changes))) {
        size_t size = event_size(event);
        result = size > copy->left ? -EINVAL : copy_event(copy, event);
        if (result >= 0 || result == -EFAULT) /* which loses it, as on Linux */
            events_take(changes);
        if (result < 0)
            break;
        done += (k42_result)size;
    }
    return done ? done : result;
}

/* ---- methods ---- */

static k42_result changes_read(struct file *self, int64_t offset, struct copy *copy) {
    struct changes *changes = CHANGES(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    k42_result result = offset_take(&changes->opened);
    if (result < 0)
        return result;
    result = read_events(changes, copy);
    offset_leave(&changes->opened);
    return result ? result : unnamed_wait(&changes->opened, WAIT_READ);
}

static k42_result changes_poll(struct file *self, struct file_poll *poll) {
    struct changes *changes = CHANGES(self);
    unnamed_poll(&changes->opened, poll);
    return events_first(changes) ? FILE_READABLE : 0;
}

static k42_result set(struct changes *changes, const struct changes_request *request) {
    k42_result result = offset_take(&changes->opened);
    if (result < 0)
        return result;
    result =
        request->node ? watches_add(changes, request) : watches_remove(changes, request->number);
    offset_leave(&changes->opened);
    return result;
}

static k42_result changes_control(struct file *self, unsigned request, uintptr_t argument) {
    struct changes *changes = CHANGES(self);
    if (request == FILE_KIND)
        return FILE_OF_CHANGES;
    if (request == FILE_SET)
        return set(changes, (const struct changes_request *)argument);
    if (request != CONTROL_BYTES)
        return -ENOTTY;
    int32_t bytes = (int32_t)events_bytes(changes);
    struct copy copy = copy_of_user(argument, sizeof bytes);
    return unnamed_copy_out(&copy, &bytes, sizeof bytes);
}

static const struct file_ops changes_ops = {
    UNNAMED_METHODS,      .read = changes_read, .write = file_no_write, .control = changes_control,
    .poll = changes_poll, .seek = unnamed_seek,
};

/* ---- beginning and end ---- */

static void closed(struct opened *opened) {
    struct changes *changes = k42_container(opened, struct changes, opened);
    watches_close(changes);
    user_remove_thing(changes->uid, USER_CHANGES);
}

static void fini(struct k42_root *root) {
    struct opened *opened = body_of_root(root);
    if (opened) {
        struct changes *changes = k42_container(opened, struct changes, opened);
        events_end(changes);
        k42_platform_free(changes->by_number);
    }
    opened_fini(root);
}

static const struct k42_format changes_format = {"file.changes", 1, 1};
static const struct k42_transfer changes_transfers[] = BODY_TRANSFERS(changes_format);

K42_CLASS(file_changes) = {
    .name = "file.changes",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &changes_ops,
    .fini = fini,
    .transfers = changes_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    struct changes *changes = k42_container(opened, struct changes, opened);
    changes->uid = *(const uint32_t *)context;
    events_begin(changes);
    opened->ended = closed;
    return 0;
}

k42_result changes_file_open(unsigned flags) {
    uint32_t uid = task_self()->credentials->euid;
    k42_result result = user_add_thing(uid, USER_CHANGES, CHANGES_MOST);
    if (result < 0)
        return result == -EAGAIN ? -EMFILE : result;
    struct k42_pair file = opened_make(&file_changes, sizeof(struct changes), K42_NULL_REF,
                                       flags & OPEN_NON_BLOCKING, set_up, &uid);
    if (file.result >= 0)
        return files_add((file_ref)file.word, flags);
    user_remove_thing(uid, USER_CHANGES);
    return file.result;
}
