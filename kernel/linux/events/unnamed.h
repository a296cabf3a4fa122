/*
 * Open files that were never in a file system, and that programs wait on: eventfd, timerfd,
 * signalfd, epoll, pidfd. What is the same in all of them.
 *
 *   event_counter.c   eventfd           signal_file.c   signalfd
 *   timer_file.c      timerfd           process_file.c  pidfd
 *   epoll/            epoll
 *
 * Their body begins with a struct opened (fs/open_file.h) without a node of its own: all have the
 * same one, for those who ask for attributes. Each is an object of its own class, which a swap
 * hands its body over to.
 */
#ifndef KERNEL_LINUX_UNNAMED_H
#define KERNEL_LINUX_UNNAMED_H

#include "../../copy.h"
#include "../../fs/open_file.h"
#include "../../fs/values.h"
#include "../../sched/wait.h"
#include "../linux.h"

#include <errno.h>
#include <k42/k42.h>

/* The keys at which such a file is waited for. */
enum {
    UNNAMED_BUSY, /* another call has it: offset_take() */
    UNNAMED_DATA, /* it has become ready for something */
};

static inline k42_id unnamed_id(const struct opened *opened) {
    return k42_ref_id(opened->self);
}

/* Makes one and puts it into the calling task's table: its number. `flags`: what open(2) calls so.
 * As opened_make(). */
k42_result unnamed_open(struct k42_class *class_, size_t size, unsigned flags,
                        k42_result (*set_up)(struct opened *opened, void *context), void *context);

/* The file of a descriptor, if it is of that kind. -EBADF, and -EINVAL: it is another one. */
K42_MUST_CHECK
k42_result unnamed_get(int fd, enum file_kind kind, file_ref *file);

/*
 * Bytes that are given or taken as a whole, and that may be asked for again: moves the cursor only
 * when all of them were copied. 0, or what copy_out() says.
 */
K42_MUST_CHECK
k42_result unnamed_copy_out(struct copy *copy, const void *from, size_t size);
K42_MUST_CHECK
k42_result unnamed_copy_in(struct copy *copy, void *to, size_t size);

/* Where it is waited for: for its methods, of which those of a file that must not block say so
 * themselves; and for its poll method. */
K42_MUST_CHECK
static inline k42_result unnamed_wait(const struct opened *opened, uint32_t events) {
    bool blocks = !(__atomic_load_n(&opened->flags, __ATOMIC_RELAXED) & OPEN_NON_BLOCKING);
    return blocks ? wait_on(unnamed_id(opened), UNNAMED_DATA, events) : -EAGAIN;
}

static inline void unnamed_poll(const struct opened *opened, struct file_poll *poll) {
    if (poll)
        *poll = (struct file_poll){.object = unnamed_id(opened), .key = UNNAMED_DATA};
}

struct k42_pair unnamed_node(struct file *self);
k42_result unnamed_seek(struct file *self, int64_t offset, int whence); /* stays at 0 */

/* The methods that are the same in all; each has read, write, poll and control of its own. */
#define UNNAMED_METHODS                                                                            \
    .object.describe = opened_describe, .hold = opened_hold, .release = opened_release,            \
    .node = unnamed_node, .set_place = opened_set_place, .place = opened_place,                    \
    .flags = opened_flags, .set_flags = opened_set_flags, .settle = file_settled,                  \
    .list = file_no_list, .map = file_no_map, .sync = file_no_sync, .resize = file_no_resize,      \
    .allocate = file_no_allocate

#endif
