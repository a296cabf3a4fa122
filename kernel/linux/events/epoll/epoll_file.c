/*
 * The open file that stands before epoll's interests: a descriptor leads to it. It is readable when
 * anything is ready, and can itself be watched.
 *
 * Data: the set, constant; it goes with the last hold. Format: file.epoll, by pointer.
 */
#include "../unnamed.h"
#include "epoll.h"

struct set_file {
    struct opened opened;
    epoll_ref set;
};

#define SET_FILE(self) k42_container(OPENED(self), struct set_file, opened)

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result set_poll(struct file *self, struct file_poll *poll) {
    epoll_ref set = SET_FILE(self)->set;
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(set), .key = EPOLL_READY};
    return k42_call(set, ready) > 0 ? FILE_READABLE : 0;
}

static k42_result set_control(struct file *self, unsigned request, uintptr_t argument) {
    (void)argument;
    if (request == FILE_KIND)
        return FILE_OF_POLL;
    return request == FILE_OBJECT ? (k42_result)k42_id_of(SET_FILE(self)->set) : -ENOTTY;
}

static void ended(struct opened *opened) {
    (void)!k42_destroy((k42_ref)k42_container(opened, struct set_file, opened)->set);
}

static const struct file_ops set_ops = {
    UNNAMED_METHODS,        .read = no_bytes, .write = no_bytes,
    .control = set_control, .poll = set_poll, .seek = unnamed_seek,
};

static const struct k42_format set_format = {"file.epoll", 1, 1};
static const struct k42_transfer set_transfers[] = BODY_TRANSFERS(set_format);

K42_CLASS(file_epoll) = {
    .name = "file.epoll",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &set_ops,
    .fini = opened_fini,
    .transfers = set_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct set_file, opened)->set = *(const epoll_ref *)context;
    opened->ended = ended;
    return 0;
}

struct k42_pair epoll_file(epoll_ref epoll, unsigned flags) {
    return opened_make(&file_epoll, sizeof(struct set_file), K42_NULL_REF, OPEN_READ_WRITE | flags,
                       set_up, &epoll);
}
