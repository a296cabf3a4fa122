/*
 * What the parts of seccomp share: filters as they hang together.
 *
 *   filter.c    programs: checked, and run      seccomp.c    the calls
 *   ask.c       what becomes of a call          spread.c     who has which filters
 *   listener.c  who answers in a filter's stead: its file, and whom it makes wait
 *   addition.c  files that it adds              record.c     what is written down
 *   dispatch.c  calls that the program gets itself
 *
 * Locking: task_memory.filters_lock guards which filters each thread of a process has. A task's own
 * thread reads them without: what it had, what it gets leads to.
 */
#ifndef KERNEL_SECCOMP_FILTERS_H
#define KERNEL_SECCOMP_FILTERS_H

#include "../task.h"
#include "filter.h"
#include "seccomp.h"

#include <errno.h>

struct listener;

struct call_filter {
    uint32_t references;
    struct call_filter *before; /* the older ones */
    uint32_t length, total;     /* instructions; of all that it leads to, with what each costs */
    uint32_t count;             /* of filters, with those that it leads to */
    bool logs;                  /* calls that it does not let pass are written down */
    struct listener *listener;  /* who is asked where it says so, or NULL; held */
    struct sock_filter program[];
};

/*
 * Puts a filter before those of the calling task, whose hold it takes over; with
 * SECCOMP_FILTER_FLAG_TSYNC, before those of all threads of its process. Errors: -EINVAL (the task
 * is strict), -EBUSY (two listeners), -ENOMEM, and for a thread that has other filters: its number,
 * or -ESRCH with SECCOMP_FILTER_FLAG_TSYNC_ESRCH.
 */
K42_MUST_CHECK
k42_result filters_add(struct call_filter *filter, unsigned flags);

/* The program gets the call as SIGSYS; its number is what the call gives. */
k42_result seccomp_trap(const struct task *task, uint64_t number, int code, uint32_t data);

/* ---- listeners ---- */

/* A descriptor for who is to be asked; the listener with a hold. Errors: -EMFILE, -ENOMEM. */
K42_MUST_CHECK
k42_result listener_open(unsigned flags, struct listener **listener);
/* Its filter has ended, or does not come: nobody will ask any more. NULL: nothing. */
void listener_leave(struct listener *listener);
/* Asks about the calling task's call, and waits: as seccomp_allows(). */
bool listener_allows(struct listener *listener, const struct seccomp_data *data,
                     k42_result *result);

/* ---- what is written down ---- */

/* `ends_by`: the signal that ends it, or 0. */
void seccomp_record(const struct task *task, const struct seccomp_data *data, uint32_t action,
                    int ends_by);

#endif
