/*
 * The interface `inbox`: parcels on their way to one socket, which takes them out. A connection is
 * two of them, one for each direction.
 *
 * Holders are the socket, those who are connected to it, and the table of names while it is bound;
 * the last release() ends it. One that is shut takes no more parcels, and has an end: that is what
 * shutdown() does to both sides of a direction. One whose socket has gone is dead as well.
 *
 * Methods do not wait: -K42_WAIT is at INBOX_PARCELS, WAIT_READ for parcels and WAIT_WRITE for
 * room; at INBOX_TAKING, since one call at a time takes; or at the gate of flight.h.
 */
#ifndef KERNEL_LINUX_INBOX_H
#define KERNEL_LINUX_INBOX_H

#include "parcel.h"

#include <k42/object.h>
#include <stdbool.h>

#define INBOX_INTERFACE_VERSION 2

struct credentials;
struct inbox;

enum inbox_key {
    INBOX_PARCELS,
    INBOX_TAKING,
    INBOX_POLL, /* all that its socket is ready for, room at its peer's included */
};

/* What is in it. */
struct inbox_look {
    uint64_t bytes; /* all of them */
    uint64_t first; /* of the first parcel, what is left */
    uint32_t parcels;
    int32_t error; /* what the next who takes is told, negative; 0: nothing */
    bool shut, dead;
    bool room;    /* for those who send and would rather not wait */
    bool urgent;  /* there is an urgent byte in it */
    bool at_mark; /* what is taken next stands behind where the urgent byte is, or was */
};

/* Taking: what is wanted, and what was got besides bytes. */
struct inbox_taking {
    struct copy *copy;
    bool peeks;                 /* it stays */
    bool by_owner;              /* nothing of another's is wanted with it */
    bool urgent;                /* the urgent byte is wanted, and nothing else */
    bool in_line;               /* the urgent byte is one of the others */
    uint64_t skip;              /* peeking begins behind so many bytes */
    uint64_t least;             /* bytes, if so many fit: fewer are not taken while more may come */
    struct parcel_files *files; /* with the bytes; whoever took them has them */
    struct socket_owner owner;
    struct socket_address from;
    uint64_t length; /* of the parcel, also when less was copied */
    uint64_t when;   /* it was sent, as the time of day */
    bool got;        /* there was a parcel, if perhaps an empty one */
};

struct inbox_ops {
    struct k42_object_ops object;

    /* One more holder. -K42_STALE when it is going. */
    K42_METHOD(hold)(struct inbox *self);
    /* One fewer; the last ends it. */
    K42_METHOD(release)(struct inbox *self);

    /* Whether a parcel of `length` bytes from the socket of an inbox may be put: 0. Errors: -EPIPE,
     * it is shut; -ECONNREFUSED, it is dead; -EPERM, it is for another's alone; -EMSGSIZE, there
     * never is so much room; -K42_WAIT. */
    K42_METHOD(room)(struct inbox *self, uint64_t length, k42_id from);

    /* From now on it takes parcels from that one alone; 0: from anybody. */
    K42_METHOD(only)(struct inbox *self, k42_id from);

    /* Puts a parcel, which becomes the inbox's. Asked for room before, it is not refused for want
     * of that. Errors: -EPIPE, -ECONNREFUSED. */
    K42_METHOD(put)(struct inbox *self, K42_LOCAL struct parcel *parcel);

    /* Takes bytes, in the class's way: a stream's as many as there are, or those of one parcel.
     * Returns how many, also 0 at the end. Errors: what was left as an error, once; -EINVAL, there
     * is no urgent byte; -EFAULT, -K42_WAIT. */
    K42_METHOD(take)(struct inbox *self, K42_LOCAL struct inbox_taking *taking);

    /* Takes a whole parcel, in the word. Errors: -EINVAL, it is shut; -K42_WAIT. */
    K42_METHOD_PAIR(pop)(struct inbox *self);

    /* What is in it. */
    K42_METHOD(look)(struct inbox *self, K42_OUT struct inbox_look *look);

    /* Nothing more comes. A reason that is not 0 is an error, told to the next who takes and finds
     * nothing. */
    K42_METHOD(shut)(struct inbox *self, int reason);

    /* Its socket goes: it is shut and dead, and what is in it is thrown away. Returns 1 if that was
     * anything. */
    K42_METHOD(end)(struct inbox *self);

    /* The error that was left, which is forgotten; negative or 0. */
    K42_METHOD(error)(struct inbox *self);

    /* Calls fn for each file in its parcels, with its lock. */
    K42_METHOD(each_file)
    (struct inbox *self, K42_LOCAL void (*fn)(k42_id file, void *argument),
     K42_LOCAL void *argument);

    /* How much it holds: bytes, and parcels. */
    K42_METHOD(limit)(struct inbox *self, uint64_t bytes, uint32_t parcels);

    /* Whose it is, for those who are connected to it; and the socket's address. */
    K42_METHOD(set_owner)
    (struct inbox *self, K42_IN const struct socket_owner *owner,
     K42_IN const struct socket_address *address);
    /* Tells both. */
    K42_METHOD(owner)
    (struct inbox *self, K42_OUT struct socket_owner *owner,
     K42_OUT struct socket_address *address);

    /* Throws away what is in it: 1 if that was anything. Errors: -K42_WAIT. */
    K42_METHOD(clear)(struct inbox *self);
    /* If it takes parcels from that one alone, the next who takes is told that reason. */
    K42_METHOD(fail)(struct inbox *self, k42_id from, int reason);
    /* Whose it is, with all groups; becomes its own. */
    K42_METHOD(set_credentials)(struct inbox *self, K42_LOCAL struct credentials *credentials);
    /* Tells that, held, in the word; NULL: of nobody. */
    K42_METHOD_PAIR(credentials)(struct inbox *self);
};

struct inbox {
    const struct inbox_ops *ops;
};
K42_DECLARE_REF(inbox);
extern const struct k42_interface inbox_interface;

enum { INBOX_BYTES = 212992, INBOX_PARCELS_MOST = 1 << 20 };

/* One of bytes, where parcels run into each other, or of parcels. With one hold. -ENOMEM. */
K42_MUST_CHECK
k42_result inbox_make_bytes(inbox_ref *made);
K42_MUST_CHECK
k42_result inbox_make_parcels(inbox_ref *made);

#endif
