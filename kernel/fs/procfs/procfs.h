/*
 * procfs: a file system of what others have to say.
 *
 * Whoever knows something registers entries: files that are printed when they are read, links,
 * directories of a fixed set of entries, and directories whose entries are made up of numbers
 * (processes, descriptors). An entry is described once, by a struct that stays; what it is about in
 * a particular node, the key, is the numbers on the way there: in /proc/17/fd/3 they are 17 and 3.
 *
 * Functions of entries run in an active thread and do not wait; they say -ESRCH or -ENOENT when
 * what the key names is gone.
 */
#ifndef KERNEL_PROCFS_H
#define KERNEL_PROCFS_H

#include "../node.h"

#define PROC_LEVELS 3

struct copy;

struct proc_key {
    uint64_t id[PROC_LEVELS];
};

/* Text on its way to a reader; grows. What cannot be kept for want of memory is left out. */
struct proc_text {
    char *bytes;
    size_t used, room;
    bool failed; /* there was no memory */
};

/* Adds to a text; knows core's k42_format_text conversions. */
void proc_print(struct proc_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds bytes as they are. */
void proc_put(struct proc_text *text, const char *bytes, size_t size);

struct proc_entry {
    const char *name; /* NULL: of the entries that `each` describes */
    uint32_t mode;    /* type and permissions */
    bool jumps;       /* a link that is followed by jump() */

    /* A file: what is read; NULL: nothing can be. */
    k42_result (*print)(const struct proc_key *key, struct proc_text *text);
    /* A file: what is written, at most 4096 bytes; NULL: nothing can be. */
    k42_result (*write)(const struct proc_key *key, const char *bytes, size_t size);

    /* A file instead of both: bytes are copied from or to `at`; may say -K42_WAIT and -K42_FAULT.
     */
    k42_result (*move)(const struct proc_key *key, uint64_t at, struct copy *copy, bool write);

    /* A link: its text, not terminated; returns its length. */
    k42_result (*target)(const struct proc_key *key, char *text, size_t size);
    /* Where it leads; held by nobody. */
    k42_result (*jump)(const struct proc_key *key, struct place *place);

    /* A directory of numbers: the first at or above `from`, or an error when there is none; the key
     * is the directory's. All of them are as `each` says. */
    k42_result (*next)(const struct proc_key *key, uint64_t from);
    struct proc_entry *each;

    /* Whose it is; NULL: root's. */
    k42_result (*owner)(const struct proc_key *key, uint32_t *uid, uint32_t *gid);
    /* Its permissions, where they differ from one key to another; NULL: those of `mode`. */
    k42_result (*permissions)(const struct proc_key *key);
    /* Whether the caller may search, read or follow it, a directory or a link, beyond what the mode
     * says; NULL: yes. */
    k42_result (*allows)(const struct proc_key *key);

    /* The tree's own; zero. */
    struct proc_entry *parent, *children, *sibling;
    uint32_t number; /* of the entry, for st_ino */
    uint32_t level;  /* how many numbers its key has */
};

/* Puts an entry into a directory; NULL: the root. Others may look meanwhile. */
void proc_add(struct proc_entry *directory, struct proc_entry *entry);
/* Makes a directory one of numbers, each of which is as `each` says; besides what it has. */
void proc_add_each(struct proc_entry *directory,
                   k42_result (*next)(const struct proc_key *key, uint64_t from),
                   struct proc_entry *each);

/* The number of a node that is of this entry, one of those that a directory of the root has for
 * each number. Errors: -EBADF, it is another's; those of the node's attributes(). */
K42_MUST_CHECK
k42_result proc_number(node_ref node, const struct proc_entry *entry);

/* Its root, held once more; one for all mounts. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result proc_root(node_ref *root);

/* Registers the file system, and what it has of its own: filesystems. */
void proc_register(void);

#endif
