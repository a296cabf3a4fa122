/*
 * Copying between an object and whoever called it: a cursor over memory of a program, of the
 * kernel, or over several pieces of either.
 *
 * Methods reach a program's memory through a cursor and in no other way, never with preemption off
 * or a lock held. Each copy moves the cursor by what was copied. A page that is missing is brought
 * in on the spot when nothing must be waited for; otherwise the copy ends there and the thread's
 * fault record says for what. Then the method returns what it has done so far, or the copy's error
 * when that is nothing; WAIT_CALL (sched/wait.h) waits for the page and calls again, and the cursor
 * goes on where it stood.
 *
 * Files whose pages come from elsewhere say so in the cursor when they stop for one: whoever
 * carries out a program's call waits for that page and goes on, whatever was done already.
 *
 * A cursor is its maker's, on its stack; nothing here has state or locks.
 */
#ifndef KERNEL_COPY_H
#define KERNEL_COPY_H

#include <k42/base.h>
#include <stdbool.h>

struct copy_range {
    uintptr_t start;
    size_t length;
};

struct copy {
    uintptr_t at;                  /* where the next byte goes to or comes from */
    size_t here;                   /* bytes left in this range */
    size_t left;                   /* bytes left in all */
    const struct copy_range *next; /* the range after this one, when left > here */
    bool user;                     /* a program's addresses, the calling thread's */
    bool entered;                  /* `at` is in the range before `next` */
    bool pages;                    /* the ranges are pages of the heap: copy_exchange() */
    bool unfinished;               /* set by a method: it stopped for a page, not for an end */
};

/* A program's memory; any address may be given, and is checked when it is used. */
static inline struct copy copy_of_user(uintptr_t start, size_t length) {
    return (struct copy){.at = start, .here = length, .left = length, .user = true};
}

/* Memory of the kernel, as it is. */
static inline struct copy copy_of_kernel(void *start, size_t length) {
    return (struct copy){.at = (uintptr_t)start, .here = length, .left = length};
}

/* Several ranges, which stay the caller's and must outlive the cursor; `total` is their sum. */
struct copy copy_of_ranges(const struct copy_range *ranges, size_t total, bool user);

/*
 * Copies to (out) or from (in) where the cursor points, at most what is left there, and moves it.
 * Returns how many bytes; fewer than could be only when a page stopped it, and when that was the
 * first: -EFAULT, no such memory or not allowed; -K42_FAULT, it must be waited for.
 */
K42_MUST_CHECK
k42_result copy_out(struct copy *copy, const void *from, size_t length);
K42_MUST_CHECK
k42_result copy_in(struct copy *copy, void *to, size_t length);
/* The same with zeros. */
K42_MUST_CHECK
k42_result copy_out_zeros(struct copy *copy, size_t length);

/* Memory of the kernel; from NULL: zeros. */
struct copy_piece {
    const char *from;
    size_t length;
};
/* Copies pieces out, one after the other; as copy_out() of them all. */
K42_MUST_CHECK
k42_result copy_out_pieces(struct copy *copy, const struct copy_piece *pieces, unsigned count);

/*
 * Set by the personality: brings the page of an address of the calling thread's program in, for
 * reading or for writing. 0; -K42_WAIT, not without waiting; -EFAULT and others.
 */
extern k42_result (*copy_fault)(uintptr_t address, bool write);

/* Ends it after the next `most` bytes, if it goes further: by how many bytes, for copy_uncut(). */
static inline size_t copy_cut(struct copy *copy, size_t most) {
    size_t rest = copy->left > most ? copy->left - most : 0;
    copy->left -= rest;
    copy->here = copy->here < most ? copy->here : most;
    return rest;
}

/* Gives it back what was cut off. */
static inline void copy_uncut(struct copy *copy, size_t rest) {
    copy->left += rest;
    if (rest && !copy->next)
        copy->here = copy->left;
    else if (rest && copy->entered)
        copy->here = copy->next[-1].start + copy->next[-1].length - copy->at;
    copy->here = copy->here < copy->left ? copy->here : copy->left;
}

/*
 * Passes a page instead of copying it. Where the cursor's ranges are whole pages of the heap, from
 * copy_of_pages(), and it stands at the beginning of one all of which is to be copied: that range's
 * page becomes `page`, the cursor moves on, and the page that it was is returned, now the caller's.
 * Whose bytes count is the direction's matter. Else NULL, and nothing has changed.
 */
char *copy_exchange(struct copy *copy, char *page);
#define COPY_PAGE 4096u

/* A cursor over the first `total` bytes of several pages; who made them frees what is there
 * afterwards. */
struct copy copy_of_pages(struct copy_range *pages, size_t total);

/* Moves the cursor on without copying; at most to the end. Returns by how much. */
size_t copy_skip(struct copy *copy, size_t length);

#endif
