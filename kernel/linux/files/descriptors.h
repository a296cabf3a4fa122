/*
 * The interface `descriptors`: a process's table of open files. Shared by its threads
 * (CLONE_FILES), copied by fork.
 *
 * Looking a descriptor up takes no lock and counts nothing: the file lives at least until the
 * caller leaves its generation. Who sleeps in a file holds it first. Methods do not wait.
 */
#ifndef KERNEL_DESCRIPTORS_H
#define KERNEL_DESCRIPTORS_H

#include <k42/object.h>

struct descriptors;

enum { DESCRIPTOR_CLOSE_ON_EXEC = 1 }; /* FD_CLOEXEC */

struct descriptors_ops {
    struct k42_object_ops object;

    /* One more process or thread group uses the table; one fewer, the last closes all. */
    K42_METHOD(hold)(struct descriptors *self);
    /* Lets it go. */
    K42_METHOD(release)(struct descriptors *self);

    /* The file of a descriptor, in the word. Errors: -EBADF. */
    K42_METHOD_PAIR(get)(struct descriptors *self, int number);

    /*
     * Puts a file, with one hold that becomes the table's, at the lowest free number from `from`
     * on, below `limit`; returns the number. Errors: -EMFILE, -ENOMEM; then the hold is the
     * caller's.
     */
    K42_METHOD(add)(struct descriptors *self, int from, k42_ref file, unsigned flags, int limit);

    /* The same at `number`, closing what is there. Errors: -EBADF (number at or above limit). */
    K42_METHOD(put)(struct descriptors *self, int number, k42_ref file, unsigned flags, int limit);

    /* Takes a descriptor out; its hold is the caller's, the file in the word. Errors: -EBADF. */
    K42_METHOD_PAIR(take)(struct descriptors *self, int number);

    /* Descriptor flags. Errors: -EBADF. */
    K42_METHOD(flags)(struct descriptors *self, int number);
    /* Sets them. */
    K42_METHOD(set_flags)(struct descriptors *self, int number, unsigned flags);

    /* The first number in use at or above `from`. Errors: -ENOENT. */
    K42_METHOD(next)(struct descriptors *self, int from);

    /* A table with the same files, each held once more; its ref in the word. Errors: -ENOMEM. */
    K42_METHOD_PAIR(copy)(struct descriptors *self);

    /* Closes those that are to be closed on exec. */
    K42_METHOD(executed)(struct descriptors *self);

    /* How many hold it. */
    K42_METHOD(holders)(struct descriptors *self);

    /* 0 if a number from `from` on, below `limit`, is free now. Errors: -EMFILE. */
    K42_METHOD(room)(struct descriptors *self, int from, int limit);
};

struct descriptors {
    const struct descriptors_ops *ops;
};
K42_DECLARE_REF(descriptors);
extern const struct k42_interface descriptors_interface;

/* Makes an empty one, with one hold. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result descriptors_make(descriptors_ref *made);

#endif
