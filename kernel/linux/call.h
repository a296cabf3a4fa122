/*
 * What the personality's files share: how programs enter the kernel, and how the first one starts.
 */
#ifndef KERNEL_LINUX_CALL_H
#define KERNEL_LINUX_CALL_H

#include "../arch/x86_64/user.h"
#include "../sched/thread.h"

/* Makes the table of calls; panics when it makes no sense. */
void linux_calls_open(void);

/* Has memory's end taken care of. */
void out_of_memory_open(void);
/* A page could not be had: has somebody end and waits a moment for what that gives back. False:
 * there is nobody to end, or it is the caller. Inactive. */
bool out_of_memory_wait(void);
/* Waits, active, until there are so many frames (up to 64) for who was refused kernel memory and
 * has given back what he had. False: there are none to come, or the thread is to end. */
bool memory_await(unsigned frames);

/* The members of the personality; and what copies need of it. */
void personality_open(void);
void linux_system_call(struct trap_frame *frame);
int linux_fault(struct trap_frame *frame, uintptr_t address);
void linux_trap(struct trap_frame *frame, uintptr_t address, int reason);
void linux_work(struct trap_frame *frame);
extern const struct personality linux_personality;

/* Before anything of Linux runs; once. */
void linux_open(void);
/* Starts the first program, in a thread of its own; panics when there is none. */
void linux_start(void);

#endif
