/*
 * What is to be undone when a process ends: of each set it has changed so, a record with a number
 * for each semaphore. Tasks that were made to (CLONE_SYSVSEM), as threads are, have one list of
 * records together, and the last of them that ends undoes what is in it.
 *
 * A record is in its list and, from its first use on, in its set, whose lock guards what it says.
 */
#ifndef KERNEL_LINUX_SEMAPHORE_UNDO_H
#define KERNEL_LINUX_SEMAPHORE_UNDO_H

#include "../events/epoll/number_table.h"

#include <k42/k42.h>
#include <stdbool.h>

struct semaphore_undo {
    struct number_entry in_list; /* by its set's place */
    int32_t set;                 /* the set's number */
    bool listed;                 /* it is in its set; and next to these there: */
    struct semaphore_undo *next, *before;
    struct k42_defer defer;
    int16_t by[]; /* to be added to each */
};

struct undo_list;

/* One user more of the calling task's, which is made if there is none; NULL: no memory. */
struct undo_list *undo_list_share(void);
/* One user fewer; the last undoes. NULL: nothing. In the thread that ends or gives it up. */
void undo_list_release(struct undo_list *list);

/* The calling task's record of a set of so many semaphores, made if there is none. -ENOMEM. */
K42_MUST_CHECK
k42_result undo_of(int set, uint32_t count, struct semaphore_undo **undo);

#endif
