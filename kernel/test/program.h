/*
 * For checks: a tiny program in an address space of its own, run by a kernel thread.
 *
 * A program's text is that of user_programs.S. Its frames come from a pool that counts, so that
 * what is not given back is seen. Whatever happens to the program is noted in its record.
 */
#ifndef KERNEL_PROGRAM_H
#define KERNEL_PROGRAM_H

#include "arch/x86_64/user.h"
#include "arch/x86_64/user_pages.h"
#include "sched/thread.h"
#include "user_programs.h"

#define PROGRAM_TRAPS 16

struct program {
    struct user_table *table;
    bool borrowed;      /* the table is another program's */
    uint64_t frames[3]; /* text, data, stack */
    void *state;
    struct thread *thread; /* to be joined; a forked one's is not */
    uint32_t ended;
    uint64_t argument;
    long status; /* once it has ended */
    unsigned trap_count;
    struct {
        uint64_t vector, error, rip;
        uintptr_t address;
    } traps[PROGRAM_TRAPS];

    struct trap_frame forked_frame; /* of one that was forked */

    /* What the check wants. */
    long (*check)(struct program *program, struct trap_frame *frame); /* system call 2 */
    int (*fault)(struct program *program, uintptr_t address);
    uint32_t *word;  /* system call 3 sleeps while it is 0 */
    uint32_t asleep; /* how often it went to sleep */
    unsigned faults; /* how often `fault` was asked */
};

/* Frames out of the pool, and how many are out. */
uint64_t program_frame(void);
void program_frame_give(uint64_t frame);
unsigned program_frames(void);

#define PROGRAM(name) name, name##_end
/* Its address space, with text, data and stack; `like` is whose it shares, or NULL. False: no
 * memory. */
bool program_make(struct program *program, const char *text, const char *end, struct program *like);
/* On a CPU of its own, or ~0 for any. */
bool program_start(struct program *program, uint32_t cpu, uint64_t argument);
/* Makes a program end that runs for ever; its status becomes rbx. */
void program_stop(struct program *program);
/* Its status. Gives all back. */
long program_end(struct program *program);
/* All of that for one that ends by itself. */
long program_run(const char *text, const char *end, uint32_t cpu, uint64_t argument);

bool program_map(struct program *program, uintptr_t address, uint64_t frame, unsigned flags);
/* In the parent's system call: starts a child with these registers in the parent's address space.
 */
bool program_fork(struct program *child, struct program *parent, const struct trap_frame *frame);

#endif
