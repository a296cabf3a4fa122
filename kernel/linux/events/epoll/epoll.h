/*
 * The interface `epoll`: a set of interests in files, which knows the ones that may have become
 * ready. A file.epoll stands before it, whose end ends it.
 *
 * An interest is in a file by a descriptor: one that is closed leaves it as long as the file lives
 * on, and with the file it goes. Files are not held. Each interest watches where its file says that
 * it is to be waited for; being told there, it is put among those to be asked. So what a wait costs
 * depends on how many were told of, not on how many are watched.
 *
 * Methods do not wait: -K42_WAIT is at EPOLL_READY, or at EPOLL_BUSY, since one call at a time goes
 * through the interests.
 */
#ifndef KERNEL_LINUX_EPOLL_H
#define KERNEL_LINUX_EPOLL_H

#include <k42/object.h>
#include <stdbool.h>

struct copy;
struct epoll;

enum epoll_key { EPOLL_READY, EPOLL_BUSY };

/* An interest: in which file and what of it, as epoll_ctl() has it. */
struct epoll_interest {
    int32_t number; /* the descriptor */
    uint32_t events;
    uint64_t data;
    k42_id file;
    k42_id inner; /* the set that the file stands for, if it is one; 0 */
};

/* An event, as programs get it. */
struct epoll_told {
    uint32_t events;
    uint64_t data;
} __attribute__((packed));

struct epoll_ops {
    struct k42_object_ops object;

    /* One more interest. The caller holds the file. Errors: -EEXIST; -EPERM, the file is always
     * ready; -ENOMEM; -K42_WAIT. */
    K42_METHOD(add)(struct epoll *self, K42_IN const struct epoll_interest *interest);

    /* Other events and data. Errors: -ENOENT; -EINVAL, it is exclusive; -K42_WAIT. */
    K42_METHOD(change)(struct epoll *self, K42_IN const struct epoll_interest *interest);

    /* One interest fewer. Errors: -ENOENT, -K42_WAIT. */
    K42_METHOD(remove)(struct epoll *self, int number, k42_id file);

    /* Copies what is ready to the cursor, at most so many; returns how many. What could not be
     * copied stays. Errors: -EFAULT, -K42_WAIT. */
    K42_METHOD(collect)(struct epoll *self, K42_LOCAL struct copy *copy, unsigned most);

    /* Whether anything is ready, 1 or 0. While another call goes through the interests: whether
     * anything was told of. */
    K42_METHOD(ready)(struct epoll *self);

    /* How many sets are below this one, in the longest line of one in the other. Each look has a
     * round of its own, in which each set is gone through once. Errors: -ELOOP, the one sought is
     * among them; -K42_WAIT. */
    K42_METHOD(below)(struct epoll *self, k42_id sought, uint64_t round);

    /* It is to be in a set that has so many above it that there are `above` over this one: returns
     * how many there are at most, also over those in it, which never become fewer. With 0: only
     * tells. Errors: -K42_WAIT. */
    K42_METHOD(above)(struct epoll *self, unsigned above);

    /* One more waits for something to collect, or, with -1, one fewer: who goes without having
     * collected anything tries once more after that. */
    K42_METHOD(waits)(struct epoll *self, int change);

    /* Which file it has an interest in by this descriptor, its id in the word: of several the one
     * with so many before it. Errors: -ENOENT, -K42_WAIT. */
    K42_METHOD_PAIR(find)(struct epoll *self, int number, unsigned before);
};

/* So many steps there are at most from one set to another. */
#define EPOLL_NESTED 4u

struct epoll {
    const struct epoll_ops *ops;
};
K42_DECLARE_REF(epoll);
extern const struct k42_interface epoll_interface;

/* Makes one without interests. k42_destroy() ends it. -ENOMEM. */
K42_MUST_CHECK
k42_result epoll_make(epoll_ref *made);

/* A file before it, which ends it; in the word, with one hold. On failure it is the caller's. */
struct k42_pair epoll_file(epoll_ref epoll, unsigned flags);

#endif
