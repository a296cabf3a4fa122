/*
 * What the personality's files share: how programs enter the kernel, and how the first one starts.
 */
#ifndef KERNEL_LINUX_CALL_H
#define KERNEL_LINUX_CALL_H

#include "../arch/x86_64/user.h"
#include "../sched/thread.h"
#include "linux.h"

#define LINUX_CALL_NUMBERS 512

/* By number, from calls.txt; NULL: Linux has no such number. */
extern const char *const linux_call_names[LINUX_CALL_NUMBERS];

/* Makes the table of calls; panics when it makes no sense. */
void linux_calls_open(void);

/* What a number is: for what carries out calls otherwise than by a program's making them. */
linux_call_fn linux_call_of(unsigned number);

/* Has memory's end taken care of. */
void out_of_memory_open(void);
/* A page could not be had: has somebody end and waits a moment for what that gives back. False:
 * there is nobody to end, or it is the caller. Inactive. */
bool out_of_memory_wait(void);

/*
 * Where the kernel takes memory for itself, be it for a program, nobody can wait for it: tables of
 * programs' pages, records of what is mapped, stacks of threads. Nor does it help to wait for one
 * frame at a time with the others in hand. So a call that was refused some gives back all that it
 * had, waits here, active, for frames below its limits, and is made anew:
 *
 *     MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, map_once(&request)));
 *
 * Whatever fails with -ENOMEM for another reason, as for a limit of the process, fails at once. So
 * does a call when there is no memory to come, or its thread is to end; and after 32 attempts.
 */
struct memory_attempt {
    uint64_t refused; /* how often memory had been when it began */
    unsigned tries, awaited;
};
void memory_begin(struct memory_attempt *attempt);
/* Memory is said to be lacking. True: the call is to be made again. */
bool memory_again(struct memory_attempt *attempt);

#define MEMORY_CALL(result, ...)                                                                   \
    do {                                                                                           \
        struct memory_attempt attempt_;                                                            \
        memory_begin(&attempt_);                                                                   \
        do {                                                                                       \
            __VA_ARGS__;                                                                           \
        } while ((result) == -ENOMEM && memory_again(&attempt_));                                  \
    } while (0)

/* The members of the personality; and what copies need of it. */
void personality_open(void);
void linux_system_call(struct trap_frame *frame);
int linux_fault(struct trap_frame *frame, uintptr_t address);
void linux_trap(struct trap_frame *frame, uintptr_t address, int reason);
void linux_work(struct trap_frame *frame);
extern const struct personality linux_personality;
/* The same for a thread with restartable sequences: it minds losing its CPU. */
extern const struct personality linux_sequence_personality;

/* Before anything of Linux runs; once. */
void linux_open(void);
/* Starts the first program, in a thread of its own; panics when there is none. */
void linux_start(void);

#endif
