/*
 * Name spaces as files: what stands behind /proc/PID/ns.
 *
 * A name space is counted by the tasks that are in it and by who has its file open. Its node is
 * made and ends with it. There are those of the host's names, which are made by unshare() and
 * clone(); and the one of mounts, which all tasks are in.
 *
 * Opening the node gives a file that keeps the name space. Any thread; nothing waits.
 */
#ifndef KERNEL_LINUX_NAME_SPACE_H
#define KERNEL_LINUX_NAME_SPACE_H

#include "../../fs/node.h"

#include <linux/sched.h>

struct name_space {
    uint32_t references;                    /* atomic */
    uint32_t kind;                          /* CLONE_NEW...; constant */
    uint64_t number;                        /* st_ino; constant */
    k42_ref node;                           /* constant */
    void (*free)(struct name_space *space); /* once nobody can see it any more */
};

/* A number that none had before. */
uint64_t name_space_number(void);

/* One reference more. False: it is going. */
bool name_space_hold(struct name_space *space);
void name_space_release(struct name_space *space);

/* Makes the node of a new one. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result name_space_open(struct name_space *space);

/* What a descriptor's file keeps; of use while the caller is active. Errors: -EBADF, -EINVAL. */
K42_MUST_CHECK
k42_result name_space_get(int fd, struct name_space **space);

static inline const char *name_space_name(unsigned kind) {
    return kind == CLONE_NEWUTS ? "uts" : "mnt";
}
enum { NAME_SPACE_KIND = 0xb703 }; /* ioctl: which one a file is of */

/* The one of a task, of NULL the machine's; and the one of all. They last while the caller is
 * active. */
struct task;
struct name_space *name_space_of_host(const struct task *task);
extern struct name_space name_space_of_mounts;

/* Adds ns to what /proc tells of a process. Active. */
void name_spaces_proc_register(void);

#endif
