/*
 * What the files of the Linux host share among themselves; nobody outside core/host includes it.
 */
#ifndef K42_CORE_HOST_H
#define K42_CORE_HOST_H

#include "../platform.h"

/* True when `address` is, or once was, the start of a table that k42_platform_table_map() made. */
int k42_host_table_known(uintptr_t address);

/*
 * From core/table.c: the head of a CPU below k42_cpu_limit(), or NULL. The one thing that this
 * platform asks of the runtime, since a rendezvous must look at every CPU.
 */
struct k42_cpu_head *k42_cpu_head_of(uint32_t cpu);

/* The calling thread is another one now: the child of a fork. */
void k42_host_forget_thread_id(void);
/* Likewise: no rendezvous is under way there. */
void k42_host_rendezvous_after_fork(void);

#endif
