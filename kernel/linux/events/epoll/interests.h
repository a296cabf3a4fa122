/*
 * The inside of epoll's class: its interests, and which of them have been told of. For interests.c
 * and epoll.c; the latter says who may do what when.
 */
#ifndef KERNEL_LINUX_INTERESTS_H
#define KERNEL_LINUX_INTERESTS_H

#include "../../../body.h"
#include "../../../sched/wait.h"
#include "../../abi.h"
#include "epoll.h"
#include "number_table.h"

#define PRIVATE_EVENTS (EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE)

struct interest {
    struct wait_entry ready, end;
    struct epoll_body *set;
    struct number_entry entry;
    struct epoll_interest what; /* events: PRIVATE_EVENTS alone: it has been told of, once */
    uint32_t arrived;           /* it is among the arrivals; atomic */
    uint32_t closed;            /* its file has ended; atomic */
    bool listed, gone;
    struct interest *next_arrived;
    struct interest *next, *before; /* of those to be asked */
    struct interest *next_inner;    /* of those whose files are sets */
};

struct epoll_body {
    k42_id self;
    uint32_t taken;
    struct interest *arrivals; /* atomic */
    struct number_table table;
    struct interest *first, *last; /* to be asked */
    uint32_t listed;
    struct interest *inner;
    uint32_t collectors;   /* that wait; atomic */
    uint64_t round;        /* the last look below that went through it, */
    uint32_t below, above; /* and what that found; see epoll.h */
};

/* ---- by whoever has the set ---- */

/* Takes those that have come into the list of those to be asked, in their order, and ends those
 * whose file has ended. */
void interests_take_arrivals(struct epoll_body *set);

/* Into the list of those to be asked, as the last, unless it is there; and out of it. */
void interest_list(struct epoll_body *set, struct interest *interest);
void interest_unlist(struct epoll_body *set, struct interest *interest);

/* NULL: there is none. */
struct interest *interest_find(struct epoll_body *set, int number, k42_id file);

/* What its file is ready for, of what is wanted. */
unsigned interest_ask(const struct interest *interest);

/* -EEXIST, -EPERM, -ENOMEM. */
K42_MUST_CHECK
k42_result interest_add(struct epoll_body *set, const struct epoll_interest *what);
/* -ENOENT, -EINVAL. */
K42_MUST_CHECK
k42_result interest_change(struct epoll_body *set, const struct epoll_interest *what);
void interest_end(struct epoll_body *set, struct interest *interest);

/* Ends all, when no call is in the set any more. */
void interests_end(struct epoll_body *set);

#endif
