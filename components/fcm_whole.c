/*
 * A read-ahead policy: the first read of a small file begins to fill all of it.
 *
 * For files that are read as a whole, if not in order: sources, indices, executables. Where a
 * request takes long, it is worth more to ask once for everything than to guess what comes next.
 *
 *     k42ctl load fcm_whole.k42
 *     k42ctl swap --file /srv/index fcm.whole
 *
 * What all page caches do stands in kernel/mem/fcm/body.h and is used as it is; only reading
 * differs. Its own state begins anew with each object: at worst, pages that are there are looked at
 * once more.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("fcm_whole");

#define PAGES_MOST 256u /* of a file that counts as small: 1 MiB */

struct whole {
    struct body body;
    uint32_t begun;
};

/* Of several first readers one asks. What cannot be had at once is asked for by whoever wants it.
 */
static void begin_all(struct body *body) {
    struct whole *whole = k42_container(body, struct whole, body);
    uint64_t end = fcm_body_end(body);
    if (end > PAGES_MOST || __atomic_exchange_n(&whole->begun, 1, __ATOMIC_RELAXED))
        return;
    (void)fcm_body_begin(body, 0, 0, end);
}

static k42_result whole_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    struct body *body = BODY(self);
    if (fcm_body_has_fr(body) &&
        !__atomic_load_n(&k42_container(body, struct whole, body)->begun, __ATOMIC_RELAXED))
        begin_all(body);
    return fcm_body_read(self, offset, copy);
}

static const struct fcm_ops whole_ops = {
    FCM_BODY_METHODS,
    .read = whole_read,
    .give_back = fcm_body_give_back,
};

K42_CLASS(fcm_whole) = {
    .name = "fcm.whole",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file access=whole",
    .kind = &k42_single,
    .root_size = sizeof(struct whole),
    .rep_offset = offsetof(struct whole, body.rep),
    .ops = &whole_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
