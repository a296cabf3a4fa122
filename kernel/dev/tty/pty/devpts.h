/*
 * What a devpts consists of, for pty.c and devpts.c; nothing outside includes this.
 */
#ifndef KERNEL_DEVPTS_H
#define KERNEL_DEVPTS_H

#include "../../../sched/wait.h"
#include "pty.h"

#include <k42/lock.h>

enum { DEVPTS_TERMINALS = 136 }; /* the major number, of all that have this device */

struct devpts {
    struct devpts *next;
    uint64_t device; /* st_dev */
    node_ref root;   /* not held */
    uint32_t most, mode, uid, gid;
    bool sets_uid, sets_gid; /* otherwise of who opens a master */
    struct k42_defer defer;
    struct k42_lock lock; /* of used */
    uint64_t used[PTY_MOST / 64];
    struct pty *ptys[PTY_MOST]; /* by number */
};

/* Puts a new one into the list. Active callers. */
void devpts_list(struct devpts *devpts);

#endif
