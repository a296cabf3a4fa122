/*
 * Numbers of processes, threads, groups and sessions: one space of them, found without a lock.
 *
 * A number is in use as long as anything has it: a thread or an ended process that nobody has
 * waited for, a group that has members, a session that has groups. Numbers rise and start again at
 * 300 after the largest one.
 *
 * Active callers; nothing waits. What is found lasts until the caller leaves its generation.
 */
#ifndef KERNEL_IDS_H
#define KERNEL_IDS_H

#include "process.h"

#include <k42/lock.h>

#define IDS_MOST 32768

/* Memory of the table, which stays. */
uint64_t ids_bytes(void);

/* A session: its groups, and its terminal. */
struct session {
    struct k42_lock lock;
    int32_t number;
    uint32_t groups;
    k42_id terminal;    /* its controlling terminal, or 0 */
    int32_t foreground; /* the group that had it when it hung up; atomic */
    struct k42_defer defer;
};

/* A group of processes; members are listed by id. */
struct group {
    struct k42_lock lock;
    int32_t number;
    struct session *session;
    uint32_t count, room;
    k42_id *members; /* in no order */
    struct k42_defer defer;
};

/* Once, before the first process. */
void ids_open(void);

/* A number nobody has, for a thread. Errors: -EAGAIN, -ENOMEM. */
K42_MUST_CHECK
k42_result ids_take(void);
/* Says whose it is; from now on it is found. */
void ids_set(int number, process_ref process);
/* Nobody's thread any more. */
void ids_give(int number);

/* The process that has a thread of this number; the null ref when there is none. */
process_ref ids_process(int number);
/* The first number of a thread from `number` on, or 0. */
int ids_next(int number);

/* The number given out last. */
int ids_last(void);

/* NULL: no such group. */
struct group *ids_group(int number);

/*
 * Makes a process a member of a group: of an existing one of the session, or a new one named after
 * the process itself. In a new session when `session` is NULL. Errors: -EPERM, -ENOMEM.
 */
K42_MUST_CHECK
k42_result group_join(int number, struct session *session, process_ref process);
/* Takes it out; the last member ends the group, the last group the session. */
void group_leave(int number, process_ref process);

/* Copies the members' ids into a block of the heap (heap_free); returns how many, or -ENOMEM. */
K42_MUST_CHECK
k42_result group_members(struct group *group, k42_id **members);

/* Whether nobody outside the group but in its session could continue its stopped members: no member
 * but `except` has a parent there. */
bool group_is_orphaned(struct group *group, k42_id except);

/* NULL: no such session. */
struct session *ids_session(int number);

#endif
