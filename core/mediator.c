/*
 * The mediator at work: calls entering and leaving, blocking, the transfer, the end (mediator.h).
 *
 * Owned by the swap that made it, freed by it after a grace period; threads that come through a
 * slot or sleep here are active, so it outlives them. Locking: none but the word. Fails: a call is
 * answered with -K42_STALE when its object was destroyed with the swap's end, as any call would be.
 */
#include "mediator.h"

#include "events.h"
#include "stubs.h"

/* ---- calls ---- */

/* Is this thread inside a call that a blocking mediator is waiting for? */
static bool inside_blocking(const struct k42_calls *calls) {
    for (struct k42_frame *frame = calls->chain; frame; frame = frame->below) {
        uint64_t word = k42_load_acquire(&frame->mediator->word);
        if ((word & (K42_MEDIATOR_BLOCK | K42_MEDIATOR_DONE | K42_MEDIATOR_ABORTED)) ==
            K42_MEDIATOR_BLOCK)
            return true;
    }
    return false;
}

static void wait_for_end(struct k42_mediator *mediator) {
    for (unsigned step = 0; step < 256; step++) {
        if (k42_load_acquire(&mediator->ended))
            return;
        k42_mediator_help(mediator);
        k42_relax();
    }
    while (!k42_load_acquire(&mediator->ended)) {
        k42_mediator_help(mediator);
        k42_platform_park(&mediator->ended, 0, 1000000);
    }
}

/*
 * True: counted, and the call may go to the old object. False: the swap is over.
 *
 * The word is read before the chain is looked at. The other way round two threads, each tracked
 * where the other is going, could both look while nothing blocks yet, and then both find their
 * target blocking and wait for each other until the deadline.
 */
static bool mediator_enter(struct k42_mediator *mediator, const struct k42_calls *calls) {
    uint64_t word = k42_load_acquire(&mediator->word);
    for (;;) {
        if (word & K42_MEDIATOR_ABORTED)
            wait_for_end(mediator); /* until the ref leads elsewhere, or we would come back here */
        if (word & (K42_MEDIATOR_DONE | K42_MEDIATOR_ABORTED))
            return false;
        bool open =
            !(word & K42_MEDIATOR_BLOCK) || (word >= K42_MEDIATOR_ONE && inside_blocking(calls));
        if (!open) {
            wait_for_end(mediator);
            word = k42_load_acquire(&mediator->word);
        } else if (__atomic_compare_exchange_n(&mediator->word, &word, word + K42_MEDIATOR_ONE,
                                               false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
            return true;
        }
    }
}

static void mediator_leave(struct k42_mediator *mediator) {
    uint64_t word = __atomic_sub_fetch(&mediator->word, K42_MEDIATOR_ONE, __ATOMIC_ACQ_REL);
    if (word == K42_MEDIATOR_BLOCK)
        k42_mediator_finish(mediator);
}

/* The call goes where the ref leads now that the swap is over. */
static struct k42_pair call_again(k42_id id, struct k42_cpu *cpu,
                                  const struct k42_frame_registers *call) {
    void *rep;
    k42_result result = k42_resolve(&k42_entries[id], cpu, &rep);
    return result < 0 ? (struct k42_pair){result, 0} : k42_invoke(rep, call);
}

static struct k42_pair mediator_handle(struct k42_interceptor *interceptor,
                                       struct k42_frame_registers *call) {
    struct k42_mediator *mediator = k42_container(interceptor, struct k42_mediator, rep);
    struct k42_cpu *cpu = k42_this_cpu();
    struct k42_calls *calls = cpu->head.calls;
    k42_count(&mediator->calls, 1);
    if (!mediator_enter(mediator, calls))
        return call_again(mediator->id, cpu, call);

    struct k42_frame frame = {calls->chain, mediator};
    calls->chain = &frame;
    k42_tracked_push(calls, mediator->id, (unsigned)call->method);
    void *rep;
    struct k42_pair answer = {k42_root_find(mediator->top, cpu->head.number, &rep), 0};
    if (!answer.result)
        answer = k42_invoke(rep, call);
    k42_tracked_pop(calls);
    calls->chain = frame.below;
    mediator_leave(mediator);
    return answer;
}

/* ---- in and out of place ---- */

k42_result k42_mediator_find(struct k42_root *root, uint32_t cpu, void **rep) {
    (void)cpu;
    *rep = &((struct k42_mediator *)root)->rep;
    return 0;
}

static void mediator_never_ends(struct k42_root *root) {
    k42_panic("mediator of object %u ended as an object", root->id);
}

static const struct k42_root_kind mediator_kind = {"mediator", k42_mediator_find,
                                                   mediator_never_ends};
static struct k42_class mediator_class = {.name = "k42.mediator", .kind = &mediator_kind};

struct k42_root *k42_mediator_old(struct k42_root *root) {
    /* Read by walkers at any time; changed when the swap ends. */
    return k42_load_acquire(&((struct k42_mediator *)root)->top);
}

struct k42_mediator *k42_mediator_make(k42_id id) {
    struct k42_mediator *mediator = k42_platform_alloc(sizeof *mediator);
    if (!mediator)
        return NULL;
    k42_count(&k42_counters.mediators_live, 1);
    mediator->root.class_ = &mediator_class;
    mediator->rep.ops = k42_intercept_ops;
    mediator->rep.handle = mediator_handle;
    mediator->id = id;
    return mediator;
}

void k42_mediator_place(struct k42_mediator *mediator, struct k42_entry *entry) {
    k42_store_release(&entry->root, &mediator->root);
    k42_slots_empty(mediator->id, k42_entry_touched(k42_load_relaxed(&entry->state)));
}

bool k42_mediator_block(struct k42_mediator *mediator) {
    uint64_t before = __atomic_fetch_or(&mediator->word, K42_MEDIATOR_BLOCK, __ATOMIC_ACQ_REL);
    return before == 0;
}

bool k42_mediator_abort(struct k42_mediator *mediator) {
    uint64_t word = k42_load_acquire(&mediator->word);
    do
        if (word == K42_MEDIATOR_BLOCK || word & (K42_MEDIATOR_DONE | K42_MEDIATOR_ABORTED))
            return false;
    while (!__atomic_compare_exchange_n(&mediator->word, &word, word | K42_MEDIATOR_ABORTED, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE));
    return true;
}

/* Everybody who waits goes on, and finds by the ref what is there now. */
static void mediator_end(struct k42_mediator *mediator, k42_result result) {
    mediator->result = result;
    mediator->ended_ns = k42_platform_now_ns();
    k42_store_release(&mediator->ended, 1);
    k42_platform_wake(&mediator->ended, ~0u >> 1);
}

static struct k42_entry *claim_own(struct k42_mediator *mediator) {
    struct k42_entry *entry = &k42_entries[mediator->id];
    /* The object cannot die while SWAPPING is set, which is ours to clear. */
    if (k42_entry_claim(entry, 0, 0) < 0)
        k42_panic("object %u died during its swap", mediator->id);
    return entry;
}

void k42_mediator_restore(struct k42_mediator *mediator) {
    struct k42_entry *entry = claim_own(mediator);
    k42_store_release(&entry->root, mediator->top);
    k42_slots_empty(mediator->id, k42_entry_touched(k42_load_relaxed(&entry->state)));
    /* Calls may still be inside the old object: what is touched stays touched. */
    k42_entry_release(entry, K42_ENTRY_SWAPPING, false);
    mediator_end(mediator, -ETIMEDOUT);
}

void k42_mediator_relink(struct k42_mediator *mediator, struct k42_entry *entry) {
    mediator->new->id = mediator->id;
    k42_store_release(mediator->link, mediator->new);
    k42_store_release(&entry->root, mediator->top);
}

void k42_mediator_finish(struct k42_mediator *mediator) {
    mediator->closed_ns = k42_platform_now_ns();
    k42_event_swap_phase(mediator->id, "transfer");
    k42_result result = k42_transfer_run(mediator);
    struct k42_entry *entry = claim_own(mediator);
    if (result < 0)
        k42_store_release(&entry->root, mediator->top);
    else
        k42_mediator_relink(mediator, entry);
    k42_slots_empty(mediator->id, k42_entry_touched(k42_load_relaxed(&entry->state)));
    __atomic_fetch_or(&mediator->word, K42_MEDIATOR_DONE, __ATOMIC_ACQ_REL);
    /* Nobody is inside: only those who come from now on will have touched it. */
    k42_entry_release(entry, K42_ENTRY_SWAPPING, true);
    if (result >= 0 && mediator->exporter->handed_over)
        mediator->exporter->handed_over(mediator->old, &mediator->state);
    mediator_end(mediator, result);
}

/* ---- across fork ---- */

/* The swap's threads are not here: the object goes on as it is, and what was made stays behind. */
static void mediator_strand(struct k42_mediator *mediator, struct k42_entry *entry) {
    mediator->word |= K42_MEDIATOR_ABORTED;
    mediator->ended = 1;
    entry->root = mediator->top;
}

void k42_entries_after_fork(void) {
    const uint64_t under_way = K42_ENTRY_MISSES | K42_ENTRY_BUSY | K42_ENTRY_SWAPPING;
    for (k42_id id = K42_SLOTS_PER_PAGE; id < k42_pages_used() * K42_SLOTS_PER_PAGE; id++) {
        struct k42_entry *entry = &k42_entries[id];
        if (!(entry->state & under_way))
            continue;
        if (entry->root->class_ == &mediator_class)
            mediator_strand((struct k42_mediator *)entry->root, entry);
        k42_slots_empty(id, k42_entry_touched(entry->state));
        if (entry->state & K42_ENTRY_DOOMED)
            entry->state |= K42_ENTRY_DEAD;
        entry->state &= ~(under_way | K42_ENTRY_DOOMED);
    }
}
