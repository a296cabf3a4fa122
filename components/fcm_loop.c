/*
 * A replacement policy: when memory is short, the end of the file goes first.
 *
 * For files that are read again and again from one end to the other and do not fit into memory. A
 * clock, or least recently used, then gives back just what is wanted next, and every round reads
 * everything anew. Here the beginning stays, and each round finds as much as there is room for.
 *
 *     k42ctl load fcm_loop.k42
 *     k42ctl swap --file /srv/table fcm.loop
 *
 * What all page caches do stands in kernel/mem/fcm/body.h and is used as it is; only giving back
 * differs. Where the hand stands begins anew with each object.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("fcm_loop");

enum { LOOKS_PER_FRAME = 4, LOOKS_LEAST = 64 };

struct loop {
    struct body body;
    uint64_t hand; /* pages from this one on have been asked; 0: it begins at the end */
};

/* That it was used lately is why it goes. One that is dirty is written back first. */
static bool give_one(struct body *body, uint64_t index) {
    uint64_t *slot = page_tree_find(&body->its.tree, index);
    uint64_t word = slot ? page_load(slot) : 0;
    if (!word || page_holds(word) ||
        word & (PAGE_FILLING | PAGE_WRITING | PAGE_LEAVING | PAGE_FRESH))
        return false;
    if (word & PAGE_USED)
        (void)page_change(slot, &word, word & ~(uint64_t)PAGE_USED);
    if (word & PAGE_DIRTY && fcm_body_write_back(body, slot, index))
        return false;
    return fcm_body_evict(body, slot, index);
}

/* Backwards through the file, for a bounded time. The clock gets what is left to give, such as
 * pages that nobody has come for. */
static k42_result loop_give_back(struct fcm *self, uint64_t wanted) {
    struct body *body = BODY(self);
    struct loop *loop = k42_container(body, struct loop, body);
    uint64_t hand = __atomic_load_n(&loop->hand, __ATOMIC_RELAXED), freed = 0;
    uint64_t end = fcm_body_end(body), looks = wanted * LOOKS_PER_FRAME + LOOKS_LEAST;
    if (!wanted)
        return fcm_body_give_back(self, 0);
    if (!hand || hand > end)
        hand = end;
    for (; freed < wanted && hand && looks; looks--)
        freed += give_one(body, --hand);
    __atomic_store_n(&loop->hand, hand, __ATOMIC_RELAXED);
    return freed ? (k42_result)freed : fcm_body_give_back(self, wanted);
}

static const struct fcm_ops loop_ops = {
    FCM_BODY_METHODS,
    .read = fcm_body_read,
    .give_back = loop_give_back,
};

K42_CLASS(fcm_loop) = {
    .name = "fcm.loop",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file access=loop",
    .kind = &k42_single,
    .root_size = sizeof(struct loop),
    .rep_offset = offsetof(struct loop, body.rep),
    .ops = &loop_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
