/* migrate_pages, move_pages, set_mempolicy_home_node, on a machine with one node. */
#include "abi.h"

#include <linux/mempolicy.h>

#define ALL 64

static void somebody(void) {
    uint64_t first = 1;
    void *at = pages(1);
    int told;
    be(SOMEBODY);
    fails(EPERM, migrate_pages, getppid(), ALL, &first, &first);
    fails(EPERM, move_pages, getppid(), 1, &at, NULL, &told, 0);
    fails(EPERM, move_pages, 0, 1, &at, NULL, &told, MPOL_MF_MOVE_ALL);
}

static void pages_of(void) {
    char *at = pages(3);
    void *which[4] = {at, at + 4096, at + 8192 + 77, (void *)64};
    int nodes[4] = {0}, told[4] = {9, 9, 9, 9}, absent[4] = {0, 99, 0, 0};
    at[0] = at[8192] = 1;
    gives(0, move_pages, 0, 4, which, NULL, told, 0);
    say("%d %d %d %d", told[0], told[1], told[2], told[3]);
    told[0] = told[1] = told[2] = told[3] = 9;
    gives(0, move_pages, getpid(), 4, which, nodes, told, MPOL_MF_MOVE);
    say("%d %d %d %d", told[0], told[1], told[2], told[3]);
    gives(0, move_pages, 0, 0, which, nodes, told, MPOL_MF_MOVE_ALL);
    fails(ENODEV, move_pages, 0, 4, which, absent, told, MPOL_MF_MOVE);
    fails(EINVAL, move_pages, 0, 1, which, NULL, told, 64);
    fails(EFAULT, move_pages, 0, 1, BAD, NULL, told, 0);
    fails(EFAULT, move_pages, 0, 1, which, NULL, BAD, 0);
    fails(EFAULT, move_pages, 0, 1, which, BAD, told, MPOL_MF_MOVE);
    fails(ESRCH, move_pages, 0x7ffffff, 1, which, NULL, told, 0);
}

int main(void) {
    uint64_t first = 1, none = 0;
    char *at = pages(2);
    pages_of();
    gives(0, migrate_pages, 0, ALL, &first, &first);
    gives(0, migrate_pages, getpid(), ALL, &none, &first);
    fails(EINVAL, migrate_pages, 0, ALL, &first, &none);
    fails(EINVAL, migrate_pages, 0, 1 << 20, &first, &first);
    fails(EFAULT, migrate_pages, 0, ALL, BAD, &first);
    fails(EFAULT, migrate_pages, 0, ALL, &first, BAD);
    fails(ESRCH, migrate_pages, 0x7ffffff, ALL, &first, &first);
    in_child("somebody", somebody);
    works(mbind, at, 8192, MPOL_BIND, &first, ALL, 0);
    gives(0, set_mempolicy_home_node, at, 8192, 0, 0);
    gives(0, set_mempolicy_home_node, at, 0, 0, 0);
    fails(EINVAL, set_mempolicy_home_node, at + 1, 4096, 0, 0);
    fails(EINVAL, set_mempolicy_home_node, at, 4096, 0, 1);
    fails(EINVAL, set_mempolicy_home_node, at, 4096, 1000, 0);
    munmap(at, 8192);
    fails(ENOENT, set_mempolicy_home_node, at, 4096, 0, 0);
}
