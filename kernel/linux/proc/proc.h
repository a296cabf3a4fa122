/*
 * What the personality shows in /proc of processes and of the machine.
 */
#ifndef KERNEL_LINUX_PROC_H
#define KERNEL_LINUX_PROC_H

#include "../../fs/procfs/procfs.h"

/* Registers both; once, when there is a procfs. */
void proc_processes_register(void);
void proc_machine_register(void);
void proc_terminals_register(void);
void proc_k42_register(void);
/* A file of /proc/k42. */
void proc_replacement_register(struct proc_entry *k42);

/* `allows` of what only who may trace a process may know of it: 0, -EACCES, -ENOENT. */
k42_result proc_may_trace(const struct proc_key *key);

/* Files of a process, and of its threads, that can be written as well, and what goes with them. */
void proc_adjustable_register(struct proc_entry *process, struct proc_entry *thread);
/* Files of /proc/sys that say what is fixed here. */
void proc_settings_register(struct proc_entry *kernel, struct proc_entry *vm,
                            struct proc_entry *fs);
/* Of those that can be told something. */
void proc_leases_register(struct proc_entry *fs);
/* linux/events/faults/ */
void proc_faults_register(struct proc_entry *vm);

/* What /proc/meminfo and /proc/vmstat have. */
k42_result proc_print_meminfo(const struct proc_key *key, struct proc_text *text);
k42_result proc_print_vmstat(const struct proc_key *key, struct proc_text *text);

/* What /proc/cpuinfo has. */
k42_result proc_print_cpuinfo(const struct proc_key *key, struct proc_text *text);

/* /proc/k42/chaos. */
k42_result proc_print_chaos(const struct proc_key *key, struct proc_text *text);
k42_result proc_write_chaos(const struct proc_key *key, const char *bytes, size_t size);

/* Hexadecimal digits, at least so many. */
void proc_print_hex(struct proc_text *text, uint64_t number, unsigned digits);

#endif
