/*
 * io_uring_register: files, buffers and an eventfd that a ring is told of once.
 *
 * Registered files are a table of descriptors of the ring's own; who uses one holds the table. A
 * registered buffer is a range of the program's memory whose pages were there when it was
 * registered; it is looked at by its addresses each time, so what the program unmaps is gone. With
 * the ring taken. Fails: -EBUSY, -ENXIO, -EFAULT, -EBADF, -EINVAL, -EMFILE, -ENOMEM.
 */
#include "request.h"

#include "../../arch/x86_64/user_copy.h"
#include "../../mem/heap/heap.h"
#include "../program.h"

#include <k42/k42.h>

#define PAGE         4096ul
#define BUFFERS_MOST 16384u
#define BUFFER_MOST  (1ul << 30)
#define FILES_MOST   32768u

/* ---- buffers ---- */

static k42_result check_buffer(const struct ring_range *buffer) {
    if (!buffer->start && !buffer->length)
        return 0;
    if (!buffer->start || !buffer->length || buffer->length > BUFFER_MOST ||
        !user_range_ok(buffer->start, buffer->length))
        return -EFAULT;
    k42_result result = 0;
    for (uintptr_t at = buffer->start & ~(PAGE - 1);
         at < buffer->start + buffer->length && result >= 0; at += PAGE) {
        result = program_fault(at, SPACE_ACCESS_WRITE);
        k42_safe_point();
    }
    return result < 0 ? -EFAULT : 0;
}

static k42_result register_buffers(struct ring *ring, uintptr_t from, uint32_t count) {
    if (ring->buffers)
        return -EBUSY;
    if (!count || count > BUFFERS_MOST)
        return -EINVAL;
    struct ring_range *buffers = heap_allocate_zeroed(count * sizeof *buffers);
    if (!buffers)
        return -ENOMEM;
    k42_result result = files_copy_in(buffers, from, count * sizeof *buffers);
    for (uint32_t i = 0; i < count && result >= 0; i++)
        result = check_buffer(&buffers[i]);
    if (result < 0) {
        heap_free(buffers);
        return result;
    }
    ring->buffers = buffers;
    ring->buffer_count = count;
    return 0;
}

static k42_result forget_buffers(struct ring *ring) {
    if (!ring->buffers)
        return -ENXIO;
    heap_free(ring->buffers);
    ring->buffers = NULL;
    ring->buffer_count = 0;
    return 0;
}

/* ---- files ---- */

enum { NO_FILE = -1, SKIPPED = IORING_REGISTER_FILES_SKIP };

static k42_result put_file(struct ring *ring, descriptors_ref table, uint32_t at, int fd) {
    file_ref file;
    struct k42_pair before = k42_call(table, take, (int)at);
    if (before.result >= 0)
        (void)!k42_call((file_ref)before.word, release);
    if (fd == NO_FILE)
        return 0;
    k42_result result = files_get(fd, &file);
    if (result < 0 || k42_id_of(file) == ring->self || k42_call(file, hold) < 0)
        return -EBADF; /* a ring that held itself would never end */
    result = k42_call(table, put, (int)at, (k42_ref)file, 0, (int)FILES_MOST);
    if (result < 0)
        (void)!k42_call(file, release);
    return result < 0 ? result : 0;
}

/* How many of them; an error only when that is none. */
static k42_result put_files(struct ring *ring, descriptors_ref table, uint32_t first,
                            uintptr_t from, uint32_t count) {
    k42_result result = 0;
    uint32_t done = 0;
    for (; done < count && result >= 0; done++) {
        int32_t fd;
        result = files_copy_in(&fd, from + done * sizeof fd, sizeof fd);
        if (result >= 0 && fd != SKIPPED)
            result = put_file(ring, table, first + done, fd);
        if (result < 0)
            break;
        k42_safe_point();
    }
    return done ? (k42_result)done : result;
}

void uring_forget_files(struct ring *ring) {
    if (k42_id_of(ring->files))
        (void)!k42_call(ring->files, release);
    ring->files = (descriptors_ref)K42_NULL_REF;
    ring->file_count = 0;
}

static k42_result register_files(struct ring *ring, uintptr_t from, uint32_t count) {
    descriptors_ref table;
    if (k42_id_of(ring->files))
        return -EBUSY;
    if (!count)
        return -EINVAL;
    if (count > FILES_MOST || count > (uint32_t)files_limit())
        return -EMFILE;
    k42_result result = descriptors_make(&table);
    if (result < 0)
        return result;
    for (uint32_t i = 0; i < count && result >= 0; i++) {
        int32_t fd;
        result = files_copy_in(&fd, from + i * sizeof fd, sizeof fd);
        if (result >= 0)
            result = put_file(ring, table, i, fd);
    }
    if (result < 0) {
        (void)!k42_call(table, release);
        return result;
    }
    ring->files = table;
    ring->file_count = count;
    return 0;
}

static k42_result update_files(struct ring *ring, uintptr_t from, uint32_t count) {
    struct io_uring_files_update what;
    if (!count)
        return -EINVAL;
    k42_result result = files_copy_in(&what, from, sizeof what);
    if (result < 0 || what.resv)
        return result < 0 ? result : -EINVAL;
    if (!k42_id_of(ring->files))
        return -ENXIO;
    if (what.offset + count < count)
        return -EOVERFLOW;
    if (what.offset + count > ring->file_count)
        return -EINVAL;
    return put_files(ring, ring->files, what.offset, what.fds, count);
}

static k42_result forget_files(struct ring *ring) {
    if (!k42_id_of(ring->files))
        return -ENXIO;
    uring_forget_files(ring);
    return 0;
}

/* ---- an eventfd ---- */

static k42_result register_counter(struct ring *ring, uintptr_t from, uint32_t count, bool async) {
    int32_t fd;
    file_ref file;
    if (count != 1)
        return -EINVAL;
    if (ring->counter)
        return -EBUSY;
    k42_result result = files_copy_in(&fd, from, sizeof fd);
    if (result >= 0)
        result = files_get(fd, &file);
    if (result < 0)
        return result;
    if (k42_call(file, control, FILE_KIND, 0) != FILE_OF_COUNTER)
        return -EINVAL;
    if (k42_call(file, hold) < 0)
        return -EBADF;
    (void)uring_set_counter(ring, (k42_ref)file, async);
    return 0;
}

static k42_result forget_counter(struct ring *ring) {
    k42_ref before = uring_set_counter(ring, K42_NULL_REF, false);
    if (!before)
        return -ENXIO;
    (void)!k42_call((file_ref)before, release);
    return 0;
}

/* ---- what there is ---- */

static k42_result probe(uintptr_t to, uint32_t count) {
    struct io_uring_probe head = {.last_op = IORING_OP_LAST - 1};
    if (!to || count > 256)
        return -EINVAL;
    count = count < IORING_OP_LAST ? count : IORING_OP_LAST;
    struct io_uring_probe asked;
    k42_result result = files_copy_in(&asked, to, sizeof asked);
    if (result >= 0 && (asked.last_op || asked.ops_len || asked.resv))
        return -EINVAL;
    head.ops_len = (uint8_t)count;
    if (result >= 0)
        result = files_copy_out(to, &head, sizeof head);
    for (uint32_t i = 0; i < count && result >= 0; i++) {
        struct io_uring_probe_op op = {
            .op = (uint8_t)i, .flags = operation_find((uint8_t)i) ? IO_URING_OP_SUPPORTED : 0};
        result = files_copy_out(to + sizeof head + i * sizeof op, &op, sizeof op);
    }
    return result;
}

static k42_result enable(struct ring *ring) {
    if (!(ring->flags & IORING_SETUP_R_DISABLED))
        return -EBADFD;
    __atomic_fetch_and(&ring->flags, ~IORING_SETUP_R_DISABLED, __ATOMIC_RELAXED);
    return 0;
}

/* ---- the call ---- */

static k42_result without_argument(struct ring *ring, uintptr_t argument, uint32_t count,
                                   k42_result (*fn)(struct ring *ring)) {
    return argument || count ? -EINVAL : fn(ring);
}

static k42_result carry_out(struct ring *ring, unsigned what, uintptr_t argument, uint32_t count) {
    switch (what) {
    case IORING_REGISTER_BUFFERS:
        return argument ? register_buffers(ring, argument, count) : -EFAULT;
    case IORING_UNREGISTER_BUFFERS:
        return without_argument(ring, argument, count, forget_buffers);
    case IORING_REGISTER_FILES:
        return argument ? register_files(ring, argument, count) : -EFAULT;
    case IORING_UNREGISTER_FILES:
        return without_argument(ring, argument, count, forget_files);
    case IORING_REGISTER_FILES_UPDATE:
        return update_files(ring, argument, count);
    case IORING_REGISTER_EVENTFD:
    case IORING_REGISTER_EVENTFD_ASYNC:
        return register_counter(ring, argument, count, what == IORING_REGISTER_EVENTFD_ASYNC);
    case IORING_UNREGISTER_EVENTFD:
        return without_argument(ring, argument, count, forget_counter);
    case IORING_REGISTER_PROBE:
        return probe(argument, count);
    case IORING_REGISTER_ENABLE_RINGS:
        return without_argument(ring, argument, count, enable);
    default:
        return -EINVAL;
    }
}

/* Partly: files, buffers (which are not pinned), an eventfd, the probe, and enabling; no tags,
 * rights, restrictions, rings or groups of buffers. */
LINUX_CALL(427, io_uring_register, int fd, unsigned what, uintptr_t argument, unsigned count) {
    struct ring *ring;
    file_ref file;
    k42_result result = what < IORING_REGISTER_LAST ? uring_get(fd, &file, &ring) : -EINVAL;
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, 0, uring_take(ring));
    if (result >= 0) {
        result = carry_out(ring, what, argument, count);
        uring_leave(ring);
    }
    (void)!k42_call(file, release);
    return linux_result(result, -EBADF);
}
