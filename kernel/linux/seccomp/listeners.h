/*
 * What listeners are made of: listener.c and addition.c.
 *
 * A task that asks has its question on its stack and in the listener's list until it is answered,
 * and sleeps in the wait table at the question's address. A question is new, then received, then
 * answered; or the task takes it back, because of a signal, and asks again afterwards.
 *
 * Locking: listener->lock, leaf; guards the list, the questions, and the additions that stand in
 * them. A listener's memory lasts a grace period longer than its users.
 */
#ifndef KERNEL_SECCOMP_LISTENERS_H
#define KERNEL_SECCOMP_LISTENERS_H

#include "../../fs/open_file.h"
#include "../../sched/wait.h"
#include "filters.h"

#include <k42/lock.h>

enum question_state { QUESTION_NEW, QUESTION_RECEIVED, QUESTION_ANSWERED };

/* A file on its way to the asking task; on the stack of who adds it. */
struct addition {
    file_ref file; /* held once for the table */
    struct seccomp_notif_addfd how;
    k42_result result;
    enum { ADDITION_WAITS, ADDITION_TAKEN, ADDITION_OVER } state;
};

struct question {
    struct question *next, **place; /* in the list */
    uint64_t id;
    int tid;
    enum question_state state;
    const struct seccomp_data *data;
    struct seccomp_notif_resp answer;
    struct addition *addition; /* or NULL */
};

struct listener {
    uint32_t references; /* of the file, of the filter, of who adds a file; atomic */
    struct k42_defer defer;
    struct k42_lock lock;
    struct question *first, **end; /* in the order of asking */
    uint64_t last_id;
    bool patient;   /* whose question was received waits for the answer, whatever signal comes */
    bool closed;    /* there is no file any more */
    bool abandoned; /* there is no filter any more */
};

/* With the lock. NULL: there is none. */
struct question *question_find(const struct listener *listener, uint64_t id);

bool listener_hold(struct listener *listener);
void listener_release(struct listener *listener);

/* Where its file is waited for. */
static inline k42_result listener_wait(const struct listener *listener) {
    return wait_on(WAIT_NO_OBJECT, (uintptr_t)listener, WAIT_READ | WAIT_WRITE | WAIT_HANGUP);
}

static inline void listener_tell(const void *whom, uint32_t events) {
    (void)!wait_notify(WAIT_NO_OBJECT, (uintptr_t)whom, events, WAIT_ALL);
}

/* Of the asking task: puts the file that the question has into its table. */
void addition_carry_out(struct listener *listener, struct question *question);
/* With the lock: the question ends, and what is still to be added to it comes too late. True: who
 * adds it is to be told. */
bool addition_comes_late(struct addition *addition);

#endif
