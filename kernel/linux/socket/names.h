/*
 * Names of sockets: by the node of a path, or by an abstract name. A table of the whole machine.
 */
#ifndef KERNEL_LINUX_SOCKET_NAMES_H
#define KERNEL_LINUX_SOCKET_NAMES_H

#include "socket.h"

/* A socket with a name; in its body. */
struct socket_bound {
    struct socket_bound *next;
    struct socket_name name;
    k42_id inbox;
    uint32_t kind;
    uint32_t listens; /* atomic */
    bool in;
};

/* Puts it in. -EADDRINUSE. */
K42_MUST_CHECK
k42_result socket_names_add(struct socket_bound *bound);
/* Takes it out, if it is in. */
void socket_names_remove(struct socket_bound *bound);

/* The inbox behind a name, held once. -ECONNREFUSED: there is none; -EPROTOTYPE: it is of another
 * kind. */
K42_MUST_CHECK
k42_result socket_names_find(const struct socket_name *name, unsigned kind, bool listens,
                             inbox_ref *inbox);

/* An abstract name that nobody has, for a socket without one. -ENOSPC. */
K42_MUST_CHECK
k42_result socket_names_invent(struct socket_bound *bound);

#endif
