/*
 * Changes of the 9P file system: the record of each, and how its program's call finds it again.
 */
#ifndef KERNEL_9P_CHANGES_H
#define KERNEL_9P_CHANGES_H

#include "p9.h"

struct p9_change {
    struct p9_change *next;
    uint64_t request; /* the program's call */
    uint64_t over;    /* when it was, or its caller last took the result; 0: under way */
    k42_result result;
    enum p9_type type;          /* P9_TLCREATE for whatever is made */
    struct p9_inode *directory; /* held */
    struct p9_inode *other;     /* held: where it goes, what gets or loses a name; or NULL */
    struct p9_inode *made;      /* held: what was made, what rename replaces; or NULL */
    struct p9_inode *moved;     /* held: what rename moves; or NULL */
    struct p9_fs *fs;
    uint32_t mode, gid, fid;
    struct node_name name, new_name;
    char text[];
};

/*
 * What the calling program's call has to do with such a change: 1, it is to make it; otherwise its
 * result and (made not NULL) what was made; or -K42_WAIT, noted, while it is under way.
 */
K42_MUST_CHECK
k42_result p9_change_look(enum p9_type type, struct p9_inode *directory,
                          const struct node_name *name, k42_ref *made);

/* A change that nobody knows yet; NULL: no memory. Names may be NULL, as may `other`. */
struct p9_change *p9_change_make(enum p9_type type, struct p9_inode *directory,
                                 const struct node_name *name, const struct node_name *new_name,
                                 struct p9_inode *other);
void p9_change_free(struct p9_change *change);

/* Sends the first message and has the caller wait; on an error there was no change, and it is
 * freed. */
K42_MUST_CHECK
k42_result p9_change_begin(struct p9_change *change, struct p9_call *call);
/* It is over; not the caller's any more. */
void p9_change_over(struct p9_change *change, int error);

#endif
