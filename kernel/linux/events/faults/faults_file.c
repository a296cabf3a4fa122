/*
 * The file of userfaultfd: reading gives as many messages as there are and fit, one reader at a
 * time (offset_take()). See faults.h.
 *
 * A message is copied before its fault is taken, which fails when that was woken meanwhile; then
 * the next one is copied over it.
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

static k42_result faults_request(struct file *self, unsigned request, uintptr_t argument) {
    struct faults *faults = FAULTS(self);
    switch (request) {
    case FILE_KIND:
        return FILE_OF_FAULTS;
    case FILE_LOOK:
        *(struct faults **)argument = faults;
        return 0;
    case FILE_PAGE_MISSING:
        return faults_missing(faults, (const struct file_page_missing *)argument);
    default:
        return -EINVAL;
    }
}

static const struct file_ops faults_ops = {
    UNNAMED_METHODS,           .read = faults_read, .write = file_no_write,
    .control = faults_request, .poll = faults_poll, .seek = unnamed_seek,
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

static void ended(struct opened *opened) {
    faults_close(k42_container(opened, struct faults, opened));
}

static k42_result set_up(struct opened *opened, void *context) {
    struct faults *faults = k42_container(opened, struct faults, opened);
    faults->space = task_self()->space;
    faults->program_only = *(const bool *)context;
    opened->ended = ended;
    return 0;
}

k42_result faults_file_open(unsigned flags, bool program_only) {
    return unnamed_open(&file_faults, sizeof(struct faults), flags, set_up, &program_only);
}
