/*
 * Bytes from one file to another without a program in between: sendfile, copy_file_range, splice,
 * tee.
 * They pass through a few pages of the kernel's, which pipes exchange for pages of theirs
 * (copy_exchange()): so what goes from pipe to pipe in whole pages is not copied at all.
 */
#include "files.h"

#include "../../fs/pipe/pipe.h"
#include "../../mem/fcm/fcm.h"
#include "../../mem/heap/heap.h"

enum { PAGES = 4, PIECE = PAGES * COPY_PAGE, MOST = 0x7ffff000 };

struct between {
    file_ref in, out;
    int64_t in_offset, out_offset; /* or FILE_CURRENT */
    size_t count;
    bool non_blocking;
    bool looks_first; /* from a pipe to what does not wait until it can take all, or takes none */
};

static k42_result transfer(file_ref file, int64_t offset, struct copy_range *pages, size_t size,
                           bool write) {
    struct files_transfer transfer = {
        .file = file, .offset = offset, .write = write, .copy = copy_of_pages(pages, size)};
    return files_transfer(&transfer);
}

/* What was read and could not be written goes back, where the file has an offset. */
static void take_back(file_ref file, int64_t offset, k42_result bytes) {
    if (offset == FILE_CURRENT && bytes > 0)
        (void)!files_seek(file, -bytes, SEEK_TO_CURRENT);
}

/* Waits for something in a pipe and copies it, without taking it out. */
static k42_result look_into_pipe(struct between *between, struct copy_range *pages, size_t size) {
    k42_result got;
    struct copy seen = copy_of_pages(pages, size);
    WAIT_CALL(got, WAIT_FOREVER, 0,
              k42_call(between->in, control, FILE_PIPE_PEEK, (uintptr_t)&seen));
    return got < 0 ? linux_result(got, -EBADF) : got;
}

/* Out of a pipe to what may take less than it is given: only that leaves the pipe. */
static k42_result copy_what_is_taken(struct between *between, struct copy_range *pages,
                                     size_t size) {
    k42_result got = look_into_pipe(between, pages, size);
    if (got <= 0)
        return got;
    k42_result put = transfer(between->out, between->out_offset, pages, (size_t)got, true);
    if (put > 0)
        (void)!transfer(between->in, FILE_CURRENT, pages, (size_t)put, false);
    if (put > 0 && between->out_offset >= 0)
        between->out_offset += put;
    return put;
}

static k42_result copy_piece(struct between *between, struct copy_range *pages, size_t size) {
    if (between->looks_first)
        return copy_what_is_taken(between, pages, size);
    k42_result got = transfer(between->in, between->in_offset, pages, size, false);
    if (got <= 0)
        return got;
    k42_result put = transfer(between->out, between->out_offset, pages, (size_t)got, true);
    take_back(between->in, between->in_offset, put < 0 ? got : got - put);
    if (put > 0 && between->in_offset >= 0)
        between->in_offset += put;
    if (put > 0 && between->out_offset >= 0)
        between->out_offset += put;
    return put;
}

static bool is_ready(file_ref file, unsigned what) {
    k42_result ready = k42_call(file, poll, NULL);
    return ready < 0 || ((unsigned)ready & (what | FILE_HANG_UP | FILE_ERROR));
}

/* As far as is ready, after the first piece. */
static k42_result copy_through(struct between *between, struct copy_range *pages) {
    k42_result done = 0, result = 0;
    while (between->count) {
        size_t size = between->count < PIECE ? between->count : PIECE;
        if (done && !is_ready(between->in, FILE_READABLE))
            break;
        result = copy_piece(between, pages, size);
        if (result <= 0)
            break;
        done += result;
        between->count -= (size_t)result;
        if ((size_t)result < size)
            break;
    }
    return done ? done : result;
}

typedef k42_result (*through_fn)(struct between *between, struct copy_range *pages);

static k42_result with_pages(struct between *between, through_fn fn) {
    struct copy_range pages[PAGES];
    bool all = true;
    for (unsigned n = 0; n < PAGES; n++) {
        pages[n] = (struct copy_range){(uintptr_t)heap_allocate(COPY_PAGE), COPY_PAGE};
        all &= pages[n].start != 0;
    }
    k42_result result = all ? fn(between, pages) : -ENOMEM;
    for (unsigned n = 0; n < PAGES; n++)
        heap_free((void *)pages[n].start);
    return result;
}

static k42_result copy_all(struct between *between) {
    return with_pages(between, copy_through);
}

/* Both files, held, since what is done with them waits. */
static k42_result hold_both(int in, int out, struct between *between) {
    k42_result result = files_get(in, &between->in);
    if (result >= 0)
        result = files_get(out, &between->out);
    if (result < 0)
        return result;
    k42_result in_flags = k42_call(between->in, flags), out_flags = k42_call(between->out, flags);
    if (in_flags < 0 || out_flags < 0 || (in_flags & OPEN_PATH) || (out_flags & OPEN_PATH) ||
        !open_reads((unsigned)in_flags) || !open_writes((unsigned)out_flags))
        return -EBADF;
    result = k42_call(between->in, hold);
    if (result < 0)
        return -EBADF;
    result = k42_call(between->out, hold);
    if (result < 0)
        (void)!k42_call(between->in, release);
    return result < 0 ? -EBADF : 0;
}

static void release_both(struct between *between) {
    (void)!k42_call(between->in, release);
    (void)!k42_call(between->out, release);
}

static k42_result offset_in(uintptr_t from, int64_t *offset) {
    *offset = FILE_CURRENT;
    if (!from)
        return 0;
    k42_result result = files_copy_in(offset, from, sizeof *offset);
    return result < 0 ? result : *offset < 0 ? -EINVAL : 0;
}

static k42_result offset_out(uintptr_t to, int64_t offset) {
    return to ? files_copy_out(to, &offset, sizeof offset) : 0;
}

/* What cannot be read again is not to be lost half-way; of sockets alone it may go to a pipe. */
static bool can_be_sent(const struct between *between) {
    bool again = files_seek(between->in, 0, SEEK_TO_CURRENT) != -ESPIPE;
    return again || (k42_call(between->in, control, FILE_KIND, 0) == FILE_OF_SOCKET &&
                     k42_call(between->out, control, FILE_PIPE_SIZE, 0) > 0);
}

LINUX_CALL(40, sendfile, int out, int in, uintptr_t offset_at, size_t count) {
    struct between between = {.out_offset = FILE_CURRENT, .count = count < MOST ? count : MOST};
    k42_result result = offset_in(offset_at, &between.in_offset);
    if (result >= 0)
        result = hold_both(in, out, &between);
    if (result < 0)
        return result;
    bool right = !(k42_call(between.out, flags) & OPEN_APPEND) && count <= INT64_MAX &&
                 (between.in_offset != FILE_CURRENT || can_be_sent(&between));
    k42_result done = right ? files_count_both(copy_all(&between)) : -EINVAL;
    release_both(&between);
    if (done == -EISDIR)
        return -EINVAL;
    result = done < 0 ? 0 : offset_out(offset_at, between.in_offset);
    return result < 0 ? result : done;
}

/* Both are to be regular files; -EISDIR, -EINVAL. */
static k42_result check_regular(file_ref file, struct node_attributes *attributes) {
    struct k42_pair node = k42_call(file, node);
    k42_result result =
        node.result < 0 ? node.result : k42_call((node_ref)node.word, attributes, attributes);
    if (result < 0)
        return linux_result(result, -EBADF);
    uint32_t type = attributes->mode & MODE_TYPE;
    return type == MODE_DIRECTORY ? -EISDIR : type != MODE_REGULAR ? -EINVAL : 0;
}

static int64_t offset_of(file_ref file, int64_t offset) {
    return offset < 0 ? files_seek(file, 0, SEEK_TO_CURRENT) : offset;
}

/* What kind of files they are is said before what they were opened for. */
static k42_result check_kinds(int in, int out, struct node_attributes *from,
                              struct node_attributes *to) {
    file_ref in_file, out_file;
    k42_result result = files_get(in, &in_file);
    if (result >= 0)
        result = files_get(out, &out_file);
    if (result < 0)
        return result;
    if ((k42_call(in_file, flags) | k42_call(out_file, flags)) & OPEN_PATH)
        return -EBADF;
    k42_result in_kind = check_regular(in_file, from), out_kind = check_regular(out_file, to);
    if (in_kind == -EISDIR || out_kind == -EISDIR)
        return -EISDIR;
    return in_kind < 0 ? in_kind : out_kind;
}

static k42_result check_ranges(struct between *between, const struct node_attributes *in,
                               const struct node_attributes *out) {
    if (k42_call(between->out, flags) & OPEN_APPEND)
        return -EBADF;
    int64_t from = offset_of(between->in, between->in_offset);
    int64_t to = offset_of(between->out, between->out_offset), end;
    if (from < 0 || to < 0)
        return from < 0 ? from : to;
    if (__builtin_add_overflow(from, (int64_t)between->count, &end) ||
        __builtin_add_overflow(to, (int64_t)between->count, &end))
        return -EOVERFLOW;
    uint64_t left = in->size > (uint64_t)from ? in->size - (uint64_t)from : 0;
    between->count = between->count < left ? between->count : left;
    between->count = between->count < MOST ? between->count : MOST;
    int64_t count = (int64_t)between->count;
    bool overlap = from < to + count && to < from + count;
    return in->number == out->number && in->device == out->device && overlap ? -EINVAL : 0;
}

LINUX_CALL(326, copy_file_range, int in, uintptr_t in_at, int out, uintptr_t out_at, size_t count,
           unsigned flags) {
    struct between between = {.count = count < INT64_MAX ? count : INT64_MAX};
    struct node_attributes from, to;
    if (flags)
        return -EINVAL;
    k42_result result;
    FILES_CALL(result, check_kinds(in, out, &from, &to));
    if (result >= 0)
        result = offset_in(in_at, &between.in_offset);
    if (result >= 0)
        result = offset_in(out_at, &between.out_offset);
    if (result >= 0)
        result = hold_both(in, out, &between);
    if (result < 0)
        return result;
    result = check_ranges(&between, &from, &to);
    if (result >= 0)
        result = files_count_both(copy_all(&between));
    release_both(&between);
    if (result >= 0 && offset_out(in_at, between.in_offset) < 0)
        result = -EFAULT;
    if (result >= 0 && offset_out(out_at, between.out_offset) < 0)
        result = -EFAULT;
    return result;
}

/* ---- splice, tee ---- */

static bool is_pipe(file_ref file) {
    return k42_call(file, control, FILE_PIPE_SIZE, 0) >= 0;
}

/* Whether two files are the ends of one pipe. */
static bool is_same_node(file_ref a, file_ref b) {
    struct k42_pair one = k42_call(a, node), other = k42_call(b, node);
    return one.result >= 0 && other.result >= 0 && k42_id_of(one.word) == k42_id_of(other.word);
}

/* By its seals: what it does not take is to stay in the pipe. */
static bool may_be_refused(file_ref file) {
    k42_result seals = k42_call(file, control, FILE_SEALS, 0);
    return seals > 0 && seals & (FCM_SEAL_GROW | FCM_SEALED_WRITING);
}

enum { SPLICE_NON_BLOCKING = 2, SPLICE_KNOWN = 15 };

static k42_result check_splice(struct between *between) {
    bool from_pipe = is_pipe(between->in), to_pipe = is_pipe(between->out);
    if (!from_pipe && !to_pipe)
        return -EINVAL;
    if (from_pipe && to_pipe && is_same_node(between->in, between->out))
        return -EINVAL;
    unsigned in_flags = (unsigned)k42_call(between->in, flags);
    unsigned out_flags = (unsigned)k42_call(between->out, flags);
    /* What a pipe was opened with counts as if it had been asked for; see splice(2) of Linux. */
    if (((from_pipe && to_pipe ? in_flags | out_flags
          : from_pipe          ? in_flags
                               : out_flags) &
         OPEN_NON_BLOCKING))
        between->non_blocking = true;
    if (out_flags & OPEN_APPEND)
        return -EINVAL;
    between->looks_first =
        from_pipe && (out_flags & OPEN_NON_BLOCKING || may_be_refused(between->out));
    if (between->non_blocking && ((from_pipe && !is_ready(between->in, FILE_READABLE)) ||
                                  (to_pipe && !is_ready(between->out, FILE_WRITABLE))))
        return -EAGAIN;
    return 0;
}

/* Said before what they were opened for. */
static k42_result check_offsets(int in, uintptr_t in_at, int out, uintptr_t out_at) {
    file_ref from, to;
    if (files_get(in, &from) < 0 || files_get(out, &to) < 0)
        return -EBADF;
    return (in_at && is_pipe(from)) || (out_at && is_pipe(to)) ? -ESPIPE : 0;
}

LINUX_CALL(275, splice, int in, uintptr_t in_at, int out, uintptr_t out_at, size_t count,
           unsigned flags) {
    struct between between = {.count = count < MOST ? count : MOST,
                              .non_blocking = flags & SPLICE_NON_BLOCKING};
    if (!count)
        return 0;
    if (flags & ~(unsigned)SPLICE_KNOWN)
        return -EINVAL;
    k42_result result = check_offsets(in, in_at, out, out_at);
    if (result >= 0)
        result = offset_in(in_at, &between.in_offset);
    if (result >= 0)
        result = offset_in(out_at, &between.out_offset);
    if (result >= 0)
        result = hold_both(in, out, &between);
    if (result < 0)
        return result;
    result = check_splice(&between);
    /* One pipe's worth at most, so that a reader of the other end is not overrun. */
    if (result >= 0 && between.count > PIPE_DEFAULT)
        between.count = PIPE_DEFAULT;
    if (result >= 0)
        result = copy_all(&between);
    release_both(&between);
    if (result >= 0 &&
        (offset_out(in_at, between.in_offset) < 0 || offset_out(out_at, between.out_offset) < 0))
        result = -EFAULT;
    return result;
}

static bool never_waits(const struct between *between) {
    return between->non_blocking || (k42_call(between->in, flags) & OPEN_NON_BLOCKING);
}

/* As much as there is room for, so that the pipe's own reader may be the caller; where there is
 * none, what is written in one piece, which waits for room. */
static k42_result tee_through(struct between *between, struct copy_range *pages) {
    k42_result room = k42_call(between->out, control, FILE_PIPE_ROOM, 0);
    size_t size = room > 0 ? (size_t)room : PIPE_ATOMIC;
    if (never_waits(between) && !is_ready(between->in, FILE_READABLE))
        return -EAGAIN;
    if (room <= 0 && between->non_blocking)
        return -EAGAIN;
    size = size < between->count ? size : between->count;
    size = size < PIECE ? size : PIECE;
    k42_result got = look_into_pipe(between, pages, size);
    if (got <= 0)
        return got;
    return transfer(between->out, FILE_CURRENT, pages, (size_t)got, true);
}

LINUX_CALL(276, tee, int in, int out, size_t count, unsigned flags) {
    struct between between = {.count = count, .non_blocking = flags & SPLICE_NON_BLOCKING};
    if (flags & ~(unsigned)SPLICE_KNOWN)
        return -EINVAL;
    if (!count)
        return 0;
    k42_result result = hold_both(in, out, &between);
    if (result < 0)
        return result;
    if (is_pipe(between.in) && is_pipe(between.out) && !is_same_node(between.in, between.out))
        result = with_pages(&between, tee_through);
    else
        result = -EINVAL;
    release_both(&between);
    return result;
}
