/*
 * Leases on open files: their owner is told, by a signal, before somebody else opens the file in a
 * way that does not go with the lease, or cuts it; the other one waits until the owner has given it
 * up, or for so long as /proc/sys/fs/lease-break-time says.
 *
 * They stand in a table by node, beside the files. Where there are none in the whole system, who
 * opens a file looks at one word.
 */
#ifndef KERNEL_LINUX_LEASES_H
#define KERNEL_LINUX_LEASES_H

#include "../../fs/file.h"

#include <stdbool.h>

enum { F_SET_LEASE = 1024, F_GET_LEASE };

struct lease_settings {
    uint32_t seconds; /* that who breaks one waits for its owner; 0: for ever */
    uint32_t enabled;
};
extern struct lease_settings lease_settings; /* atomic */

/* F_SETLEASE, for a descriptor of a file that the caller holds. Errors: -EINVAL, -EACCES, -EAGAIN,
 * -EINTR, -ENOMEM. */
K42_MUST_CHECK
k42_result lease_set(file_ref file, int fd, int type);
/* F_GETLEASE: what it has, or is to have soon. */
k42_result lease_get(file_ref file);

extern uint32_t leases_there; /* how many; atomic */

/*
 * One attempt to open a node so, of which its claims (node.h) say already that it is open; or to
 * cut it, as opening it for writing. 0: no lease is in the way. -EAGAIN, with OPEN_NON_BLOCKING, or
 * -K42_WAIT; owners have been told then.
 */
K42_MUST_CHECK
k42_result leases_break_now(k42_id node, unsigned flags);
K42_MUST_CHECK
static inline k42_result leases_break(k42_id node, unsigned flags) {
    if (__builtin_expect(!__atomic_load_n(&leases_there, __ATOMIC_RELAXED), 1))
        return 0;
    return leases_break_now(node, flags);
}

/* The file has ended, and with it its lease. */
void leases_end(k42_id file, k42_id node);

#endif
