/*
 * The file of userfaultfd: reading gives as many messages as there are and fit, one reader at a
 * time (offset_take()). See faults.h.
 *
 * A message is copied before its fault is taken, which fails when that was woken meanwhile; then
 * the next one is copied over it.
 *
 * Descriptors and calls are its users, with the last of which it is closed; mappings that name it
 * only keep it from going. So a mapping's ref of it means nothing else, however late it is used.
 *
 * Data: `faults`. Format: file.faults, by pointer. Fails: -EINVAL, until UFFDIO_API was called.
 */
#include "../../../fs/file.h"
#include "../../files/files.h"
#include "faults.h"

#define FAULTS(self) k42_container(OPENED(self), struct faults, opened)

/* By who has the file. How many bytes, 0: there is nothing to be read. */
static k42_result read_messages(struct faults *faults, struct copy *copy) {
    struct uffd_msg message;
    k42_result done = 0;
    uint64_t number;
    while (copy->left >= sizeof message && (number = faults_first(faults, &message))) {
        struct copy ahead = *copy;
        k42_result result = unnamed_copy_out(&ahead, &message, sizeof message);
        if (result < 0)
            return done ? done : result;
        if (!faults_take(faults, number))
            continue;
        *copy = ahead;
        done += (k42_result)sizeof message;
    }
    return done;
}

static k42_result faults_read(struct file *self, int64_t offset, struct copy *copy) {
    struct faults *faults = FAULTS(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (!faults_features(faults) || copy->left < sizeof(struct uffd_msg))
        return -EINVAL;
    k42_result result = offset_take(&faults->opened);
    if (result < 0)
        return result;
    result = read_messages(faults, copy);
    offset_leave(&faults->opened);
    return result ? result : unnamed_wait(&faults->opened, WAIT_READ);
}

/* That it can be read says nothing of when it is read; so only who does not block may poll. */
static k42_result faults_poll(struct file *self, struct file_poll *poll) {
    struct faults *faults = FAULTS(self);
    struct uffd_msg message;
    bool blocks = !(__atomic_load_n(&faults->opened.flags, __ATOMIC_RELAXED) & OPEN_NON_BLOCKING);
    unnamed_poll(&faults->opened, poll);
    if (blocks || !faults_features(faults))
        return FILE_ERROR;
    return faults_first(faults, &message) ? FILE_READABLE | FILE_NO_BANDS : 0;
}

/* ---- holds ---- */

static k42_result faults_hold(struct file *self) {
    struct faults *faults = FAULTS(self);
    uint32_t users = __atomic_load_n(&faults->users, __ATOMIC_RELAXED);
    do
        if (!users)
            return -K42_STALE;
    while (!__atomic_compare_exchange_n(&faults->users, &users, users + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED));
    return opened_hold(self);
}

static k42_result faults_release(struct file *self) {
    struct faults *faults = FAULTS(self);
    if (!__atomic_sub_fetch(&faults->users, 1, __ATOMIC_ACQ_REL))
        faults_close(faults);
    return opened_release(self);
}

/* A mapping that names it begins or ends. */
static k42_result watched(struct file *self, bool begins) {
    struct faults *faults = FAULTS(self);
    if (begins) {
        k42_result result = opened_hold(self);
        if (result >= 0)
            __atomic_add_fetch(&faults->watched, 1, __ATOMIC_ACQ_REL);
        return result;
    }
    __atomic_sub_fetch(&faults->watched, 1, __ATOMIC_ACQ_REL);
    return opened_release(self);
}

/* ---- the class ---- */

static k42_result faults_request(struct file *self, unsigned request, uintptr_t argument) {
    struct faults *faults = FAULTS(self);
    switch (request) {
    case FILE_KIND:
        return FILE_OF_FAULTS;
    case FILE_LOOK:
        *(struct faults **)argument = faults;
        return 0;
    case FILE_WATCHED:
        return watched(self, argument);
    case FILE_PAGE_MISSING:
        return faults_missing(faults, (const struct file_page_missing *)argument);
    default:
        return -EINVAL;
    }
}

static const struct file_ops faults_ops = {
    .object.describe = opened_describe,
    .hold = faults_hold,
    .release = faults_release,
    .node = unnamed_node,
    .set_place = opened_set_place,
    .place = opened_place,
    .flags = opened_flags,
    .set_flags = opened_set_flags,
    .settle = file_settled,
    .list = file_no_list,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
    .read = faults_read,
    .write = file_no_write,
    .control = faults_request,
    .poll = faults_poll,
    .seek = unnamed_seek,
};

static const struct k42_format faults_format = {"file.faults", 1, 1};
static const struct k42_transfer faults_transfers[] = BODY_TRANSFERS(faults_format);

K42_CLASS(file_faults) = {
    .name = "file.faults",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &faults_ops,
    .fini = opened_fini,
    .transfers = faults_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    struct faults *faults = k42_container(opened, struct faults, opened);
    faults->users = 1;
    faults->space = task_self()->space;
    faults->pid = task_self()->pid;
    faults->program_only = *(const bool *)context;
    return 0;
}

k42_result faults_file_open(unsigned flags, bool program_only) {
    return unnamed_open(&file_faults, sizeof(struct faults), flags, set_up, &program_only);
}
