/*
 * A parcel: what one send() puts on its way to a socket. Bytes, files that go with them, and who
 * sent it.
 *
 * It belongs to whoever has it: the sender until it is put into an inbox, then that, then whoever
 * took it out. Its files are held by it. Nothing here is locked.
 */
#ifndef KERNEL_LINUX_PARCEL_H
#define KERNEL_LINUX_PARCEL_H

#include "../../copy.h"

#include <k42/k42.h>

enum {
    PARCEL_MOST_FILES = 253, /* SCM_MAX_FD */
    ADDRESS_MOST = 110,      /* sizeof(struct sockaddr_un) */
    ADDRESS_ROOM = 112,      /* a path may have an end behind that */
};

/* Who a process is, as SCM_CREDENTIALS has it. */
struct socket_owner {
    int32_t pid;
    uint32_t uid, gid;
};

/* A socket's own address, as programs see it. */
struct socket_address {
    uint32_t length; /* 0: it has none */
    char bytes[ADDRESS_ROOM];
};

/* Files on their way (flight.h). */
struct parcel_file {
    k42_ref ref;              /* held */
    struct parcel_file *next; /* flight.c's */
    bool is_socket;
};
struct parcel_files {
    unsigned count;
    unsigned charged; /* to the user who sent them */
    uint32_t uid;
    bool sockets;              /* some of them are */
    bool passed;               /* by a program; otherwise they wait to be accepted */
    struct parcel_files *next; /* flight.c's */
    struct parcel_file file[];
};

struct parcel {
    struct parcel *next;
    struct parcel_files *files; /* NULL: none */
    struct socket_owner owner;
    struct socket_address from;
    uint64_t when;        /* it was sent, as the time of day; 0: not told */
    bool urgent;          /* of one byte (MSG_OOB) */
    size_t length, taken; /* bytes; how many of them a stream's reader has had */
    char bytes[];
};

/* One with `length` bytes from the cursor. Errors: -ENOMEM, and those of copy_in(): then there is
 * none. */
K42_MUST_CHECK
k42_result parcel_make(struct copy *copy, size_t length, struct parcel **made);

/* Frees one, and throws its files away. */
void parcel_free(struct parcel *parcel);

/* Room for so many files; NULL: no memory. */
struct parcel_files *parcel_files_make(unsigned room);
/* Lets files go that are not on their way, and frees what they are in. NULL: nothing. */
void parcel_files_free(struct parcel_files *files);
/* As many files, each held once more; NULL: no memory. */
struct parcel_files *parcel_files_copy(const struct parcel_files *files);

#endif
