/*
 * What programs call the machine: a host's name and its domain, one pair of them for all, or of
 * those who asked for a pair of their own (CLONE_NEWUTS).
 */
#ifndef KERNEL_HOST_NAMES_H
#define KERNEL_HOST_NAMES_H

#include <k42/k42.h>

#define HOST_NAME 65

/* Counted; NULL stands for the machine's own, so that most forks count nothing. */
struct host_names;

struct host_names *host_names_hold(struct host_names *names);
void host_names_release(struct host_names *names);
/* Another pair of the same names, or NULL: no memory. */
struct host_names *host_names_copy(struct host_names *names);
/* The calling task has those of a name space from now on, whose hold it takes over. */
struct name_space;
struct task;
void host_names_enter(struct task *task, struct name_space *space);
/* Copies the names, HOST_NAME bytes each, that the calling task has. */
void host_names_read(char *host, char *domain);

#endif
