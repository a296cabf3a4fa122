/* set_mempolicy, get_mempolicy, mbind, on a machine with one node. */
#include "abi.h"

#include <linux/mempolicy.h>

static void somebody(void) {
    char *at = pages(1);
    be(SOMEBODY);
    fails(EPERM, mbind, at, 4096, MPOL_DEFAULT, NULL, 0, MPOL_MF_MOVE_ALL);
}

static void told(char *at) {
    int policy = 9;
    uint64_t nodes[16] = {9};
    gives(0, get_mempolicy, &policy, nodes, 1024, at, MPOL_F_ADDR);
    say("%x %ld", policy, (long)nodes[0]);
}

static char *kept;

static void child(void) {
    told(kept);
    told(kept + 4096);
}

/* Each mapping has its own, which goes where it goes. */
static void mappings(void) {
    uint64_t first = 1;
    kept = pages(4);
    gives(0, mbind, kept + 4096, 4096, MPOL_BIND | MPOL_F_STATIC_NODES, &first, 64, 0);
    gives(0, mbind, kept + 8192, 4096, MPOL_INTERLEAVE, &first, 64, 0);
    gives(0, set_mempolicy, MPOL_PREFERRED, &first, 64);
    for (int i = 0; i < 4; i++)
        told(kept + i * 4096);
    in_child("child", child);
    gives(0, mprotect, kept, 4 * 4096, PROT_READ);
    told(kept + 4096);
    char *to = pages(2);
    works(mremap, kept + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, to);
    told(to);
    gives(0, set_mempolicy_home_node, to, 4096, 0, 0);
    fails(ENOENT, set_mempolicy_home_node, kept, 4096, 0, 0);
    fails(EOPNOTSUPP, set_mempolicy_home_node, kept + 8192, 4096, 0, 0);
    gives(0, mbind, kept + 8192, 4096, MPOL_DEFAULT, NULL, 0, 0);
    told(kept + 8192);
    fails(ENOENT, set_mempolicy_home_node, kept + 8192, 4096, 0, 0);
    gives(0, mbind, kept + 8192, 4096, MPOL_PREFERRED, NULL, 0, 0);
    told(kept + 8192);
    gives(0, set_mempolicy, MPOL_DEFAULT, NULL, 0);
}

int main(void) {
    int policy = 9;
    uint64_t nodes[16] = {9}, first = 1, absent = 1ul << 40, none = 0;
    char *at = pages(4);
    at[0] = 1;
    gives(0, get_mempolicy, &policy, NULL, 0, NULL, 0);
    is("policy", policy, MPOL_DEFAULT);
    gives(0, get_mempolicy, &policy, nodes, 1024, NULL, MPOL_F_MEMS_ALLOWED);
    is("nodes", nodes[0], 1);
    gives(0, set_mempolicy, MPOL_BIND, &first, 64);
    gives(0, get_mempolicy, &policy, nodes, 1024, NULL, 0);
    say("%d %ld", policy, (long)nodes[0]);
    gives(0, set_mempolicy, MPOL_PREFERRED, NULL, 0);
    gives(0, get_mempolicy, &policy, nodes, 1024, NULL, 0);
    say("%d %ld", policy, (long)nodes[0]);
    gives(0, set_mempolicy, MPOL_INTERLEAVE | MPOL_F_STATIC_NODES, &first, 64);
    gives(0, get_mempolicy, &policy, NULL, 0, NULL, 0);
    say("%x", policy);
    gives(0, set_mempolicy, MPOL_DEFAULT, NULL, 0);
    gives(0, get_mempolicy, &policy, NULL, 0, at, MPOL_F_NODE | MPOL_F_ADDR);
    is("node", policy, 0);
    fails(EINVAL, set_mempolicy, 99, NULL, 0);
    fails(EINVAL, set_mempolicy, MPOL_BIND, NULL, 0);
    fails(EINVAL, set_mempolicy, MPOL_BIND, &none, 64);
    fails(EINVAL, set_mempolicy, MPOL_BIND, &absent, 64);
    fails(EINVAL, set_mempolicy, MPOL_DEFAULT, &first, 64);
    fails(EINVAL, set_mempolicy, MPOL_LOCAL, &first, 64);
    fails(EINVAL, set_mempolicy, MPOL_BIND, &first, 0);
    fails(EFAULT, set_mempolicy, MPOL_BIND, BAD, 64);
    gives(0, get_mempolicy, &policy, at, 8192, NULL, 0);
    fails(EINVAL, get_mempolicy, &policy, nodes, 0, NULL, 0);
    fails(EINVAL, get_mempolicy, &policy, NULL, 0, NULL, 64);
    fails(EINVAL, get_mempolicy, &policy, NULL, 0, at, 0);
    fails(EINVAL, get_mempolicy, &policy, NULL, 0, NULL, MPOL_F_MEMS_ALLOWED | MPOL_F_NODE);
    fails(EINVAL, get_mempolicy, &policy, NULL, 0, NULL, MPOL_F_NODE);
    fails(EFAULT, get_mempolicy, BAD, NULL, 0, NULL, 0);
    fails(EFAULT, get_mempolicy, &policy, BAD, 1024, NULL, 0);
    fails(EFAULT, get_mempolicy, &policy, NULL, 0, BAD, MPOL_F_ADDR);
    gives(0, mbind, at, 8192, MPOL_BIND, &first, 64, 0);
    gives(0, mbind, at, 8192, MPOL_DEFAULT, NULL, 0, MPOL_MF_STRICT);
    gives(0, mbind, at, 0, MPOL_DEFAULT, NULL, 0, 0);
    fails(EINVAL, mbind, at + 1, 4096, MPOL_BIND, &first, 64, 0);
    fails(EINVAL, mbind, at, 4096, MPOL_BIND, &first, 64, 64);
    fails(EINVAL, mbind, at, 4096, 99, &first, 64, 0);
    fails(EFAULT, mbind, at, 4096, MPOL_BIND, BAD, 64, 0);
    munmap(at + 4096, 4096);
    fails(EFAULT, mbind, at, 3 * 4096, MPOL_BIND, &first, 64, 0);
    mappings();
    in_child("somebody", somebody);
}
