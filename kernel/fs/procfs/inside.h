/*
 * Inside procfs: nodes, and the files of what is printed.
 */
#ifndef KERNEL_PROCFS_INSIDE_H
#define KERNEL_PROCFS_INSIDE_H

#include "../../body.h"
#include "procfs.h"

/* The node of an entry with a key: the one there is, or a new one. It lasts while the caller is
 * active, and longer when it is held. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result proc_node(const struct proc_entry *entry, const struct proc_key *key, k42_ref *node);

/* Opens a file that is printed when it is read. */
struct k42_pair proc_open(const struct proc_entry *entry, const struct proc_key *key, k42_ref node,
                          unsigned flags);

extern struct proc_entry proc_top;

/* Finds a name in a directory, and the key it has there. -ENOENT. */
K42_MUST_CHECK
k42_result proc_find(const struct proc_entry *directory, const struct proc_key *key,
                     const struct node_name *name, const struct proc_entry **entry,
                     struct proc_key *found);

#endif
