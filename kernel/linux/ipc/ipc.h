/*
 * Objects of System V: segments of shared memory, sets of semaphores, queues of messages. What is
 * the same in all three: the keys and numbers by which programs find them, whose they are, and who
 * may do what with them.
 *
 *   table.c          keys, numbers, owners, rights      proc.c      /proc/sysvipc
 *   segment.c        the class of segments              segment_calls.c, segment_control.c
 *
 * Each kind has a table of entries. An entry says whose an object is; what the object does is the
 * object's own. It is found by its number without a lock and lasts, with its object, while whoever
 * found it is active: a call that has slept looks again. Numbers have a part that counts how often
 * their place was given away, so that an old one finds nothing.
 *
 * Locking: a table's, for keys and places, by whoever makes or removes; an entry's, leaf, for its
 * owner and mode. Active callers.
 */
#ifndef KERNEL_LINUX_IPC_H
#define KERNEL_LINUX_IPC_H

#include <k42/k42.h>
#include <linux/ipc.h>
#include <stdbool.h>

#define IPC_PLACES 32768u
#define IPC_CHUNK  512u /* places that are made together */
#define IPC_LISTS  1024u

struct ipc64_perm;

struct ipc_entry {
    struct ipc_entry *next; /* of those whose keys have the same hash */
    int32_t id;
    int32_t key;   /* IPC_PRIVATE: nobody finds it by one; atomic */
    uint64_t size; /* what must not be less than is asked for: bytes, semaphores; constant */
    k42_ref object;
    struct k42_lock lock; /* for what follows, which is read without */
    uint32_t uid, gid, cuid, cgid, mode;
    int64_t changed; /* in seconds */
    struct k42_defer defer;
};

/* What get calls are asked for. */
struct ipc_request {
    int32_t key, flags;
    uint64_t size;
};

struct ipc_table {
    /* Makes an entry's object, whose numbers are not known yet. Errors: Linux's. */
    k42_result (*make)(struct ipc_entry *entry, const struct ipc_request *request);
    /* Ends an object that nobody has seen. */
    void (*unmake)(struct ipc_entry *entry);
    uint32_t most; /* objects; atomic */
    struct k42_lock lock;
    uint32_t count; /* objects; atomic */
    uint32_t next;  /* the place after the one that was given last */
    uint32_t turn;  /* how often all were gone through */
    struct ipc_entry **chunks[IPC_PLACES / IPC_CHUNK];
    struct ipc_entry *by_key[IPC_LISTS];
};

extern struct ipc_table ipc_segments;

/* The number of what has the key, made if that was asked for. Errors: -ENOENT, -EEXIST, -EACCES,
 * -EINVAL (it is smaller), -ENOSPC, -ENOMEM, those of making one. */
K42_MUST_CHECK
k42_result ipc_get(struct ipc_table *table, const struct ipc_request *request);

/* By number, and by place (the first from there on, which is then noted). NULL: none. */
struct ipc_entry *ipc_find(struct ipc_table *table, int id);
struct ipc_entry *ipc_at(struct ipc_table *table, uint32_t place);
struct ipc_entry *ipc_next(struct ipc_table *table, uint32_t *place);
/* The highest place that is taken; 0 also when there is none. */
int ipc_highest(struct ipc_table *table);

/* Nobody finds it by its key any more. */
void ipc_hide(struct ipc_table *table, struct ipc_entry *entry);
/* Nobody finds it any more; its memory goes a grace period later. False: another was first. */
bool ipc_remove(struct ipc_table *table, struct ipc_entry *entry);

/* Whether the calling task may: `mode` has the bits in any of the three places. 0 or -EACCES. */
K42_MUST_CHECK
k42_result ipc_allows(const struct ipc_entry *entry, unsigned mode);
/* Whether it is the calling task's to change and to remove. 0 or -EPERM. */
K42_MUST_CHECK
k42_result ipc_is_own(const struct ipc_entry *entry);
/* Whether the calling task's effective user owns or made it. */
bool ipc_of_caller(const struct ipc_entry *entry);

/* What programs are told of it, and what they may set: owner and permissions. -EINVAL. */
void ipc_tell(struct ipc_entry *entry, struct ipc64_perm *perm);
K42_MUST_CHECK
k42_result ipc_set(struct ipc_entry *entry, const struct ipc64_perm *perm);
/* Sets bits of its mode that are no permissions, and clears others. */
void ipc_set_mode(struct ipc_entry *entry, uint32_t set, uint32_t clear);

/* Seconds since 1970. */
int64_t ipc_now(void);

/* /proc/sysvipc, and the limits in /proc/sys/kernel; once. */
struct proc_entry;
void ipc_proc_register(void);
void ipc_limits_register(struct proc_entry *kernel);

#endif
