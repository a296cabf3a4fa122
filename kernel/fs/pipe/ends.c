/*
 * What all pipes have in common: who is at the ends, looking, the bytes of one page. See ends.h.
 */
#include "ends.h"

#include "../file.h"
#include "../ramfs/ramfs.h"
#include "../values.h"
#include "runtime.h"

const struct k42_format pipe_pages_format = {"pipe.pages", 1, 100};

/* ---- who is at the ends ---- */

k42_result ends_attach(struct pipe *self, unsigned which) {
    struct ends *ends = ENDS(self);
    k42_result others = 0;
    k42_lock(&ends->lock);
    bool gone = !ends->readers && !ends->writers && (ends->arrived_readers | ends->arrived_writers);
    if (!gone) {
        ends->readers += !!(which & PIPE_READER);
        ends->writers += !!(which & PIPE_WRITER);
        ends->arrived_readers += !!(which & PIPE_READER);
        ends->arrived_writers += !!(which & PIPE_WRITER);
        others = which & PIPE_READER ? 2l * ends->arrived_writers + !!ends->writers
                                     : 2l * ends->arrived_readers + !!ends->readers;
    }
    k42_unlock(&ends->lock);
    if (gone)
        return -K42_STALE;
    (void)!wait_notify(pipe_id(self), KEY_ARRIVALS, WAIT_READ, WAIT_ALL);
    return others;
}

k42_result ends_detach(struct pipe *self, unsigned which) {
    struct ends *ends = ENDS(self);
    k42_ref ref = k42_root_ref(BODY_ROOT(self));
    k42_lock(&ends->lock);
    __atomic_store_n(&ends->readers, ends->readers - !!(which & PIPE_READER), __ATOMIC_RELEASE);
    __atomic_store_n(&ends->writers, ends->writers - !!(which & PIPE_WRITER), __ATOMIC_RELEASE);
    bool last = !ends->readers && !ends->writers;
    bool end_of_data = !ends->writers, broken = !ends->readers;
    /* Nobody finds the number any more that another object may soon have. */
    if (last && ends->noted)
        __atomic_store_n(ends->noted, K42_NULL_REF, __ATOMIC_RELEASE);
    k42_unlock(&ends->lock);
    if (last) {
        (void)!k42_destroy(ref);
        wait_hangup(k42_ref_id(ref), KEY_DATA);
    } else if (end_of_data || broken) {
        (void)!wait_notify(k42_ref_id(ref), KEY_DATA,
                           WAIT_READ | WAIT_WRITE | WAIT_HANGUP | WAIT_ERROR, WAIT_ALL);
    }
    return last;
}

/* The calling thread lets a file at these ends go; it is not inside of a call. */
k42_result ends_leave(struct pipe *self, unsigned which) {
    struct ends *ends = ENDS(self);
    if (which & PIPE_READER)
        owner_leave(&ends->read.owner);
    if (which & PIPE_WRITER)
        owner_leave(&ends->write.owner);
    return 0;
}

k42_result ends_arrivals(struct pipe *self, unsigned which) {
    struct ends *ends = ENDS(self);
    k42_lock(&ends->lock);
    k42_result arrived = which & PIPE_READER ? ends->arrived_writers : ends->arrived_readers;
    k42_unlock(&ends->lock);
    return arrived;
}

/* ---- owners ---- */

__attribute__((noinline)) k42_result pipe_own_slowly(struct pipe *self, struct pipe_side *side) {
    struct owner_change change = {.ref = k42_root_ref(BODY_ROOT(self)),
                                  .from = &pipe_spsc,
                                  .to = &pipe_general,
                                  .key = KEY_CHANGE};
    return owner_take(&side->owner, &change);
}

/* Whoever makes a pipe may do so before those come who use it: what was nobody's is so again. */
k42_result pipe_own_set_capacity(struct pipe *self, uint64_t bytes, pipe_resize_fn *resize) {
    struct ends *ends = ENDS(self);
    bool reads = owner_is_self(&ends->read.owner), writes = owner_is_self(&ends->write.owner);
    k42_result result = ends_set_capacity_with(self, bytes, pipe_own, pipe_keep, resize);
    if (!reads)
        owner_leave(&ends->read.owner);
    if (!writes)
        owner_leave(&ends->write.owner);
    return result;
}

/* ---- one page ---- */

/* A whole page from who exchanges pages, if he has one. */
static __attribute__((noinline)) bool exchange(char **page, struct copy *copy) {
    char *other = copy_exchange(copy, *page);
    if (other)
        *page = other;
    return other != NULL;
}

k42_result pipe_page_out(char **page, size_t within, size_t bytes, struct copy *copy,
                         bool consume) {
    if (__builtin_expect(copy->pages, 0) && consume && bytes == PAGE && exchange(page, copy))
        return PAGE;
    return copy_out(copy, *page + within, bytes);
}

k42_result pipe_page_in(char **page, size_t within, size_t bytes, struct copy *copy) {
    if (__builtin_expect(copy->pages, 0) && bytes == PAGE && exchange(page, copy))
        return PAGE;
    return copy_in(copy, *page + within, bytes);
}

/* ---- looking ---- */

k42_result ends_poll(struct pipe *self, unsigned which) {
    struct ends *ends = ENDS(self);
    k42_result ready = 0;
    uint32_t writers = __atomic_load_n(&ends->writers, __ATOMIC_ACQUIRE);
    if ((which & PIPE_READER) && ends_used(ends))
        ready |= FILE_READABLE;
    if ((which & PIPE_READER) && !writers)
        ready |= FILE_HANG_UP;
    if ((which & PIPE_WRITER) && ends->capacity - ends_used(ends) >= PIPE_ATOMIC)
        ready |= FILE_WRITABLE;
    if ((which & PIPE_WRITER) && !__atomic_load_n(&ends->readers, __ATOMIC_ACQUIRE))
        ready |= FILE_ERROR;
    return ready;
}

k42_result ends_count(struct pipe *self) {
    return (k42_result)ends_used(ENDS(self));
}

k42_result ends_capacity(struct pipe *self) {
    return (k42_result)__atomic_load_n(&ENDS(self)->capacity, __ATOMIC_RELAXED);
}

/* Two who ask first make one each, and one goes. */
struct k42_pair ends_node(struct pipe *self) {
    struct ends *ends = ENDS(self);
    k42_ref node = __atomic_load_n(&ends->node, __ATOMIC_ACQUIRE), made, *noted;
    if (node)
        return (struct k42_pair){0, (uintptr_t)node};
    k42_result result = ramfs_make_pipe_node(k42_root_ref(BODY_ROOT(self)), &made, &noted);
    if (result < 0)
        return (struct k42_pair){.result = result};
    k42_lock(&ends->lock);
    node = ends->node;
    if (!node) {
        ends->noted = noted;
        __atomic_store_n(&ends->node, made, __ATOMIC_RELEASE);
    }
    k42_unlock(&ends->lock);
    if (node)
        (void)!k42_call((node_ref)made, release);
    return (struct k42_pair){0, (uintptr_t)(node ? node : made)};
}

k42_result ends_describe(struct k42_object *self, char *text, size_t size) {
    struct ends *ends = ENDS(self);
    return (k42_result)k42_format_text(
        text, size, "pipe of %lu bytes, %lu in it, %u read, %u write", ends->capacity,
        ends_used(ends), ends->readers, ends->writers);
}

/* ---- state ---- */

size_t ends_measure(struct k42_root *from) {
    const struct ends *ends = body_of_root(from);
    return __atomic_load_n(&ends->capacity, __ATOMIC_RELAXED);
}

/* No call is in either of them. */
void ends_import(struct ends *to, const struct ends *from) {
    *to = *from;
    to->lock = (struct k42_lock){0};
    ends_passed_on(to);
}

void ends_given(struct ends *ends) {
    ends->node = K42_NULL_REF;
    ends->noted = NULL;
}

void ends_fini(struct ends *ends) {
    if (!ends->node)
        return;
    k42_enter();
    (void)k42_call((node_ref)ends->node, release);
    k42_exit();
}

k42_result pipe_make(pipe_ref *made) {
    k42_ref ref;
    k42_result result = k42_make(&pipe_spsc, &(uint64_t){PIPE_DEFAULT}, &ref);
    if (result >= 0)
        *made = (pipe_ref)ref;
    return result;
}
