/*
 * Timers of processes that send signals: what alarms.c offers to the calls of alarm_calls.c.
 *
 * Callers are active; what belongs to an owner is called between alarm_owner_begin() and
 * alarm_owner_end().
 */
#ifndef KERNEL_ALARMS_H
#define KERNEL_ALARMS_H

#include "../dev/work.h"
#include "../sched/timer.h"
#include "signal/signals.h"

/* Once, before the first process. */
void alarms_open(void);

/* What passes until an alarm comes. */
enum passing { TIME, PROCESS_TIME, PROGRAM_TIME, THREAD_TIME };

struct alarm {
    struct timer timer;
    struct work work;
    struct alarm *next; /* of those that were made */
    int pid, tid;       /* whose time; tid also: whom to tell, if only_thread */
    int clock;          /* of timer_create() */
    enum passing passing;
    bool only_thread, silent;
    struct signal_info info;
    int64_t interval;
    int64_t target;    /* time that is used when it comes; not of TIME */
    uint64_t deadline; /* of TIME: when it comes; 0: it is not set */
    uint32_t came;     /* since the signal was sent last; changed by anybody */
    int32_t overrun;   /* that the last signal that was taken stood for; with the bucket's lock */
};

struct alarm_owner {
    struct alarm_owner *next;
    int pid;
    int numbers;              /* the next one to be given */
    bool again;               /* all have been given once */
    unsigned count;           /* of what was made and not deleted */
    uint32_t busy;            /* slept on */
    struct alarm interval[3]; /* ITIMER_REAL and so on */
    struct alarm limit;       /* RLIMIT_CPU; its target says no more than whether it is set */
    struct alarm *made;
};

void alarm_init(struct alarm *alarm, int pid, enum passing passing, int signal);
/* What is left, 0: it is not set; what is due counts as a moment. */
int64_t alarm_left(const struct alarm *alarm);
/* Afterwards nothing of it happens; what came before and was not sent is forgotten. Sleeps, for
 * which it leaves the generation. */
void alarm_stop(struct alarm *alarm);
/* Of one that is stopped: after `first`, or when its clock says that (until); 0: not at all. */
K42_MUST_CHECK
k42_result alarm_start(struct alarm *alarm, int64_t first, int64_t interval, bool until);

/* NULL: the process has no alarms. */
struct alarm_owner *alarm_owner_find(int pid);
/* The calling process's; it lasts as long as the process. NULL: no memory. */
struct alarm_owner *alarm_owner_get(void);
/* One thread of the process at a time; NULL is passed through. */
struct alarm_owner *alarm_owner_begin(struct alarm_owner *owner);
/* With its owner, who is the calling process's: made known, and made unknown to alarm_taken(). */
void alarm_owner_add(struct alarm_owner *owner, struct alarm *alarm);
void alarm_owner_remove(struct alarm_owner *owner, struct alarm **link);
/* Returns `result`. */
k42_result alarm_owner_end(struct alarm_owner *owner, k42_result result);

/* The calling thread has taken a signal of one of its process's alarms. Does not wait. */
void alarm_taken(const struct signal_info *info);

#endif
