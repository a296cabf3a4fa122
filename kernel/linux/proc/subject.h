/*
 * What the files of /proc/PID and /proc/PID/task/TID are about. Nothing is held: who prints is
 * active, which keeps what was found.
 */
#ifndef KERNEL_LINUX_PROC_SUBJECT_H
#define KERNEL_LINUX_PROC_SUBJECT_H

#include "../../fs/procfs/procfs.h"
#include "../process/lives.h"

/* What a file is about: a process and one of its tasks, if any is left. */
struct subject {
    process_ref process;
    struct task *task; /* or NULL */
    bool first_left;   /* the process's first thread has left it; `task` is another one */
    struct process_info info;
    struct process_times times;
    struct space_usage usage;
    struct space_marks marks;
};

/* False: there is none any more. processes.c */
bool subject_find(const struct proc_key *key, struct subject *subject);

const char *subject_name(const struct subject *subject);
const char *subject_state(const struct subject *subject);

/* The texts of files that have one of their own: maps.c, limits.c, memory.c, status.c. 0 or -ESRCH.
 */
k42_result subject_print_maps(const struct proc_key *key, struct proc_text *text);
k42_result subject_print_limits(const struct proc_key *key, struct proc_text *text);
k42_result subject_print_status(const struct proc_key *key, struct proc_text *text);
k42_result subject_print_auxv(const struct proc_key *key, struct proc_text *text);

/* A line of maps, without more. 0, -K42_WAIT. */
k42_result subject_print_mapping(struct proc_text *text, const struct space_mapping *mapping,
                                 const struct space_marks *marks);
/* What there is of its pages, and of each: smaps.c. */
k42_result subject_print_smaps(const struct proc_key *key, struct proc_text *text);
k42_result subject_print_rollup(const struct proc_key *key, struct proc_text *text);
k42_result subject_move_pagemap(const struct proc_key *key, uint64_t at, struct copy *copy,
                                bool write);
/* The call that it is in: memory.c. And where in the kernel: stack.c. */
k42_result subject_print_call(const struct proc_key *key, struct proc_text *text);
k42_result subject_print_stack(const struct proc_key *key, struct proc_text *text);
/* What it has read and written, and its children: relations.c. */
k42_result subject_print_io(const struct proc_key *key, struct proc_text *text);
k42_result subject_print_children(const struct proc_key *key, struct proc_text *text);
/* What its core dumps have, and which pages count as used: memory_marks.c. */
k42_result subject_print_core_kinds(const struct proc_key *key, struct proc_text *text);
k42_result subject_write_core_kinds(const struct proc_key *key, const char *bytes, size_t size);
k42_result subject_write_forget(const struct proc_key *key, const char *bytes, size_t size);

/* Its memory, for who may trace it: memory.c. */
k42_result subject_move(const struct proc_key *key, uint64_t at, struct copy *copy, bool write);

#endif
