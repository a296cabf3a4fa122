/*
 * What the calls on sockets share.
 *
 *   address.c        addresses of programs, and the nodes of their paths
 *   socket_calls.c   making, naming, connecting
 *   message_calls.c  sending and receiving            ancillary.c   what goes with messages
 *   option_calls.c   setsockopt, getsockopt
 */
#ifndef KERNEL_LINUX_SOCKET_CALLS_H
#define KERNEL_LINUX_SOCKET_CALLS_H

#include "socket.h"

#include "../files/files.h"

enum { ADDRESS_PATH = 2 /* offset of sun_path */, ADDRESS_LONGEST = 128 };

/* The socket of a descriptor, and its file. -EBADF, -ENOTSOCK. */
K42_MUST_CHECK
k42_result socket_get(int fd, file_ref *file, socket_ref *socket);

/* accept4(); -EAGAIN where there is nobody and it is not to be waited. */
k42_result socket_accept(int fd, uintptr_t to, uintptr_t length_at, unsigned flags, bool waits);

/* connect() to an address that was read before. */
k42_result socket_connect(int fd, const struct socket_address *address);

/* The calling process, as SO_PEERCRED tells of it, and as SCM_CREDENTIALS does. */
struct socket_owner socket_owner_effective(void);
struct socket_owner socket_owner_real(void);

/* An address of a program: -EFAULT, -EINVAL. */
K42_MUST_CHECK
k42_result socket_address_read(struct socket_address *address, uintptr_t from, int length);
/* Writes one where there is room, and its length: getsockname and its like. -EFAULT, -EINVAL. */
K42_MUST_CHECK
k42_result socket_address_write(const struct socket_address *address, uintptr_t to,
                                uintptr_t length_at);

/* Whom an address means. A node is held: afterwards socket_name_end(). -EINVAL, and what a walk may
 * fail with; -ECONNREFUSED: the path is of something else. */
K42_MUST_CHECK
k42_result socket_name_find(struct socket_name *name, const struct socket_address *address);
/* The same of a name that is not there yet: its node is made. -EADDRINUSE. */
K42_MUST_CHECK
k42_result socket_name_make(struct socket_name *name, const struct socket_address *address);
void socket_name_end(struct socket_name *name);

/* An attempt that may wait, unless the call must not: for messages and connections. */
static inline k42_result socket_unless_blocking(k42_result result, bool blocks) {
    return result == -K42_WAIT && !blocks && wait_noted().key == INBOX_PARCELS ? -EAGAIN : result;
}
static inline bool socket_blocks(file_ref file, unsigned flags) {
    k42_result found = k42_call(file, flags);
    return !(flags & SOCKET_DONT_WAIT) && found >= 0 && !(found & OPEN_NON_BLOCKING);
}

/* ---- what goes with messages ---- */

struct ancillary {
    uintptr_t at;
    size_t size;
};

/* Reads what a program sends along: files, held, and whom it says it is. -EINVAL, -EBADF, -EPERM,
 * -EFAULT, -ENOMEM, -ETOOMANYREFS. */
K42_MUST_CHECK
k42_result ancillary_read(const struct ancillary *from, struct socket_message *message);
/* Gives what was received to the program, as much as there is room for: files get descriptors.
 * `stamps`: how it is told when it was sent, as enum socket_stamps. Returns the flags of recvmsg()
 * to be told; `used`: how much was written. */
unsigned ancillary_write(const struct ancillary *to, struct socket_message *message,
                         bool tells_owner, unsigned stamps, size_t *used);

#endif
