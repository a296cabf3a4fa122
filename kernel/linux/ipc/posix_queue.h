/*
 * POSIX's queues of messages: queues with names, and open files that lead to them.
 *
 *   posix_queue.c   names, who may open one, how long they last, who is told of a message
 *   posix_names.c   the file system in which the names stand
 *   posix_file.c    the class file.queue
 *   posix_calls.c   mq_open, mq_unlink, mq_notify, mq_getsetattr
 *   posix_pass.c    mq_timedsend, mq_timedreceive
 *
 * A queue lasts while it has its name or a file is open. Active callers; nothing waits.
 */
#ifndef KERNEL_LINUX_POSIX_QUEUE_H
#define KERNEL_LINUX_POSIX_QUEUE_H

#include "../../fs/file.h"
#include "../../fs/node.h"
#include "message_queue.h"

#include <k42/k42.h>

#define QUEUE_NAME 256

/* Who is told of a message that comes while there was none and nobody waited. */
#define QUEUE_COOKIE 32
struct queue_notice {
    k42_id process; /* 0: nobody */
    int32_t pid, kind, signal;
    uint64_t value;
    k42_id inbox;              /* SIGEV_THREAD: held; where to send this, with how it came to */
    char cookie[QUEUE_COOKIE]; /* that in the last byte: NOTIFY_WOKENUP, NOTIFY_REMOVED */
};

struct posix_queue {
    struct posix_queue *next; /* of those whose names have the same hash */
    uint64_t number;          /* in that list, in whose order it stands */
    uint32_t holds;           /* of its name, of files and of its node; atomic */
    uint32_t length, hash;    /* of the name */
    bool named;               /* it still has it; atomic */
    node_ref node;            /* itself, as a file */
    node_ref inner;           /* whose owner, permissions and times it has */
    message_queue_ref object;
    uint64_t most, size;  /* messages, bytes of each; constant */
    uint64_t bytes;       /* charged to its maker */
    uint32_t uid;         /* who that is */
    struct k42_lock lock; /* of what follows, leaf */
    struct queue_notice notice;
    char name[];
};

/* How one is to be made. */
struct queue_request {
    struct node_name name;
    unsigned flags; /* of open(2) */
    uint32_t mode;
    uint64_t most, size;
};

/* Of who does not say how many messages and bytes. */
void posix_queue_as_usual(struct queue_request *request);

/* The queue of a name, held once more, made if that was asked for. Errors: -ENOENT, -EEXIST,
 * -EACCES, -EINVAL, -EMFILE, -ENOSPC, -ENOMEM. */
K42_MUST_CHECK
k42_result posix_queue_open(const struct queue_request *request, struct posix_queue **queue);
/* Takes the name away. -ENOENT, -EPERM. */
K42_MUST_CHECK
k42_result posix_queue_unlink(const struct node_name *name);
/* That of a name, held once more, or NULL. */
struct posix_queue *posix_queue_find(const struct node_name *name);
/* The next one from a cursor on, held once more, or NULL; the cursor is behind it then. */
struct posix_queue *posix_queue_next(uint64_t *cursor);
/* False: it is going. */
bool posix_queue_hold(struct posix_queue *queue);
void posix_queue_release(struct posix_queue *queue);
/* How many have names. */
uint32_t posix_queues_named(void);

/* posix_names.c: the queue as a file, with which its memory goes. -ENOMEM. */
K42_MUST_CHECK
k42_result posix_queue_make_node(struct posix_queue *queue);
/* What the calling task may do in the directory: 0, -EACCES. */
K42_MUST_CHECK
k42_result posix_queues_allow(unsigned access);
/* The file system, at boot. Active. */
void posix_names_open(void);

/* A message came that nobody waited for: tells whom that is to be told, once. */
void posix_queue_tell(struct posix_queue *queue);
/* Gives back what it holds. */
void queue_notice_end(const struct queue_notice *notice);
/* From now on the calling process; takes the inbox's hold over. -EBUSY: another. */
K42_MUST_CHECK
k42_result posix_queue_ask(struct posix_queue *queue, const struct queue_notice *notice);
/* No more the calling process, if it was. */
void posix_queue_forget(struct posix_queue *queue);

/* A file that leads to a queue, whose hold it takes over; with one hold, in the word. -ENOMEM. */
struct k42_pair posix_file_make(struct posix_queue *queue, unsigned flags);
/* The file of a descriptor, held, and its queue and flags. -EBADF. */
struct posix_file {
    file_ref file;
    struct posix_queue *queue;
    unsigned flags;
};
K42_MUST_CHECK
k42_result posix_file_get(int number, struct posix_file *file);
void posix_file_release(const struct posix_file *file);

/* Limits, in /proc/sys/fs/mqueue; atomic. */
struct posix_limits {
    uint32_t queues, messages, bytes;     /* at most, for ordinary users */
    uint32_t usual_messages, usual_bytes; /* of who does not say */
};
extern struct posix_limits posix_limits;
struct proc_entry;
void posix_limits_register(struct proc_entry *fs);

#endif
