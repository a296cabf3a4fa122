/*
 * The objects that timed loops work on, and what a thread needs to run them; see loops.h.
 */
#include "loops.h"
#include "measure.h"

#include <urcu/urcu-memb.h>
#include <urcu/urcu-qsbr.h>

#include <stdlib.h>
#include <string.h>

extern const struct loop loops_at_0[], loops_at_1[], loops_at_2[], loops_at_3[];
const struct loop *const loops[LOOP_PLACEMENTS] = {loops_at_0, loops_at_1, loops_at_2, loops_at_3};

const struct loop *loop_find(const char *row, const char *variant) {
    for (const struct loop *loop = loops[0]; loop->row; loop++) {
        if (strcmp(loop->row, row) == 0 && strcmp(loop->variant, variant) == 0)
            return loop;
    }
    measure_fail("looking for a loop", variant);
}

void loop_thread_begin(const char *name) {
    measure_require(k42_attach(name), "attaching a thread");
    urcu_memb_register_thread();
    urcu_qsbr_register_thread();
    urcu_qsbr_thread_offline();
}

void loop_thread_end(void) {
    urcu_qsbr_thread_online();
    urcu_qsbr_unregister_thread();
    urcu_memb_unregister_thread();
    measure_require(k42_detach(), "detaching a thread");
}

/* Sees every call before and after, and lets it pass: the least a hook can do. */
static enum k42_verdict see_before(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook, (void)call;
    return K42_PROCEED;
}

static void see_after(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook, (void)call;
}

static struct k42_hook hook = {.before = see_before, .after = see_after};

/* The peers' things, each in a cache line of its own so that none disturbs another. */
static struct {
    struct tally object __attribute__((aligned(64)));
    struct tally *shared __attribute__((aligned(64)));
    pthread_rwlock_t lock __attribute__((aligned(64)));
    unsigned long refcount __attribute__((aligned(64)));
} peers = {.lock = PTHREAD_RWLOCK_INITIALIZER, .refcount = 1};

void subject_open(struct subject *subject) {
    peers.object.ops = &tally_operations;
    peers.shared = &peers.object;
    *subject = (struct subject){
        .ref = tally_create(&tally_plain),
        .interposed = tally_create(&tally_plain),
        .object = &peers.object,
        .shared = &peers.shared,
        .lock = &peers.lock,
        .refcount = &peers.refcount,
    };
    measure_require(k42_interpose((k42_ref)subject->interposed, &hook), "interposing");
}

void subject_close(struct subject *subject) {
    measure_require(k42_release(&hook), "taking the hook away");
    measure_require(k42_destroy((k42_ref)subject->interposed), "destroying an object");
    measure_require(k42_destroy((k42_ref)subject->ref), "destroying an object");
}
