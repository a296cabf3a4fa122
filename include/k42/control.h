/*
 * Control: what programs ask of a running kernel's objects, as bytes on the device /dev/k42.
 *
 * One write() is one request, whole: a head, the body of its kind, and what follows the body. Then
 * read() gives the answer: a head and records, each as long as its head says or as its kind has it.
 * A read that comes before a swap has ended waits. A new request forgets an answer not read.
 *
 * A request that cannot be carried out at all is refused by write(): EPROTO (another version of
 * this protocol), EINVAL (lengths, counts or texts are not as they must be), ENOSYS (no such kind),
 * EPERM (changes something, and the caller lacks CAP_SYS_ADMIN), ENOENT (no such object, class or
 * process any more), EBADF (no such descriptor), ENOMEM, EBUSY (the swaps asked for before have not
 * ended). What concerns one of several objects is said in its record.
 *
 * Whoever opens the device has an own conversation. Closing it takes away the hooks that were
 * placed through it, and ends the policy that it runs; swaps asked for go on to their end.
 *
 * Numbers are the processor's; texts in arrays end with a zero byte. Lengths are multiples of 8.
 */
#ifndef K42_CONTROL_H
#define K42_CONTROL_H

#include <stdint.h>

#define K42_CONTROL_DEVICE  "/dev/k42"
#define K42_CONTROL_VERSION 1
#define K42_CONTROL_REQUEST 8192         /* the longest request */
#define K42_CONTROL_ANSWER  (128 * 1024) /* no answer is longer */
#define K42_CONTROL_NAME    48
#define K42_CONTROL_TEXT    160
#define K42_CONTROL_IDS     128 /* the most objects in one request */
#define K42_CONTROL_HOOKS   256 /* the most hooks of one conversation */

enum k42_control_kind {
    /* Looks. `next` of the answer, if not 0, is `from` of the request that goes on. */
    K42_CONTROL_OBJECTS,  /* k42_control_filter -> k42_control_object ... */
    K42_CONTROL_CLASSES,  /* k42_control_filter -> k42_control_class ... */
    K42_CONTROL_OWNERS,   /* k42_control_filter -> k42_control_owned ... */
    K42_CONTROL_DESCRIBE, /* k42_control_one, an object -> k42_control_description */
    K42_CONTROL_FILE,     /* k42_control_one, a descriptor of the caller's -> k42_control_owned */
    K42_CONTROL_STATS,    /* nothing -> k42_control_stats */
    /* Changes. */
    K42_CONTROL_SWAP,      /* k42_control_swap, ids -> k42_control_outcome ... */
    K42_CONTROL_INTERPOSE, /* k42_control_interpose, ids -> k42_control_placed ... */
    K42_CONTROL_CALLS,     /* k42_control_one, a hook -> k42_control_calls for each method */
    K42_CONTROL_COMPONENT, /* k42_control_piece: of the file of a component -> nothing */
    K42_CONTROL_POLICY, /* k42_control_policy, ids -> k42_control_run, when it is active or over */
    K42_CONTROL_RUN,    /* k42_control_one -> k42_control_run */
    K42_CONTROL_END,    /* nothing -> k42_control_run, when all is what it was */
    K42_CONTROL_COUNTERS, /* k42_control_one, an object -> k42_control_counter ...; a look */
    /* Advisors. */
    K42_CONTROL_ADVISORS,  /* nothing -> k42_control_advisor ... */
    K42_CONTROL_DECISIONS, /* k42_control_filter, from: a number -> k42_control_decision ... */
    K42_CONTROL_ADVISE,    /* k42_control_advise -> k42_control_advisor ...; changes */
    K42_CONTROL_KINDS,
};

struct k42_control_head {
    uint32_t length; /* of all, this included */
    uint16_t version, kind;
    uint32_t count; /* a request: ids that follow the body; an answer: records */
    uint32_t spare; /* 0 */
    uint64_t next;  /* an answer: where to go on, 0: that was all; a request: 0 */
};

/* ---- looks ---- */

struct k42_control_filter {
    uint64_t from;               /* 0: from the beginning */
    char name[K42_CONTROL_NAME]; /* of OBJECTS: a class or an interface; empty: all */
    int32_t pid;                 /* of OWNERS: that process alone; 0: all */
    uint32_t spare;
};

struct k42_control_one {
    uint64_t number;
};

enum { K42_CONTROL_SWAPPING = 1, K42_CONTROL_CLUSTERED = 2 };

struct k42_control_object {
    uint32_t id, version; /* of its class */
    uint32_t interposers, flags;
    uint64_t cpus;  /* how many have used it lately */
    uint64_t bytes; /* of root and representatives; what they point to is not counted */
    uint64_t pages; /* of memory that it keeps, where the interface tells */
    char class_[K42_CONTROL_NAME], interface_[K42_CONTROL_NAME];
};

enum {
    K42_CONTROL_CURRENT = 1, /* what is made now under that name */
    K42_CONTROL_CAN_SWAP = 4,
    K42_CONTROL_ATOMIC = 8, /* its interface is; it takes no hooks */
};

struct k42_control_class {
    uint32_t version, interface_version;
    uint32_t methods, flags; /* K42_CONTROL_CLUSTERED and those above */
    uint64_t instances;
    uint64_t swaps; /* objects that became one while they were used */
    char name[K42_CONTROL_NAME], interface_[K42_CONTROL_NAME];
    char component[K42_CONTROL_NAME]; /* that brought it; empty: the kernel itself */
    char traits[K42_CONTROL_TEXT];
};

/* What a process has. */
enum k42_control_role {
    K42_CONTROL_PROCESS,     /* the process; the name is its program's */
    K42_CONTROL_SPACE,       /* its address space */
    K42_CONTROL_DESCRIPTORS, /* its table of open files */
    K42_CONTROL_OPEN,        /* an open file: `number` is its descriptor */
    K42_CONTROL_MAPPED,      /* a mapping: `number` is where it begins */
};

enum {
    K42_CONTROL_HIDDEN = 16, /* the process is somebody else's: its files' names are not told */
    K42_CONTROL_CUT = 32,    /* the name is longer than that */
};

/* Objects are 0 where there are none. */
struct k42_control_owned {
    uint32_t length; /* with the name and zeros after it */
    uint16_t role, flags;
    int32_t pid;
    uint32_t parent; /* process of that number; of PROCESS only */
    uint64_t number;
    uint32_t object; /* the process, space, table or open file */
    uint32_t node;   /* the file that is open */
    uint32_t cache;  /* its pages */
    uint32_t medium; /* what is behind it otherwise: a pipe, a terminal; of a space, the PM of its
                        process's own */
    char name[];
};

struct k42_control_description {
    struct k42_control_object object;
    char text[K42_CONTROL_TEXT]; /* the object's own words; empty: it has none */
};

struct k42_control_stats {
    uint64_t objects, created, destroyed, misses, swaps, aborts, grace_periods;
    uint64_t deferred, interposers, mediators, frames, frames_used, cpus;
};

enum k42_control_mode { K42_CONTROL_MODE_OFF = 1, K42_CONTROL_MODE_ADVISE, K42_CONTROL_MODE_ON };

struct k42_control_advisor {
    char name[K42_CONTROL_NAME], about[K42_CONTROL_TEXT];
    char unit[K42_CONTROL_NAME]; /* of what it wants less of; empty: it does not measure */
    uint32_t mode, spare;
    uint64_t saw;     /* objects that its change seemed to be called for */
    uint64_t watched; /* times one was watched, in doubt */
    uint64_t advised; /* changes it would have made */
    uint64_t changed, settled, undone, returned, failed;
    uint64_t measured;      /* of those settled, how many were measured */
    uint64_t before, after; /* theirs, added up: thousandths of the unit */
};

enum k42_control_deed {
    K42_CONTROL_ADVISED,
    K42_CONTROL_CHANGED,
    K42_CONTROL_FAILED,
    K42_CONTROL_SETTLED,  /* it has proved good */
    K42_CONTROL_UNDONE,   /* it has not */
    K42_CONTROL_RETURNED, /* it was not called for any more */
};

struct k42_control_decision {
    uint64_t number, age_ns;
    uint32_t object, deed;
    int32_t result;         /* of a swap that failed: a negative errno */
    uint32_t times;         /* the same again, in a row */
    uint64_t before, after; /* thousandths of the advisor's unit; both 0: not measured */
    char advisor[K42_CONTROL_NAME], from[K42_CONTROL_NAME], to[K42_CONTROL_NAME];
    char reason[K42_CONTROL_TEXT];
};

/* ---- changes ---- */

struct k42_control_advise {
    char name[K42_CONTROL_NAME]; /* ENOENT: no advisor has it; empty: all */
    uint32_t mode, spare;
};

struct k42_control_swap {
    char to[K42_CONTROL_NAME];     /* class; empty: by traits, or if there are none its own again */
    char from[K42_CONTROL_NAME];   /* only those that are of this class still; empty: any */
    char traits[K42_CONTROL_TEXT]; /* the class of its interface that fits them best */
    uint64_t deadline_ns;          /* 0: the usual; at most 10 s */
    uint32_t attempts;             /* after deadlines; 0: one; at most 64 */
    uint32_t spare;
};

struct k42_control_outcome {
    uint32_t id;
    int32_t result; /* 0, or a negative errno; what k42_swap() says */
    uint32_t phase; /* enum k42_swap_phase */
    uint32_t attempts;
    uint32_t holder_thread, holder_object; /* who held it up until the deadline; 0: nobody */
    char holder_name[16], holder_method[32];
    uint64_t prepare_ns, forward_ns, block_ns, transfer_ns;
    char to[K42_CONTROL_NAME], format[K42_CONTROL_NAME];
    char text[K42_CONTROL_TEXT]; /* all of it as a sentence */
};

/* Every hook counts calls; it may also delay them or answer instead. */
struct k42_control_interpose {
    char method[K42_CONTROL_NAME]; /* which are delayed or answered; empty: all */
    uint64_t delay_ns;             /* at most 1 s */
    int32_t error;                 /* 1 to 4095: what they answer; 0: they are made */
    uint32_t most;                 /* of the calls; 0: all */
};

struct k42_control_placed {
    uint32_t id;
    int32_t result; /* 0, or -ENOENT, -EBUSY (a swap is under way), -ENOTSUP, -ENOMEM, -ENOSPC
                       (too many hooks), -EINVAL (no such method) */
    uint32_t hook;  /* its number in this conversation */
    uint32_t spare;
};

#define K42_CONTROL_BUCKETS 32

struct k42_control_calls {
    char method[K42_CONTROL_NAME];
    uint64_t calls;  /* that came, waits included */
    uint64_t failed; /* that answered an error, other than: */
    uint64_t waits;  /* that were not ready, and are made again */
    uint64_t total_ns, longest_ns;
    uint64_t within[K42_CONTROL_BUCKETS]; /* [n]: calls that took less than 2^n ns, and not less
                                             than half of that; the last: and longer ones */
};

/* ---- policies: one in a conversation ---- */

#define K42_CONTROL_PIECE 4096
#define K42_CONTROL_IMAGE (1024 * 1024) /* no component is longer */

/* The file of a component comes in pieces, in order; the first one, at 0, begins anew. */
struct k42_control_piece {
    uint32_t at, length, size; /* where it belongs, of how many bytes it is; of the file */
    uint32_t spare;
    uint8_t bytes[K42_CONTROL_PIECE];
};

/*
 * Runs the policy that the component in those pieces is: its class serves the objects named by ids,
 * or all of a scope, until the conversation ends; ids may be none, and are with a scope. While it
 * runs, further ids may follow in requests without pieces before them, of which nothing else
 * counts.
 */
struct k42_control_policy {
    char
        class_[K42_CONTROL_NAME]; /* of the component's; empty: the one of the objects' interface */
    char scope[K42_CONTROL_NAME]; /* a class: what is of it, now and from now on; empty: ids */
    char metric[K42_CONTROL_NAME]; /* that is watched: "latency", "errors", "waits" of calls, or
                                      what COUNTERS names; empty: none */
    uint64_t window_ns;            /* over which it is compared; 0: 1 s; at most 60 s */
    uint64_t stall_ns;             /* no call may last longer; 0: 1 s; at most 60 s */
    uint32_t errors;               /* percent of the calls that may fail; 0: 10 */
    uint32_t worse;                /* percent that the metric may be worse than before */
};

enum k42_control_run_state { K42_RUN_BEGINS, K42_RUN_ACTIVE, K42_RUN_GOES, K42_RUN_OVER };

/* Why it goes or is over. */
enum k42_control_run_why {
    K42_RUN_RUNS,
    K42_RUN_REFUSED, /* it never was active */
    K42_RUN_ASKED,
    K42_RUN_REPLACED, /* another one has all its objects */
    K42_RUN_STALLED,  /* a call lasted too long */
    K42_RUN_FAILED,   /* too many calls failed */
    K42_RUN_WORSE,    /* the metric was worse than before */
};

/*
 * How it is. RUN with a number answers when `changes` is not that number any more, or at once when
 * it is 0.
 */
struct k42_control_run {
    uint32_t state, why;
    int32_t result; /* of REFUSED: a negative errno */
    uint32_t changes;
    uint64_t objects;                        /* that have the policy now */
    uint64_t taken;                          /* that had another run's */
    uint64_t returned;                       /* that are what they were again */
    uint64_t left;                           /* that were gone, or changed by somebody else */
    uint64_t held;                           /* that calls do not leave */
    uint64_t calls, failed, waits, total_ns; /* since it is active */
    char component[K42_CONTROL_NAME], class_[K42_CONTROL_NAME];
    char text[K42_CONTROL_TEXT]; /* why, as a sentence */
};

struct k42_control_counter {
    char name[K42_CONTROL_NAME];
    uint64_t value;
};

#endif
