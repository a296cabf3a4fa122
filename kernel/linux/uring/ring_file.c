/*
 * The open file that leads to a ring: what is mapped, and what is polled. See ring.h.
 *
 * Data: the ring, constant. Mappings hold the file, requests do not: when neither a descriptor nor
 * a mapping is left, nobody learns what becomes of them any more, and they are ended. Format:
 * file.uring, by pointer. Fails: -EINVAL.
 */
#include "../events/unnamed.h"
#include "request.h"

struct ring_file {
    struct opened opened;
    struct ring *ring;
};

#define RING_FILE(self) k42_container(OPENED(self), struct ring_file, opened)

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result ring_poll(struct file *self, struct file_poll *poll) {
    struct ring *ring = RING_FILE(self)->ring;
    if (poll)
        *poll = (struct file_poll){.object = ring->self, .key = RING_DATA};
    return (k42_result)uring_readiness(ring);
}

/* Both rings are in one range of the memory, and the entries behind it. */
static k42_result page_of(const struct ring *ring, uint64_t offset) {
    enum { PAGE = 4096 };
    switch (offset & IORING_OFF_MMAP_MASK) {
    case IORING_OFF_SQ_RING:
    case IORING_OFF_CQ_RING:
        return 0;
    case IORING_OFF_SQES:
        return (k42_result)(ring->sqes_at / PAGE);
    default:
        return -EINVAL;
    }
}

static k42_result ring_control(struct file *self, unsigned request, uintptr_t argument) {
    struct ring *ring = RING_FILE(self)->ring;
    switch (request) {
    case FILE_KIND:
        return FILE_OF_RING;
    case FILE_LOOK:
        *(struct ring **)argument = ring;
        return 0;
    case FILE_MAP_PAGE:
        return page_of(ring, argument);
    default:
        return -ENOTTY;
    }
}

static k42_result ring_map(struct file *self, struct file_map *map) {
    *map = (struct file_map){.fcm = RING_FILE(self)->ring->fcm,
                             .first = FILE_MAP_ASKS,
                             .most = SPACE_READ | SPACE_WRITE};
    return 0;
}

static const struct file_ops ring_ops = {
    .object.describe = opened_describe,
    .hold = opened_hold,
    .release = opened_release,
    .node = unnamed_node,
    .set_place = opened_set_place,
    .place = opened_place,
    .flags = opened_flags,
    .set_flags = opened_set_flags,
    .settle = file_settled,
    .list = file_no_list,
    .map = ring_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
    .read = no_bytes,
    .write = no_bytes,
    .control = ring_control,
    .poll = ring_poll,
    .seek = unnamed_seek,
};

static const struct k42_format ring_format = {"file.uring", 1, 1};
static const struct k42_transfer ring_transfers[] = BODY_TRANSFERS(ring_format);

K42_CLASS(file_uring) = {
    .name = "file.uring",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &ring_ops,
    .fini = opened_fini,
    .transfers = ring_transfers,
};

static void ended(struct opened *opened) {
    struct ring *ring = k42_container(opened, struct ring_file, opened)->ring;
    requests_end(ring);
    uring_release(ring);
}

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct ring_file, opened)->ring = context;
    opened->ended = ended;
    return 0;
}

struct k42_pair uring_file_make(struct ring *ring) {
    struct k42_pair file = opened_make(&file_uring, sizeof(struct ring_file), K42_NULL_REF,
                                       OPEN_READ_WRITE | OPEN_CLOSE_ON_EXEC, set_up, ring);
    if (file.result >= 0)
        ring->self = k42_id_of((file_ref)file.word);
    return file;
}

k42_result uring_get(int fd, file_ref *file, struct ring **ring) {
    k42_result result = files_get(fd, file);
    if (result < 0)
        return result;
    if (k42_call(*file, control, FILE_KIND, 0) != FILE_OF_RING)
        return k42_call(*file, flags) & OPEN_PATH ? -EBADF : -EOPNOTSUPP;
    if (k42_call(*file, control, FILE_LOOK, (uintptr_t)ring) < 0 || k42_call(*file, hold) < 0)
        return -EBADF;
    return 0;
}
