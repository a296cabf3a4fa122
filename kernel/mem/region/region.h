/*
 * The interface `region`: a range of a program's addresses with one meaning. It decides what a
 * fault there does: which object's page is mapped, or which private one is made. The address space
 * (../space/space.h) that made it is its only client.
 *
 * Two kinds of calls. fault() and those that only ask are made by any number of threads at once.
 * Those that change the region are made by whoever is changing the address space's layout, one at a
 * time; a fault that is under way meanwhile comes to nothing (see the lease in ../hat/hat.h) and is
 * made again.
 *
 * Addresses and lengths are whole pages but in fault(). Methods do not wait.
 */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include "../space/space.h"

#define REGION_INTERFACE_VERSION 3

struct region;

/* What a new one is of. */
struct region_new {
    uintptr_t start, end;
    unsigned protection, flags, most; /* as in struct space_request */
    k42_ref fcm;
    uint64_t first; /* the FCM's page at `start` */
    k42_ref file, watcher, name;
    size_t limit;
    k42_ref hat, pm;
    k42_id space;
};

/* Where a child's region belongs. */
struct region_heir {
    k42_ref hat, pm;
    k42_id space;
};

enum region_end {
    REGION_RELEASE, /* what is mapped there goes */
    REGION_LEAVE,   /* stays: another region has these addresses now */
};

struct region_ops {
    struct k42_object_ops object;

    /* As space.fault. Also -K42_RETRY: the region has changed meanwhile. */
    K42_METHOD(fault)(struct region *self, uintptr_t address, unsigned access);

    /* What it is. */
    K42_METHOD(mapping)(struct region *self, K42_OUT struct space_mapping *mapping);

    /* What a word of it is to all who share it. */
    K42_METHOD(identify)
    (struct region *self, uintptr_t address, K42_OUT struct space_identity *identity);

    /* Makes another one of the same kind for the addresses from `at` on, which this one keeps until
     * it is resized. Errors: -ENOMEM. */
    K42_METHOD(divide)(struct region *self, uintptr_t at, K42_OUT k42_ref *upper);

    /* Gives it other ends; of the FCM it shows the same pages at the same addresses. Errors:
     * -ENOMEM, -K42_WAIT, and then nothing has changed. */
    K42_METHOD(resize)(struct region *self, uintptr_t start, uintptr_t end, enum region_end what);

    /* Makes the same pages appear at `to`, where nothing is mapped. Errors: as resize. */
    K42_METHOD(move)(struct region *self, uintptr_t to);

    /* Allows something else, which was checked. Errors: as resize. */
    K42_METHOD(protect)(struct region *self, unsigned protection);

    /* Sets or clears those of space_flags that madvise changes, and SPACE_LOCKS; then an object's
     * pages have to be touched again to stay. Errors: as resize. */
    K42_METHOD(set_flags)(struct region *self, unsigned set, unsigned clear);

    /* As space.watch: has it watched by whom it says, or by nobody. */
    K42_METHOD(watch)(struct region *self, k42_ref watcher);

    /* It has that name from now on, or with the null ref none. */
    K42_METHOD(rename)(struct region *self, k42_ref name);

    /* As space.provide. Any number of threads at once. */
    K42_METHOD(provide)(struct region *self, uintptr_t address, K42_LOCAL struct copy *copy);

    /* Forgets private pages, or unmaps an object's. Errors: -ENOMEM, -K42_WAIT. */
    K42_METHOD(discard)(struct region *self, uintptr_t address, size_t length);

    /* Writes changed pages back. Errors: those of fcm.sync. */
    K42_METHOD(sync)(struct region *self, uintptr_t address, size_t length, unsigned durable);

    /* A child's, or the null ref, to be made before the HAT's pages are shared. 1: the child must
     * not have those of this region. Errors: -ENOMEM. */
    K42_METHOD(fork)
    (struct region *self, K42_IN const struct region_heir *heir, K42_OUT k42_ref *child);

    /* Nothing is mapped any more and nobody attached; to be destroyed. */
    K42_METHOD(close)(struct region *self, enum region_end what);
};

struct region {
    const struct region_ops *ops;
};
K42_DECLARE_REF(region);
extern const struct k42_interface region_interface;

/* The class for what is asked for, and an object of it. Errors: -ENOMEM, -EACCES. */
K42_MUST_CHECK
k42_result region_create(const struct region_new *new, region_ref *region);

#endif
