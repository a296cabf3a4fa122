/*
 * Which address spaces send pages to the swap: each in turn, some pages, from one where relief's
 * thread left off.
 *
 * Address spaces are found by walking the objects of their interface, so nobody keeps a list of
 * them, and processes come and go without meeting here.
 *
 * Owns: where the walk stands. Locking: none, relief's thread alone comes here. Fails: never.
 */
#include "page_out.h"

#include "../pm/pm.h"
#include "../space/space.h"
#include "runtime.h"
#include "swap.h"

#include <k42/k42.h>

enum { ON_THE_WAY_MOST = 512, SHARE = 64 };

struct walk {
    k42_ref pm;
    uint64_t wanted, sent, hopeful;
};

static k42_id stands_at;

/* Asks one address space as long as it has something. */
static struct k42_pair send(space_ref space, const struct walk *walk) {
    struct k42_pair sent, all = {0, 0};
    do {
        uint64_t rest = walk->wanted - walk->sent - (uint64_t)all.result;
        sent = k42_call(space, page_out, rest, walk->pm);
        if (sent.result < 0)
            break;
        all.result += sent.result;
        all.word = sent.word;
    } while (sent.result && (uint64_t)all.result < SHARE &&
             walk->sent + (uint64_t)all.result < walk->wanted);
    return all;
}

static long ask(const struct k42_object_info *info, void *context) {
    struct walk *walk = context;
    k42_enter();
    struct k42_pair sent = send((space_ref)k42_id_ref(info->id), walk);
    k42_exit();
    stands_at = info->id;
    walk->sent += (uint64_t)sent.result;
    walk->hopeful += sent.word;
    return walk->sent >= walk->wanted;
}

static uint64_t page_out(k42_ref pm, uint64_t wanted) {
    struct walk walk = {.pm = pm, .wanted = wanted};
    k42_enter();
    bool many = swap_on_the_way() >= ON_THE_WAY_MOST;
    k42_exit();
    if (many || !wanted)
        return 0;
    if (!k42_each_object_from(stands_at + 1, &space_interface, ask, &walk)) {
        stands_at = 0;
        (void)k42_each_object(&space_interface, ask, &walk);
    }
    k42_enter();
    swap_cancel_spares();
    k42_exit();
    return walk.sent + walk.hopeful;
}

static const struct pm_swap swap = {.is_on = swap_is_on,
                                    .page_out = page_out,
                                    .give_back = swap_give_back,
                                    .on_the_way = swap_on_the_way};

void swap_open(void) {
    pm_swap = &swap;
}
