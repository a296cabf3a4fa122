/*
 * Single root: the object is one allocation, and its one representative lies inside.
 *
 * Stateless: finding is an addition.
 */
#include "runtime.h"

static k42_result single_find(struct k42_root *root, uint32_t cpu, void **rep) {
    (void)cpu;
    *rep = (char *)root + root->class_->rep_offset;
    return 0;
}

static void single_end(struct k42_root *root) {
    if (root->class_->fini)
        root->class_->fini(root);
    k42_platform_free(root);
}

const struct k42_root_kind k42_single = {"single", single_find, single_end};
