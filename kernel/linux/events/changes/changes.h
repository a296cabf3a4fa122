/*
 * inotify: an open file that is told what happens to the nodes it watches.
 *
 *   changes_file.c    the file: what is read, and its ends
 *   events.c          those that wait to be read, in their order
 *   watches.c         which nodes it watches, by number
 *   changes_calls.c   the calls
 *
 * Watches are the table's of watched nodes (fs/notify.h), which tells them under the lock of a
 * bucket; the file's lock comes after that one, and nothing but memory is called with it held. So
 * adding and taking away go to the table first or last, and never while they hold the file's lock.
 */
#ifndef KERNEL_LINUX_CHANGES_H
#define KERNEL_LINUX_CHANGES_H

#include "../../../fs/notify.h"
#include "../unnamed.h"
#include "limits.h"

#include <k42/lock.h>

/* Beyond those of notify_event: what watches are asked for with, and what only the file says. */
enum {
    CHANGES_LOST = 0x4000,
    CHANGES_ENDED = 0x8000,
    CHANGES_FOLDERS_ONLY = 0x01000000,
    CHANGES_NO_FOLLOW = 0x02000000,
    CHANGES_NAMED_ONLY = 0x04000000,
    CHANGES_NEW_ONLY = 0x10000000,
    CHANGES_ADD = 0x20000000,
    CHANGES_ONCE = (int)0x80000000,
};

/* One that waits to be read. */
struct event {
    struct event *next;
    int32_t watch;
    uint32_t what, cookie;
    uint32_t length; /* of the name, which stands behind it; 0: none */
};

static inline char *event_name(const struct event *event) {
    return (char *)(uintptr_t)(event + 1);
}

struct changes {
    struct opened opened;
    struct k42_lock lock; /* of everything below */
    /* events.c */
    struct event *first, **last;
    uint32_t waiting; /* events */
    uint64_t bytes;   /* that reading them gives */
    struct event lost;
    bool has_lost; /* `lost` waits to be read */
    /* watches.c */
    struct watcher **by_number; /* lists by the number's last bits */
    uint32_t room, watchers;
    int32_t last_number;
    bool closed;  /* nobody has the file any more */
    uint32_t uid; /* whose it is, who may have so many, and so many watches; constant */
};

/* ---- events.c ---- */

void events_begin(struct changes *changes);
/* How many bytes reading one gives. */
size_t event_size(const struct event *event);
/* NULL: no memory. */
struct event *event_make(int32_t watch, const struct notice *notice);
/* Makes it wait, or frees it: there is the same already, or there are too many. NULL stands for one
 * there was no memory for. */
void events_add(struct changes *changes, struct event *event);
/* The first, which stays until it is taken by the only reader; or NULL. */
struct event *events_first(struct changes *changes);
void events_take(struct changes *changes);
uint64_t events_bytes(struct changes *changes);
/* Frees all; nobody uses the file any more. */
void events_end(struct changes *changes);

/* ---- watches.c ---- */

/* FILE_SET. */
struct changes_request {
    k42_ref node;   /* to be watched; or none: */
    int32_t number; /* the watch that is to end */
    uint32_t mask;
};

/* By who has the file (offset_take()). A number, -EEXIST, -ENOMEM, -ENOENT, -ENOSPC (its user has
 * too many). */
K42_MUST_CHECK
k42_result watches_add(struct changes *changes, const struct changes_request *request);
/* -EINVAL: there is none. */
K42_MUST_CHECK
k42_result watches_remove(struct changes *changes, int32_t number);
/* Ends all, with the last hold of the file. */
void watches_close(struct changes *changes);

/* ---- changes_file.c ---- */

/* A new one's number in the calling task's table. Errors: -ENOMEM, -EMFILE (also
 * when the user has too many). */
K42_MUST_CHECK
k42_result changes_file_open(unsigned flags);

#endif
