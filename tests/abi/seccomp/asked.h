/*
 * A filter that has somebody else asked about one call, getpgid(), and allows all others.
 */
#ifndef ABI_ASKED_H
#define ABI_ASKED_H

#include "../abi.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

static struct sock_filter program[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};
static struct sock_fprog filter = {4, program};

#endif
