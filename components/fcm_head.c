/*
 * A replacement policy: when memory is short, the head of the file stays.
 *
 * For databases that keep their directory, and the roots of their trees, at the beginning of the
 * file: whatever is looked for, the way leads through there. Everything behind it goes as in any
 * other page cache.
 *
 *     k42ctl policy run fcm_head.k42 --on file:/srv/base
 *
 * docs/policy.md builds it step by step.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("fcm_head");

enum { HEAD = 64 }; /* pages: 256 KiB */

/* One page, if nobody has it and nothing is under way with it. A dirty one is written back first,
 * and goes another time. */
static bool give_one(struct body *body, uint64_t index) {
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = slot ? page_load(slot) : 0;
    if (!word || page_holds(word) ||
        word & (PAGE_FILLING | PAGE_WRITING | PAGE_LEAVING | PAGE_FRESH | PAGE_USED))
        return false;
    if (word & PAGE_DIRTY && fcm_body_write_back(body, slot, index))
        return false;
    return fcm_body_evict(body, slot, index);
}

/* Asked for so many frames, in the order of the file; only in need is the head given, too. */
static k42_result head_give_back(struct fcm *self, uint64_t wanted) {
    struct body *body = BODY(self);
    uint64_t freed = 0, end = fcm_body_end(body);
    for (uint64_t index = HEAD; index < end && freed < wanted; index++)
        freed += give_one(body, index);
    return freed ? (k42_result)freed : fcm_body_give_back(self, wanted);
}

static const struct fcm_ops head_ops = {
    FCM_BODY_METHODS,
    .read = fcm_body_read,
    .give_back = head_give_back,
};

K42_CLASS(fcm_head) = {
    .name = "fcm.head",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file access=head",
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &head_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
