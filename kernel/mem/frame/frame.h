/*
 * Frames: physical memory in blocks of 2^order pages, each with a record that says whose it is.
 *
 * Unless it says otherwise a function may be called in any context, the page fault handler with
 * interrupts off included, takes none but the allocator's own locks, and does not wait.
 *
 * Every block is charged to a consumer: an address space, a page cache, or (NULL) the kernel. A
 * consumer that holds little gets its pages from chunks it shares with other small ones; one that
 * has grown gets chunks of 2 MiB of its own, so that what ends together lies together. Whole chunks
 * go back to everybody as soon as they are empty.
 */
#ifndef K42_KERNEL_FRAME_H
#define K42_KERNEL_FRAME_H

#include "../machine.h"

#define FRAME_SHIFT       MACHINE_PAGE_SHIFT
#define FRAME_BYTES       MACHINE_PAGE_SIZE
#define FRAME_ORDER_CHUNK 9u  /* 2 MiB */
#define FRAME_ORDER_MAX   18u /* 1 GiB */

/*
 * The record of one frame. While a block is in use its head's `tag`, `holds` and `user` belong to
 * whoever allocated it (all zero to begin with, as are those of the other frames of a block smaller
 * than a chunk); of a larger block only the head has a record.
 */
struct frame {
    uint32_t number;   /* physical address / FRAME_BYTES */
    uint16_t kind;     /* the allocator's: state and order */
    uint16_t tag;      /* its user's */
    uint32_t holds;    /* its user's: references, holds of a page in transit */
    uint32_t consumer; /* the allocator's: number of who is charged */
    union {
        uintptr_t user[2]; /* its user's */
        struct {
            struct frame *next, *previous; /* the allocator's, while free */
        };
    };
};
_Static_assert(sizeof(struct frame) == 32, "the record of a frame is 1/128 of it");

/* ---- boot ---- */

enum frame_range_kind {
    FRAME_RANGE_FREE,
    FRAME_RANGE_KEPT, /* memory in use that frames_release() may give later, a boot module say */
};

/* Physical addresses, end exclusive. Parts of frames at the ends of a free range are not used. */
struct frame_range {
    uint64_t start, end;
    enum frame_range_kind kind;
};

/*
 * Takes the machine's memory, ranges in any order. The records go to the start of the largest free
 * range. Once, on one CPU. 0; -EINVAL: ranges overlap or lie above 16 TiB; -ENOMEM: the largest
 * range does not hold the records. The log says which.
 */
int frames_open(const struct frame_range *ranges, size_t count);

/* Frees what is in a range given as kept. -EINVAL: some of it was not, and nothing happens. */
int frames_release(uint64_t start, uint64_t end);

/* ---- blocks ---- */

struct frame_consumer;

/*
 * A block of 2^order frames, aligned to its size; contents undefined. 0, or -ENOMEM, or -EINVAL for
 * an order above FRAME_ORDER_MAX.
 */
int frame_allocate(unsigned order, struct frame_consumer *consumer, struct frame **frame);

/* Frees a block with the order it was allocated with; anything else is a panic that names it. */
void frame_free(struct frame *frame, unsigned order);

/* Makes a block of 2 MiB in use into single frames in use, charged to the same consumer; of what
 * their user keeps in their records nothing is left. Any context. */
void frame_part(struct frame *block);

/* A single frame full of zeros; and one that is full of zeros when it is freed, as tables are that
 * were emptied: some are kept so. */
int frame_allocate_zeroed(struct frame_consumer *consumer, struct frame **frame);
void frame_free_zeroed(struct frame *frame);

static inline uint64_t frame_physical(const struct frame *frame) {
    return (uint64_t)frame->number << FRAME_SHIFT;
}

static inline void *frame_memory(const struct frame *frame) {
    return machine_memory(frame_physical(frame));
}

/* The records of each GiB of physical addresses: where the record of its first frame would be. */
extern uintptr_t *frame_records;

/* The record of the frame at a physical address, which must be of memory given at boot. */
static inline struct frame *frame_at(uint64_t physical) {
    uint64_t number = physical >> FRAME_SHIFT;
    return (struct frame *)(frame_records[number >> FRAME_ORDER_MAX] +
                            (number & ((1ul << FRAME_ORDER_MAX) - 1)) * sizeof(struct frame));
}
/* The same for any address; NULL: not memory of ours, or inside a block larger than a chunk. */
struct frame *frame_find(uint64_t physical);

/*
 * A single frame that a page cache and page tables have at the same time: a page that went to the
 * swap for one of several programs. `holds` counts the entries of page tables that have it, and has
 * this bit while the cache does; `user[0]` says to both who was charged. Nobody writes to it. Who
 * lets go of it last gives it back.
 */
#define FRAME_CACHED (1u << 31)

/* The cache lets go of a frame, of either kind; true: it was the last, and gives it back. */
static inline bool frame_leave_cache(struct frame *frame) {
    if (!(__atomic_load_n(&frame->holds, __ATOMIC_ACQUIRE) & FRAME_CACHED))
        return true;
    return __atomic_and_fetch(&frame->holds, ~FRAME_CACHED, __ATOMIC_ACQ_REL) == 0;
}

/* The order of a block in use. */
static inline unsigned frame_order(const struct frame *frame) {
    return __atomic_load_n(&frame->kind, __ATOMIC_RELAXED) & 0xff;
}

/* ---- consumers ---- */

enum frame_consumer_flags {
    FRAME_URGENT = 1, /* may take the last frames, which are kept for those who cannot fail */
};

/* A consumer with a name of static life; NULL: no memory, or 262,143 of them exist. */
struct frame_consumer *frame_consumer_create(const char *name, unsigned flags);
/* Ends a consumer. Frames it still uses, which are returned, are the kernel's from then on. */
uint64_t frame_consumer_destroy(struct frame_consumer *consumer);

struct frame_usage {
    const char *name;
    uint64_t used;   /* frames charged */
    uint64_t chunks; /* of its own */
    uint64_t idle;   /* frames of its chunks that nobody uses */
};

/* What a consumer (NULL: the kernel) uses now. */
void frame_consumer_usage(struct frame_consumer *consumer, struct frame_usage *usage);
/* Calls visit for the kernel's and every other consumer's usage; interrupts are off meanwhile. */
void frame_consumers_each(void (*visit)(void *argument, const struct frame_usage *usage),
                          void *argument);

/* ---- how much there is ---- */

/* In frames. present = free + idle + cached + used + kept + records. Exact when nothing moves. */
struct frame_statistics {
    uint64_t present, records, kept;
    uint64_t free;   /* in whole chunks, anybody's; and in chunks of urgent consumers */
    uint64_t last;   /* as many of those are only for the urgent */
    uint64_t idle;   /* in consumers' and shared chunks, anybody's if there is nothing else */
    uint64_t cached; /* by CPUs */
    uint64_t used;
    int largest_order; /* that can be had now without collecting; -1: none */
};
void frames_count(struct frame_statistics *statistics);

/* How often a block could not be had, since the kernel runs. */
uint64_t frames_refused(void);

/* Gives everything that CPUs cache back to where it came from. */
void frames_collect(void);

/* ---- running low ---- */

enum frame_pressure {
    FRAME_PRESSURE_NONE,
    FRAME_PRESSURE_LOW,      /* less than 1/16 is free in whole chunks */
    FRAME_PRESSURE_CRITICAL, /* less than 1/64, or a request has failed */
};

/*
 * Somebody who can give frames back. relieve() is called in thread context without locks, may wait,
 * is asked for `wanted` frames and returns how many it freed.
 */
struct frame_reliever {
    const char *name;
    uint64_t (*relieve)(struct frame_reliever *self, enum frame_pressure pressure, uint64_t wanted);
    struct frame_reliever *next;
};

void frame_reliever_add(struct frame_reliever *reliever);
/* After this relieve() neither runs nor will. Waits for a relief under way; not from relieve(). */
void frame_reliever_remove(struct frame_reliever *reliever);

/* wake() is called, in any context and with interrupts off, when the pressure rises. */
void frames_watch_pressure(void (*wake)(void));
enum frame_pressure frames_pressure(void);
/*
 * Asks the relievers, in the order they came, until the pressure is gone. Returns what was freed.
 * In thread context; one relief at a time, a second returns 0.
 */
uint64_t frames_relieve(void);

#endif
