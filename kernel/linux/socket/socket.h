/*
 * The interface `socket`: an end of a conversation. A file.socket stands before it, whose end ends
 * it.
 *
 * What it receives comes into its inbox; it sends into those of others. Methods do not wait:
 * -K42_WAIT is at an inbox (inbox.h), or at SOCKET_BUSY, since it is bound, connected and made to
 * listen by one call at a time.
 */
#ifndef KERNEL_LINUX_SOCKET_H
#define KERNEL_LINUX_SOCKET_H

#include "inbox.h"

struct socket;

enum socket_key { SOCKET_BUSY = 7 };

/* Linux's numbers. */
enum socket_family { FAMILY_LOCAL = 1, FAMILY_KERNEL = 16 };
enum socket_kind { SOCKET_STREAM = 1, SOCKET_DATAGRAM = 2, SOCKET_PACKETS = 5 };
enum socket_flag {
    SEND_NO_SIGNAL = 0x4000,
    SOCKET_OUT_OF_BAND = 1,
    SOCKET_PEEK = 2,
    SOCKET_CONTROL_CUT = 8,
    SOCKET_CUT = 0x20,
    SOCKET_DONT_WAIT = 0x40,
    SOCKET_WAIT_ALL = 0x100,
    SOCKET_FIRST = 0x10000, /* MSG_WAITFORONE */
    SOCKET_CLOSE_ON_EXEC = 0x40000000,
};

/* Whom a call means: an address, and the node that its path leads to, if it is one of a path. */
struct socket_name {
    k42_id node; /* 0: an abstract name */
    struct socket_address address;
};

/* What is sent or received. */
struct socket_message {
    struct copy *copy;
    unsigned flags;
    const struct socket_name *to; /* NULL: whom it is connected to */
    struct parcel_files *files;   /* sent: the socket's from when it has sent a byte; and NULL */
    struct socket_owner owner;
    struct socket_address from;
    uint64_t length; /* of what was received, also when less was copied */
    uint64_t when;   /* it was sent, as the time of day */
    uint64_t least;  /* no fewer bytes are received while more may come */
    bool got;
};

enum { SOCKET_SWITCH_IN_LINE = 10 }; /* SO_OOBINLINE, one of SOCKET_SWITCHES */

enum socket_number {
    SOCKET_KIND,
    SOCKET_LISTENS,
    SOCKET_BOUND,
    SOCKET_ERROR, /* forgotten when it is told */
    SOCKET_BYTES, /* that can be received: of the next packet, or all of a stream */
    SOCKET_UNSENT,
    SOCKET_SEND_SIZE,
    SOCKET_RECEIVE_SIZE,
    SOCKET_PASSES_OWNER,
    SOCKET_SEND_NS,    /* how long sending may wait; 0: for ever */
    SOCKET_RECEIVE_NS, /* and receiving */
    SOCKET_SWITCHES, /* options that are kept and mean nothing here: a bit for the number of each */
    SOCKET_PRIORITY,
    SOCKET_LINGER,      /* on or off; the time above that */
    SOCKET_LEAST,       /* SO_RCVLOWAT */
    SOCKET_PEEK_OFFSET, /* one more than where peeking begins; 0: at the beginning */
    SOCKET_MARK,
    SOCKET_STAMPS,   /* datagrams and packets are told with their time: enum socket_stamps */
    SOCKET_STAMPING, /* kept */
    SOCKET_FAMILY,   /* AF_UNIX; AF_NETLINK: the kernel sends to it */
    SOCKET_INBOX,    /* the id of its own */
    SOCKET_NUMBERS,
};

/* The options that ask for them, and the names they come with. */
enum socket_stamps {
    STAMPS_NONE,
    STAMPS_MICROSECONDS = 29,
    STAMPS_NANOSECONDS = 35,
    STAMPS_MICROSECONDS_WIDE = 63,
    STAMPS_NANOSECONDS_WIDE = 64,
};

struct socket_ops {
    struct k42_object_ops object;

    /* Takes an address, or one that nobody has; holds the node. Errors: -EINVAL, it has one;
     * -EADDRINUSE, -ENOMEM, -K42_WAIT. */
    K42_METHOD(bind)(struct socket *self, K42_IN const struct socket_name *name);

    /* Is to talk to the one of that name; `owner` is the caller. With NULL: to nobody, and who it
     * talked to is told nothing. Errors: -ECONNREFUSED, -EPROTOTYPE, -EISCONN, -EINVAL, -EPERM,
     * -ENOMEM, -K42_WAIT. */
    K42_METHOD(connect)
    (struct socket *self, K42_LOCAL const struct socket_name *name,
     K42_IN const struct socket_owner *owner);

    /* The two talk to each other; both are new. `other`: the other's inbox. Errors: -ENOMEM. */
    K42_METHOD(join)(struct socket *self, k42_id other, K42_IN const struct socket_owner *owner);

    /* Takes calls from now on, so many at a time. Errors: -EINVAL, -EOPNOTSUPP, -K42_WAIT. */
    K42_METHOD(listen)
    (struct socket *self, unsigned most, K42_IN const struct socket_owner *owner);

    /* The file of a socket that somebody has connected, held once, in the word. Errors: -EINVAL,
     * -EOPNOTSUPP, -K42_WAIT. */
    K42_METHOD_PAIR(accept)(struct socket *self);

    /* Ends one direction: bit 0 receiving, bit 1 sending. */
    K42_METHOD(shutdown)(struct socket *self, unsigned how);

    /* Sends as much as there is room for; returns how many bytes. Errors: -EPIPE, -ENOTCONN,
     * -EISCONN, -EOPNOTSUPP, -EMSGSIZE, -ECONNREFUSED, -EDESTADDRREQ, -K42_WAIT. */
    K42_METHOD(send)(struct socket *self, K42_LOCAL struct socket_message *message);
    /* Receives. Errors: -ENOTCONN, -EINVAL, -EOPNOTSUPP, -ECONNRESET, -K42_WAIT. */
    K42_METHOD(receive)(struct socket *self, K42_LOCAL struct socket_message *message);

    /* Its own address, or with `peer` that of whom it is connected to. Errors: -ENOTCONN. */
    K42_METHOD(name)(struct socket *self, unsigned peer, K42_OUT struct socket_address *address);
    /* Who connected it, or was connected to. */
    K42_METHOD(peer)(struct socket *self, K42_OUT struct socket_owner *owner);

    /* What of file_ready holds. */
    K42_METHOD(poll)(struct socket *self);

    /* One of socket_number. */
    K42_METHOD(number)(struct socket *self, unsigned which);
    /* Sets those that may be set. Errors: -EINVAL. */
    K42_METHOD(set_number)(struct socket *self, unsigned which, uint64_t value);

    /* It is talked to: who is connected to it need not be told that nobody answered. */
    K42_METHOD(accepted)(struct socket *self);
    /* The file that stands before it ends. */
    K42_METHOD(end)(struct socket *self);

    /* All that is known of who connected it, or was connected to, in the word: for as long as the
     * caller is active. Errors: -ENODATA. */
    K42_METHOD_PAIR(credentials)(struct socket *self);
    /* What is in its inbox. */
    K42_METHOD(look)(struct socket *self, K42_OUT struct inbox_look *look);
};

struct socket {
    const struct socket_ops *ops;
};
K42_DECLARE_REF(socket);
extern const struct k42_interface socket_interface;

/* Makes one of a kind. -ESOCKTNOSUPPORT, -ENOMEM. */
K42_MUST_CHECK
k42_result socket_make(unsigned kind, socket_ref *made);

/* A file before it, held once, in the word. On failure the socket has ended. */
struct k42_pair socket_file(socket_ref socket, unsigned flags);

#endif
