/*
 * Whom an open file tells of what happens, and by which signal: what fcntl is told of that, and the
 * folders that F_NOTIFY watches.
 *
 * It stands beside the file, in tables by its id, so that a file of which nothing is said carries
 * nothing; and it goes with the file. Services; the locks are buckets', leaves.
 */
#ifndef KERNEL_LINUX_OWNERS_H
#define KERNEL_LINUX_OWNERS_H

#include "../../fs/file.h"
#include "descriptors.h"

#include <stdbool.h>

enum {
    F_SET_OWNER = 8,
    F_GET_OWNER,
    F_SET_SIGNAL,
    F_GET_SIGNAL,
    F_SET_OWNER_OF_KIND = 15,
    F_GET_OWNER_OF_KIND,
    F_GET_OWNER_USERS,
    F_WATCH_FOLDER = 1026,
};

/* What si_code and si_band say of an event of poll(). */
struct owner_news {
    int code;
    int64_t band;
};

/* Those of fcntl above, but the last. The caller holds the file. */
K42_MUST_CHECK
k42_result owners_fcntl(file_ref file, int command, uintptr_t argument);
/* The caller's process becomes the owner of a file that has none. -ENOMEM. */
K42_MUST_CHECK
k42_result owner_become(k42_id file);
/* It has none any more, nor a signal. Any context. */
void owner_forget(k42_id file);
/* The owner, if there is one and who made it that may signal it, gets the file's signal. */
void owner_tell(k42_id file, int fd, const struct owner_news *news);

/* From now on the tables are told of files that end. */
void owners_mind_ends(void);

/* O_ASYNC: the owner is told, as of a descriptor, when the file can be read or written. The caller
 * holds the file. -ENOMEM. And no more. */
K42_MUST_CHECK
k42_result async_begin(file_ref file, int fd);
void async_end(k42_id file);

/* F_NOTIFY: `what` is DN_ACCESS and so on; the caller holds the file. */
K42_MUST_CHECK
k42_result folder_watch(file_ref file, int fd, uint32_t what);
/* A descriptor in a table was closed, or the file has ended. */
void folder_watches_closed(k42_id file, k42_id table);
void folder_watches_end(k42_id file);

#endif
