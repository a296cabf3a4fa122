/*
 * What poll(), select() and epoll share: readiness in the words of programs and of the wait table.
 */
#ifndef KERNEL_LINUX_READINESS_H
#define KERNEL_LINUX_READINESS_H

#include "../fs/file.h"
#include "../sched/wait.h"

#include <asm/poll.h>

#define READY_TO_READ  (POLLIN | POLLRDNORM | POLLRDBAND)
#define READY_TO_WRITE (POLLOUT | POLLWRNORM | POLLWRBAND)

/* What a file answers, in the words of programs: normal data is data. */
static inline unsigned readiness_told(unsigned ready) {
    if (ready & FILE_NO_BANDS)
        return ready & ~(unsigned)FILE_NO_BANDS;
    if (ready & FILE_READABLE)
        ready |= POLLRDNORM;
    if (ready & FILE_WRITABLE)
        ready |= POLLWRNORM;
    return ready;
}

/* What to wait for at the file's point, to learn of what a program wants to know. */
static inline unsigned readiness_events(unsigned wanted) {
    unsigned events = WAIT_ERROR | WAIT_HANGUP | FILE_PEER_CLOSED;
    if (wanted & READY_TO_READ)
        events |= WAIT_READ;
    if (wanted & READY_TO_WRITE)
        events |= WAIT_WRITE;
    if (wanted & POLLPRI)
        events |= WAIT_URGENT;
    return events;
}

/* For a call with a mask of signals: sets it, if one is given. After the call, if no signal ended
 * it: signal_mask_restore(). -EFAULT, -EINVAL. */
K42_MUST_CHECK
k42_result readiness_set_mask(uintptr_t from, size_t size);

#endif
