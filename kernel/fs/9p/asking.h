/*
 * Asking the server of a 9P file system: what the files of questions share.
 *
 *   ask_attributes.c   attributes, and counts of the file system
 *   ask_name.c         names in directories
 *   ask_open.c         opening, and the text of symbolic links
 *   ask_list.c         listings
 */
#ifndef KERNEL_9P_ASKING_H
#define KERNEL_9P_ASKING_H

#include "p9.h"

/* 1: what is known will do; 0: the caller is to ask, and it is noted that he does; or what is known
 * is an error; or -K42_WAIT, noted: it was asked. */
K42_MUST_CHECK
k42_result p9_look(struct p9_inode *inode, struct p9_known *known, uintptr_t key);
/* The answer came: notes it and tells who waits. */
void p9_answer(struct p9_inode *inode, struct p9_known *known, uintptr_t key, int error);
/* It could not be asked, because of `result`, which is returned: as if it had not been tried. */
K42_MUST_CHECK
k42_result p9_give_up(struct p9_inode *inode, struct p9_known *known, uintptr_t key,
                      k42_result result);

/* A call about an inode, its context, which it holds. */
K42_MUST_CHECK
k42_result p9_ask_begin(struct p9_inode *inode, enum p9_type type, p9_answered *answered,
                        struct p9_call **call);
/* Sends it; on an error the inode's hold is given back. After that, the caller is to wait. */
K42_MUST_CHECK
k42_result p9_ask(struct p9_call *call);

K42_MUST_CHECK
static inline k42_result p9_wait_for(const struct p9_inode *inode, uintptr_t key) {
    return wait_on(k42_id_of(inode->self), key, WAIT_READ);
}

static inline void p9_tell(const struct p9_inode *inode, uintptr_t key) {
    wait_notify(k42_id_of(inode->self), key, WAIT_READ, WAIT_ALL);
}

#endif
