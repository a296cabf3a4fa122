/*
 * What interrupt handlers leave to threads: each CPU has one that does it.
 *
 * A piece of work belongs to a driver. Raising it, in any context, has its CPU's thread call
 * fn(work), active, with interrupts on, at least once after the raise; raises that come before it
 * ran are one. fn does not wait: it calls objects, which never do.
 */
#ifndef KERNEL_DEV_WORK_H
#define KERNEL_DEV_WORK_H

#include <stdint.h>

struct work {
    void (*fn)(struct work *work);
    struct work *next; /* work.c's, as the next two */
    uint32_t cpu;
    uint32_t raised;
};

/* Starts the threads. 0 or -ENOMEM. Once, on the boot CPU. */
int work_open(void);

static inline void work_init(struct work *work, uint32_t cpu, void (*fn)(struct work *work)) {
    *work = (struct work){.fn = fn, .cpu = cpu};
}

/* Any context. */
void work_raise(struct work *work);

/*
 * After this fn neither runs nor will: nobody raises the work any more. Waits; inactive callers
 * only, not from a piece of work.
 */
void work_settle(struct work *work);

#endif
