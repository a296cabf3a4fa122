/*
 * Locks on files as programs ask for them: fcntl. The table is in fs/locks.h.
 */
#ifndef KERNEL_LINUX_LOCKS_H
#define KERNEL_LINUX_LOCKS_H

#include "../../fs/file.h"
#include "descriptors.h"

#include <stdbool.h>

struct lock_request {
    bool asks;    /* F_GETLK */
    bool waits;   /* F_SETLKW */
    bool of_file; /* F_OFD_*: belongs to the open file, not to the process */
};

/* fcntl with a struct flock at `argument`. Waits if asked to. */
k42_result locks_fcntl(file_ref file, const struct lock_request *request, uintptr_t argument);

/* A descriptor of a table was closed: the process's record locks of that node go. */
void locks_closed(file_ref file, descriptors_ref owner);

#endif
