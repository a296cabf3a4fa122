/*
 * How tracing begins and ends, as the call has it (attach.c).
 */
#ifndef KERNEL_PTRACE_ATTACH_H
#define KERNEL_PTRACE_ATTACH_H

#include <k42/base.h>
#include <stdbool.h>

struct task;
struct tracee;

/* PTRACE_TRACEME. */
K42_MUST_CHECK
k42_result tracing_wished(void);
/* PTRACE_ATTACH and PTRACE_SEIZE. */
K42_MUST_CHECK
k42_result tracing_begins(struct task *task, bool seize, uintptr_t address, uint64_t options);
/* PTRACE_INTERRUPT. */
K42_MUST_CHECK
k42_result tracing_interrupts(struct task *task, const struct tracee *tracee);
/* PTRACE_DETACH, of one that has stopped. */
K42_MUST_CHECK
k42_result tracing_ends(struct tracee *tracee, uint64_t signal);

#endif
