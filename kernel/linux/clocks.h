/*
 * Clocks and times as programs give them.
 *
 * The caller is active and in a program's thread.
 */
#ifndef KERNEL_CLOCKS_H
#define KERNEL_CLOCKS_H

#include <k42/base.h>

struct wait_entry;

#define NS_PER_SECOND 1000000000l

/* A struct timespec: nanoseconds, no more than fit. -EFAULT, -EINVAL. */
K42_MUST_CHECK
k42_result clocks_read(uintptr_t from, int64_t *ns);
/* A struct timeval likewise. */
K42_MUST_CHECK
k42_result clocks_read_timeval(uintptr_t from, int64_t *ns);
K42_MUST_CHECK
k42_result clocks_write(uintptr_t to, int64_t ns);
K42_MUST_CHECK
k42_result clocks_write_timeval(uintptr_t to, int64_t ns);

/* What a clock says. -EINVAL: there is no such clock. */
K42_MUST_CHECK
k42_result clocks_now(int clock, int64_t *ns);

/* The deadline, for WAIT_CALL and its like, at which that clock will say `ns`; one of the past is
 * 0. Of clocks that count time as it passes. -EINVAL: it is none. */
K42_MUST_CHECK
k42_result clocks_deadline(int clock, int64_t ns, uint64_t *deadline);
/* Calls fn, as wait_watch() does, each time that the time of day is set, until wait_remove(). */
void clocks_watch(struct wait_entry *entry, void (*fn)(struct wait_entry *entry, uint32_t events));

/* Sets the time of day. -EPERM. */
K42_MUST_CHECK
k42_result clocks_set_time_of_day(int64_t ns);

/* The deadline in so many nanoseconds from now. */
uint64_t clocks_after(int64_t ns);
/* How much is left until it: 0 when it is over. */
int64_t clocks_left(uint64_t deadline);

#endif
