/*
 * The interface `message_queue`: messages that wait for whoever takes them. What is behind calls of
 * System V and of POSIX; whose a queue is and how it is found is said elsewhere.
 *
 *   queue_types.c        System V's: first come, first served, of the types that one asks for
 *   queue_priorities.c   POSIX's: by priority
 *
 * Messages are blocks of the heap, each of whoever has it: its sender, the queue, who takes it.
 * They are filled and copied out by the calls, outside of any method.
 *
 * Methods do not wait: -K42_WAIT is at one of the keys. Who destroys a queue hangs all up.
 */
#ifndef KERNEL_LINUX_MESSAGE_QUEUE_H
#define KERNEL_LINUX_MESSAGE_QUEUE_H

#include <k42/object.h>
#include <stdbool.h>

struct message_queue;

enum message_queue_key {
    MESSAGE_ROOM,  /* for writing */
    MESSAGE_FIRST, /* for reading whichever comes first */
    MESSAGE_SOME,  /* one that fits what is not a single type */
    MESSAGE_TYPE,  /* one of a type: MESSAGE_TYPES keys, by the type's remainder */
};
#define MESSAGE_TYPES 16u
#define MESSAGE_KEYS  (MESSAGE_TYPE + MESSAGE_TYPES)

struct message {
    struct message *next; /* the queue's, as is: */
    uint64_t order;       /* among equal ones */
    int64_t type;         /* or priority */
    size_t size;
    char bytes[];
};

enum message_kind {
    MESSAGE_ANY,
    MESSAGE_EQUAL,
    MESSAGE_OTHER,  /* of any type but this */
    MESSAGE_LOWEST, /* of the lowest type that is not above this */
};

/* Which message, and who wants it. */
struct message_choice {
    enum message_kind kind;
    int32_t pid;
    int64_t type;
    size_t most; /* bytes it may have; longer ones stay */
};

struct message_queue_state {
    uint64_t count, bytes, most; /* most: bytes */
    int64_t sent, received;      /* seconds of the last time, 0: never */
    int32_t sender, receiver;    /* of that */
};

struct message_queue_ops {
    struct k42_object_ops object;

    /* Takes a message over. 1, if the queue tells of such a one: there was none, and nobody waited.
     * Errors, and it stays the caller's: -K42_WAIT, there is no room. */
    K42_METHOD(send)(struct message_queue *self, K42_LOCAL struct message *message, int pid);

    /* Gives one, in the word, the caller's from then on; a queue by priority the first. Errors:
     * -K42_WAIT, none fits; -E2BIG, it stays. */
    K42_METHOD_PAIR(receive)
    (struct message_queue *self, K42_LOCAL const struct message_choice *choice);

    /* Copies the message before which there are so many into one of the caller's that has room for
     * `copy->size` bytes. Errors: -ENOMSG; it has more, -E2BIG, or -EINVAL if `cut` allows that;
     * -ENOTSUP, by priority. */
    K42_METHOD(peek)
    (struct message_queue *self, uint64_t number, K42_LOCAL struct message *copy, unsigned cut);

    /* What there is. */
    K42_METHOD(look)(struct message_queue *self, K42_OUT struct message_queue_state *state);

    /* How many bytes it may have from now on; more stay. Who waits tries anew. Errors:
     * -ENOTSUP, by priority. */
    K42_METHOD(limit)(struct message_queue *self, uint64_t bytes);
};

struct message_queue {
    const struct message_queue_ops *ops;
};
K42_DECLARE_REF(message_queue);
extern const struct k42_interface message_queue_interface;

/* Makes one of System V's for so many bytes; and one by priority for so many messages. -ENOMEM. */
K42_MUST_CHECK
k42_result message_queue_make(uint64_t bytes, k42_ref *made);
K42_MUST_CHECK
k42_result message_queue_make_sorted(uint32_t most, k42_ref *made);

/* A message of a program: `size` bytes of it. Waits for pages. NULL with *error: -ENOMEM, -EFAULT.
 */
struct message *message_read(uintptr_t from, size_t size, k42_result *error);

#endif
