/*
 * Restartable sequences (rseq), for whoever disturbs them. See restartable.c.
 */
#ifndef KERNEL_LINUX_RESTARTABLE_H
#define KERNEL_LINUX_RESTARTABLE_H

struct task;

/* The calling task has lost its CPU, or a signal is about to change its registers: a sequence that
 * it is in ends. A SIGSEGV when what it says of that is wrong. */
void restartable_disturbed(struct task *task);

/* It has no such memory any more. */
void restartable_end(struct task *task);

#endif
