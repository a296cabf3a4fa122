/*
 * Reading and writing a file through its pages, with no call of another object for those that are
 * there.
 *
 * A page is held while it is copied, so it neither leaves nor is written back meanwhile. Copying
 * may need a page of the program, which may be of this very file; nothing but holds is held then,
 * and `exclusive` by a writer who moves the end: who needs that is told to wait, the copy ends, and
 * the writer returns with what it has done.
 *
 * A write that replaces an absent page as a whole does not ask the FR for it first. Only one writer
 * at a time moves the end, so appended pieces neither overlap nor leave gaps. The size follows each
 * page, after its bytes and before the page is let go: else it could be written back as one that
 * the file does not reach.
 */
#include "body.h"

static size_t in_page(uint64_t offset, uint64_t left) {
    size_t room = PAGE_BYTES - (offset & (PAGE_BYTES - 1));
    return left < room ? left : room;
}

/* ---- reading ---- */

/* Where nothing is behind the file, reading a hole makes no page. */
static k42_result read_piece(struct body *body, void *context, uint64_t offset, size_t length,
                             struct copy *copy) {
    uint64_t index = offset >> PAGE_SHIFT, word;
    (void)context;
    k42_result result = fcm_body_hold_to_read(body, index, &word);
    if (result == -ENOENT)
        return copy_out_zeros(copy, length);
    if (result)
        return result;
    result = copy_out(copy, page_memory(word) + (offset & (PAGE_BYTES - 1)), length);
    fcm_body_drop(body, index, 0);
    return result;
}

k42_result fcm_body_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    return fcm_body_read_pieces(BODY(self), offset, copy, read_piece, NULL);
}

/* ---- writing ---- */

/* Bytes up to here are in a page that is held or claimed. */
static void reach(struct body *body, uint64_t end, unsigned flags) {
    if (flags & BODY_BEYOND && end > fcm_body_bytes(body))
        fcm_body_grow(body, end);
}

static k42_result write_part(struct body *body, uint64_t offset, size_t length, struct copy *copy,
                             unsigned flags) {
    uint64_t index = offset >> PAGE_SHIFT, word;
    k42_result result = fcm_body_hold(body, index, FCM_WRITE | flags, &word);
    if (result)
        return result;
    result = copy_in(copy, page_memory(word) + (offset & (PAGE_BYTES - 1)), length);
    if (result > 0)
        reach(body, offset + (uint64_t)result, flags);
    fcm_body_drop(body, index, 0);
    return result;
}

/* A page that is claimed here, and seen by nobody before it is complete. -EAGAIN: not this way. */
static k42_result write_whole(struct body *body, uint64_t index, struct copy *copy,
                              unsigned flags) {
    uint64_t physical;
    struct copy before = *copy;
    k42_result result = fcm_body_claim(body, index, flags);
    if (result == -EEXIST)
        return -EAGAIN;
    if (!result)
        result = fcm_body_find_frame(body, index, 0, &physical);
    if (result)
        return result;
    if (copy_in(copy, machine_memory(physical), PAGE_BYTES) != (k42_result)PAGE_BYTES) {
        *copy = before;
        fcm_body_remove(body, index);
        return -EAGAIN;
    }
    reach(body, (index + 1) << PAGE_SHIFT, flags);
    /* Cut off meanwhile: as if it had been written just before. */
    (void)fcm_body_settle(body, index, PAGE_USED | PAGE_DIRTY);
    fcm_body_note_dirty(body);
    return (k42_result)PAGE_BYTES;
}

static k42_result write_piece(struct body *body, uint64_t offset, size_t length, struct copy *copy,
                              unsigned flags) {
    if (length == PAGE_BYTES) {
        k42_result result = write_whole(body, offset >> PAGE_SHIFT, copy, flags);
        if (result != -EAGAIN)
            return result;
    }
    return write_part(body, offset, length, copy, flags);
}

static k42_result write_pieces(struct body *body, uint64_t offset, struct copy *copy,
                               unsigned flags) {
    k42_result done = 0;
    while (copy->left) {
        size_t length = in_page(offset, copy->left);
        if (length > BODY_SIZE_MAX - offset)
            length = BODY_SIZE_MAX - offset;
        k42_result got = length ? write_piece(body, offset, length, copy, flags) : -EFBIG;
        if (got <= 0)
            return done ? done : got;
        done += got;
        offset += (uint64_t)got;
        if ((size_t)got < length)
            break;
    }
    return done;
}

/* `exclusive` is held. */
static k42_result write_at_end(struct body *body, uint64_t offset, struct copy *copy,
                               uint64_t *at) {
    k42_result result = fcm_body_clear_step(body);
    if (!result)
        result = fcm_body_end_settled(body);
    if (result)
        return result;
    if (offset == FCM_APPEND)
        offset = fcm_body_bytes(body);
    if (offset >= BODY_SIZE_MAX)
        return -EFBIG;
    if (at)
        *at = offset;
    return write_pieces(body, offset, copy, BODY_BEYOND);
}

k42_result fcm_body_write(struct fcm *self, uint64_t offset, struct copy *copy, uint64_t *at) {
    struct body *body = BODY(self);
    if (!copy->left)
        return 0;
    copy->unfinished = true;
    uint64_t size = fcm_body_bytes(body);
    if (offset < size && copy->left <= size - offset) {
        if (at)
            *at = offset;
        k42_result result = write_pieces(body, offset, copy, 0);
        /* -ENXIO: it has just become shorter. */
        if (result != -ENXIO)
            return result;
    }
    k42_result result = fcm_body_exclude(body);
    if (result)
        return result;
    result = write_at_end(body, offset, copy, at);
    fcm_body_admit(body);
    return result;
}
