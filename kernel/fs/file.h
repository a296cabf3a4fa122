/*
 * The interface `file`: an open file, what descriptors lead to. Made by node.open(), pipes,
 * sockets, and whatever else has descriptors.
 *
 * Holders are descriptors, mappings and calls that sleep; the last release() ends it. A call that
 * does not sleep needs no hold: it stays active from the look into the descriptor table to its end.
 *
 * Methods do not wait: not ready is -K42_WAIT with a key of the file, whatever O_NONBLOCK says; the
 * personality turns that into -EAGAIN. A signal is none of its business.
 */
#ifndef KERNEL_FILE_H
#define KERNEL_FILE_H

#include <k42/object.h>

struct copy;
struct file;
struct node_listing;
struct place;

#define FILE_CURRENT (-1l) /* as an offset: the file's own, which moves */
/* As offsets of write() to regular files: their end, wherever that is; and the own one moves there.
 */
#define FILE_AT_END (-2l)
#define FILE_TO_END (-3l)

/* Readiness, with the values of POLLIN and its like. */
enum file_ready {
    FILE_READABLE = 1,
    FILE_URGENT = 2,
    FILE_WRITABLE = 4,
    FILE_ERROR = 8,
    FILE_HANG_UP = 16,
    FILE_PEER_CLOSED = 0x2000, /* POLLRDHUP */
    FILE_NO_BANDS = 0x10000,   /* what there is is no data: POLLRDNORM and POLLWRNORM do not hold */
};

/* What to wait for with the wait table (sched/wait.h). */
struct file_poll {
    k42_id object; /* whose notifications: the pipe, the terminal, ...; 0: it is always ready */
    uintptr_t key;
};

/* The key of a file's own at which it hangs up when its last hold goes, before the file does: for
 * who watches it without holding it. */
#define FILE_ENDS (~(uintptr_t)0)

/* As the first page: only some offsets are mapped, and FILE_MAP_PAGE says which page each is. */
#define FILE_MAP_ASKS (~0ul)

/* What mmap maps. */
struct file_map {
    k42_ref fcm;
    uint64_t first; /* page of the FCM at the file's offset 0, or FILE_MAP_ASKS */
    unsigned most;  /* the most protection, SPACE_READ and so on, for shared mappings */
    unsigned flags; /* that all mappings have, of enum space_flags */
};

struct file_ops {
    struct k42_object_ops object;

    /* One more holder. -K42_STALE when it is going. */
    K42_METHOD(hold)(struct file *self);
    /* One fewer; the last ends it. */
    K42_METHOD(release)(struct file *self);

    /* Copies to the cursor from `offset` or FILE_CURRENT; returns how many bytes, 0 at the end.
     * Errors: -EBADF (not open for reading), -EISDIR, -ESPIPE, -EINVAL, -EIO, -K42_WAIT. */
    K42_METHOD(read)(struct file *self, int64_t offset, K42_LOCAL struct copy *copy);

    /* The other way. Errors: -EBADF, -ESPIPE, -EPIPE, -ENOSPC, -EFBIG, -EIO, -K42_WAIT. */
    K42_METHOD(write)(struct file *self, int64_t offset, K42_LOCAL struct copy *copy);

    /* Moves the file's own offset as lseek; returns it. Errors: -ESPIPE, -EINVAL, -ENXIO,
     * -K42_WAIT while another thread moves it. */
    K42_METHOD(seek)(struct file *self, int64_t offset, int whence);

    /* Lists a directory from the file's own offset on. Errors: -ENOTDIR. */
    K42_METHOD(list)(struct file *self, K42_LOCAL struct node_listing *listing);

    /* Which of file_ready holds now; and, if not NULL, what to wait for. */
    K42_METHOD(poll)(struct file *self, K42_LOCAL struct file_poll *poll);

    /* ioctl; `argument` is a number or a program's address. Errors: -ENOTTY, -EFAULT. */
    K42_METHOD(control)(struct file *self, unsigned request, uintptr_t argument);

    /* The node it was opened from, in the word; unnamed ones (pipes, sockets) have one too. */
    K42_METHOD_PAIR(node)(struct file *self);

    /* The mount-relative place it was opened at, for paths: opaque to files, set by the opener. */
    K42_METHOD(set_place)(struct file *self, K42_LOCAL struct place *place);
    /* That place, in the word; NULL when it was not opened by name. */
    K42_METHOD_PAIR(place)(struct file *self);

    /* The flags of open(2) it has; access mode and status flags. */
    K42_METHOD(flags)(struct file *self);

    /* Sets those that fcntl may set. Errors: -EPERM. */
    K42_METHOD(set_flags)(struct file *self, unsigned flags);

    /* What mmap maps. Errors: -ENODEV, -EACCES. */
    K42_METHOD(map)(struct file *self, K42_OUT struct file_map *map);

    /* fsync; `data` alone, as fdatasync. Errors: -EINVAL, -EIO, -K42_WAIT. */
    K42_METHOD(sync)(struct file *self, unsigned data);

    /* ftruncate. Errors: -EINVAL, -EFBIG, -K42_WAIT. */
    K42_METHOD(resize)(struct file *self, uint64_t size);

    /* fallocate, with its modes. Errors: -ENOTSUP, -ENOSPC, -ENODEV. */
    K42_METHOD(allocate)(struct file *self, unsigned mode, uint64_t offset, uint64_t length);

    /* What a blocking open() waits for before it returns: a FIFO's other end. 0, or -K42_WAIT.
     * Asked of FIFOs alone. */
    K42_METHOD(settle)(struct file *self);
};

/* Requests of control() that no program can make: from the kernel alone. */
enum {
    FILE_KERNEL_REQUESTS = 0x7fff0000, /* the first */
    FILE_PIPE_SIZE,                    /* returns it; F_GETPIPE_SZ */
    FILE_SET_PIPE_SIZE,
    FILE_SEALS,     /* returns those it has (mem/fcm/fcm.h); -EINVAL, or -ENOTTY: it takes none */
    FILE_ADD_SEALS, /* returns 0; -EPERM, too: not open for writing */
    FILE_KIND,      /* of a file without a name; returns one of file_kind */
    FILE_SET,    /* what a kind has set; `argument` is an address in the kernel, of what it says */
    FILE_LOOK,   /* the other way */
    FILE_OBJECT, /* returns the id of the object that the file stands for */
    FILE_TIME,   /* returns how long reading, or with 1 writing, may wait, in ns; 0: for ever */
    FILE_NO_SIGNAL, /* returns 1 if to write where nobody reads any more is no SIGPIPE */
    FILE_PIPE_ROOM, /* returns how many bytes more it takes */
    FILE_PIPE_PEEK, /* copies to a struct copy of the kernel's what is in it, and leaves it there */
    FILE_MAP_PAGE,  /* returns which page of the FCM an offset is; where FILE_MAP_ASKS says so */
    FILE_WATCHED,   /* with 1: one more mapping that it watches names it; with 0: one fewer */
    FILE_PAGE_MISSING, /* a mapping that it watches lacks a page: says struct file_page_missing */
    FILE_PEER, /* of a master: copies to a struct place of the kernel's where its terminal is */
    FILE_REQUESTS_END,
};

/*
 * Where a watched mapping (mem/space/space.h) lacks a page. 0: it is not told of this any more.
 * Else what the access ends with: -K42_RETRY, to be made again, as it is when the call said so
 * first; -K42_WAIT; -ENXIO, SIGBUS.
 */
struct file_page_missing {
    uintptr_t address;
    unsigned access; /* of enum space_access */
};

/* What a file is that was not opened by name, where calls or people want to know. */
enum file_kind {
    FILE_OF_COUNTER = 1,   /* eventfd */
    FILE_OF_TIMER,         /* timerfd; FILE_SET, FILE_LOOK: struct timer_request */
    FILE_OF_SIGNALS,       /* signalfd; FILE_SET: a set of signals */
    FILE_OF_POLL,          /* epoll; FILE_OBJECT: its interests */
    FILE_OF_PROCESS,       /* pidfd; FILE_LOOK: struct process_handle */
    FILE_OF_SOCKET,        /* FILE_OBJECT: the socket */
    FILE_OF_CHANGES,       /* inotify */
    FILE_OF_QUEUE,         /* of messages, of POSIX; FILE_LOOK: its struct posix_queue */
    FILE_OF_MOUNT_CONTEXT, /* FILE_LOOK: linux/files/mount_contexts.h */
    FILE_OF_SEGMENT,       /* shared memory of System V; FILE_SET, FILE_LOOK: linux/ipc/segment.h */
    FILE_OF_RING,          /* io_uring; FILE_LOOK: its struct ring */
    FILE_OF_NAME_SPACE,    /* FILE_LOOK: linux/namespaces/name_space.h */
    FILE_OF_LISTENER,      /* of seccomp; FILE_LOOK: linux/seccomp/listeners.h */
    FILE_OF_RULES,         /* of Landlock; FILE_SET, FILE_LOOK: linux/landlock/ruleset.c */
    FILE_OF_SECRET,        /* memfd_secret */
    FILE_OF_FAULTS,        /* userfaultfd; FILE_LOOK: its struct faults */
    FILE_OF_TEXT,          /* what memory is called; FILE_LOOK: that, of FILE_TEXT_MOST bytes */
};

#define FILE_TEXT_MOST 80 /* with the zero at its end */

struct file {
    const struct file_ops *ops;
};
K42_DECLARE_REF(file);
extern const struct k42_interface file_interface;

#endif
