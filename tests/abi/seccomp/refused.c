/* Filters that are none, and who may not have any. */
#include "abi.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

static struct sock_filter good[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
static struct sock_fprog all = {1, good};

static void somebody(void) {
    be(SOMEBODY);
    fails(EACCES, seccomp, SECCOMP_SET_MODE_FILTER, 0, &all);
    fails(EACCES, prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &all);
    gives(0, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(0, seccomp, SECCOMP_SET_MODE_FILTER, 0, &all);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
}

int main(void) {
    struct sock_filter endless[] = {BPF_STMT(BPF_LD | BPF_IMM, 0)};
    struct sock_filter wild[] = {BPF_STMT(BPF_JMP | BPF_JA, 5), good[0]};
    struct sock_filter byte[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), good[0]};
    struct sock_fprog empty = {0, good}, nowhere = {1, BAD}, long_one = {5000, good};
    struct sock_fprog first = {1, endless}, second = {2, wild}, third = {2, byte};
    unsigned action = SECCOMP_RET_TRAP, none = 0x12340000;
    fails(EINVAL, seccomp, 99, 0, NULL);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_STRICT, 0, &all);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, 0x8000, &all);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, 0, &empty);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, 0, &long_one);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, 0, &first);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, 0, &second);
    fails(EINVAL, seccomp, SECCOMP_SET_MODE_FILTER, 0, &third);
    fails(EFAULT, seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD);
    fails(EFAULT, seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere);
    fails(EINVAL, prctl, PR_SET_SECCOMP, 99, NULL);
    gives(0, seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
    fails(EOPNOTSUPP, seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &none);
    fails(EINVAL, seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &action);
    fails(EFAULT, seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BAD);
    in_child("somebody", somebody);
}
