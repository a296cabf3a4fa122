/*
 * Swaps, from request to report: prepare, put in place, wait (swap_wait.c), settle. The definition
 * is in include/k42/swap.h, the state machine in mediator.h.
 *
 * Everything is done for a batch; one swap is a batch of one. The swapper is inactive throughout,
 * so it holds up nobody, and once a mediator blocks, the end does not depend on the swapper being
 * scheduled: whoever makes the last call leave carries the ticket.
 *
 * Owns: the requests' mediators, from begin to settle. Locking: the SWAPPING flag of each entry
 * makes it one swap at a time. Fails per request, as a whole only with -EDEADLK.
 */
#include "events.h"
#include "mediator.h"
#include "swap_report.h"
#include "swap_wait.h"
#include "transfer.h"

/* ---- prepare ---- */

/* Lets go of an entry whose swap did not come to a mediator in place. */
static void swap_let_go(k42_id id) {
    struct k42_entry *entry = &k42_entries[id];
    if (k42_entry_claim(entry, 0, 0) < 0)
        k42_panic("object %u died during its swap", id);
    k42_entry_release(entry, K42_ENTRY_SWAPPING, false);
}

/* Takes a swap off the ledgers of components, whose code it does not run any more. */
static void let_go_of(struct k42_component *const *held) {
    for (unsigned i = 0; i < K42_MEDIATOR_HOLDS; i++)
        k42_let_go(held[i]);
}

static void mediator_reclaim(struct k42_defer *defer) {
    struct k42_mediator *mediator = k42_container(defer, struct k42_mediator, defer);
    if (mediator->old)
        k42_root_end(mediator->old);
    k42_count(&k42_counters.mediators_live, -1);
    k42_platform_free(mediator);
}

/* Finds the old root under the interposers. The chain is ours while SWAPPING is set. */
static void mediator_aim(struct k42_mediator *mediator, struct k42_entry *entry) {
    mediator->top = entry->root;
    mediator->link = &mediator->top;
    for (struct k42_root **target; (target = k42_interposer_target(*mediator->link));)
        mediator->link = target;
    mediator->old = *mediator->link;
}

/* Makes and prepares the new object. The request's report gets what is worth telling. */
static k42_result mediator_prepare(struct k42_mediator *mediator, struct k42_swap *request) {
    if (request->from && mediator->old->class_ != request->from)
        return -ESTALE;
    const struct k42_class *from = mediator->old->class_;
    if (from->record)
        mediator->held[K42_HOLD_FROM] = k42_class_hold_record(from->record);
    if (!k42_transfer_negotiate(from, request->to, &mediator->exporter, &mediator->importer))
        return -ENOTSUP;
    request->report.format = mediator->exporter->format->name;
    k42_result result = k42_root_replacement(from, request->to, &mediator->new, &mediator->into,
                                             &mediator->held[K42_HOLD_ADAPTOR]);
    return result < 0 ? result : k42_transfer_prepare(mediator, request->grown);
}

/*
 * Finds out which class it is to become, and holds that. Whoever names the version there is by then
 * may have read it just before it was turned away from, and reads another now.
 */
static k42_result swap_aim(struct k42_swap *request, struct k42_component **held) {
    for (const struct k42_class *before = NULL;; before = request->to) {
        k42_result result = request->aim ? request->aim(request) : 0;
        if (result < 0 || !(result = k42_class_hold(request->to, held)))
            return result;
        if (!request->aim || request->to == before)
            return result;
    }
}

/* With the class held that it is to become. */
static k42_result swap_take(struct k42_swap *request, struct k42_component *held) {
    k42_id id = k42_ref_id(request->ref);
    uint64_t begun_ns = k42_platform_now_ns();
    k42_result result = k42_id_valid(id) ? k42_entry_begin_swap(&k42_entries[id]) : -K42_STALE;
    if (result < 0) {
        k42_swap_explain_refusal(request, NULL, result);
        return result;
    }
    struct k42_mediator *mediator = k42_mediator_make(id);
    if (!mediator) {
        swap_let_go(id);
        return -ENOMEM;
    }
    mediator->held[K42_HOLD_TO] = held;
    mediator->begun_ns = begun_ns;
    mediator_aim(mediator, &k42_entries[id]);
    k42_event_swap_begin(id, mediator->old->class_->name, request->to->name);
    result = mediator_prepare(mediator, request);
    if (result < 0) {
        k42_swap_explain_refusal(request, mediator->old->class_, result);
        swap_let_go(id);
        if (mediator->new)
            k42_root_end(mediator->new);
        mediator->old = NULL;
        mediator->held[K42_HOLD_TO] = NULL;
        let_go_of(mediator->held);
        mediator_reclaim(&mediator->defer);
        return result;
    }
    request->mediator = mediator;
    return 0;
}

static k42_result swap_begin(struct k42_swap *request) {
    struct k42_component *held = NULL;
    k42_result result = swap_aim(request, &held);
    if (result < 0) {
        k42_swap_explain_refusal(request, NULL, result);
        return result;
    }
    result = swap_take(request, held);
    if (result < 0)
        k42_let_go(held);
    return result;
}

/* ---- in place ---- */

static void swap_place(struct k42_swap *request) {
    struct k42_mediator *mediator = request->mediator;
    struct k42_entry *entry = &k42_entries[mediator->id];
    if (k42_entry_claim(entry, 0, 0) < 0)
        k42_panic("object %u died during its swap", mediator->id);
    mediator->touched = k42_entry_touched(k42_load_relaxed(&entry->state));
    mediator->placed_ns = k42_platform_now_ns();
    k42_mediator_place(mediator, entry);
    k42_entry_release(entry, 0, false);
    k42_event_swap_phase(mediator->id, "forward");
}

/* An atomic interface: nobody is parked; the CPUs meet outside atomic sections for the transfer. */
static void swap_at_rendezvous(struct k42_swap *request) {
    struct k42_mediator *mediator = request->mediator;
    struct k42_entry *entry = &k42_entries[mediator->id];
    k42_platform_stop_cpus();
    mediator->placed_ns = mediator->blocked_ns = mediator->closed_ns = k42_platform_now_ns();
    k42_result result = k42_transfer_run(mediator);
    if (k42_entry_claim(entry, 0, 0) < 0)
        k42_panic("object %u died during its swap", mediator->id);
    if (result >= 0)
        k42_mediator_relink(mediator, entry);
    k42_slots_empty(mediator->id, k42_entry_touched(k42_load_relaxed(&entry->state)));
    k42_entry_release(entry, K42_ENTRY_SWAPPING, result >= 0);
    k42_platform_start_cpus();
    if (result >= 0 && mediator->exporter->handed_over)
        mediator->exporter->handed_over(mediator->old, &mediator->state);
    mediator->result = result;
    mediator->ended_ns = k42_platform_now_ns();
    k42_store_release(&mediator->ended, 1);
}

/* ---- settle ---- */

/* True when it should be tried again: after a deadline, or because the state outgrew its room. */
static bool swap_again(struct k42_swap *request, k42_result result) {
    struct k42_swap_report *report = &request->report;
    uint32_t attempts = request->attempts ? request->attempts : 1;
    if (result == -ENOSPC && request->grown < 4) {
        request->grown++;
        return true;
    }
    if ((result != -ETIMEDOUT && result != -EBUSY) || report->attempts >= attempts)
        return false;
    unsigned step = report->attempts < 6 ? report->attempts : 6;
    uint32_t never = 0;
    k42_platform_park(&never, 0, 500000ull << step);
    return true;
}

static void swap_settle(struct k42_swap *request) {
    struct k42_mediator *mediator = request->mediator;
    struct k42_component *held[K42_MEDIATOR_HOLDS];
    k42_result result = mediator->result < 0 ? mediator->result : 0;
    k42_swap_explain(request, mediator, result);
    k42_count(result ? &k42_counters.swap_aborts : &k42_counters.swaps, 1);
    k42_event_swap_end(mediator->id, result, request->report.forward_ns, request->report.block_ns,
                       request->report.transfer_ns);
    if (!result)
        k42_class_note_swap(request->to);
    if (result) {
        /* Nobody ever saw the new one; the old one lives on. */
        k42_root_end(mediator->new);
        mediator->old = NULL;
    }
    request->mediator = NULL;
    request->report.result = result;
    __builtin_memcpy(held, mediator->held, sizeof held);
    k42_defer_from(NULL, &mediator->defer, mediator_reclaim);
    /* What is left to be done of it is deferred, which an unload waits for. */
    let_go_of(held);
}

static bool is_atomic(const struct k42_swap *request) {
    return request->to->interface->flags & K42_INTERFACE_ATOMIC;
}

/*
 * One try of every pending request. All are prepared before any is put in place: the deadlines run
 * from there, and what it costs to make the others must not be taken off them.
 */
static void batch_try(struct k42_swap *const *requests, size_t count) {
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        struct k42_swap *request = requests[i];
        if (!request->pending)
            continue;
        request->report.attempts++;
        request->report.result = swap_begin(request);
        if (request->mediator && is_atomic(request))
            swap_at_rendezvous(request);
    }
    for (size_t i = 0; i < count; i++) {
        if (!k42_swap_under_way(requests[i]))
            continue;
        swap_place(requests[i]);
        any = true;
    }
    if (any)
        k42_swap_wait(requests, count);
}

k42_result k42_swap_batch(struct k42_swap *const *requests, size_t count) {
    if (k42_active())
        return -EDEADLK;
    k42_result succeeded = 0;
    for (size_t i = 0; i < count; i++) {
        requests[i]->pending = 1;
        requests[i]->grown = 0;
        requests[i]->mediator = NULL;
        requests[i]->report = (struct k42_swap_report){0};
    }
    for (bool again = true; again;) {
        again = false;
        batch_try(requests, count);
        for (size_t i = 0; i < count; i++) {
            struct k42_swap *request = requests[i];
            if (!request->pending)
                continue;
            if (request->mediator)
                swap_settle(request);
            request->pending = swap_again(request, request->report.result);
            again = again || request->pending;
            succeeded += request->report.result == 0;
        }
    }
    for (size_t i = 0; i < count; i++)
        if (requests[i]->done)
            requests[i]->done(requests[i]);
    return succeeded;
}

k42_result k42_swap_run(struct k42_swap *request) {
    k42_result result = k42_swap_batch(&request, 1);
    return result < 0 ? result : request->report.result;
}

k42_result k42_swap_submit(struct k42_swap *request) {
    k42_worker_submit(request, request);
    return K42_QUEUED;
}

static void free_when_done(struct k42_swap *request) {
    k42_platform_free(request);
}

k42_result k42_swap(k42_ref ref, struct k42_class *to, struct k42_swap_report *report) {
    if (k42_active()) {
        struct k42_swap *request = k42_platform_alloc(sizeof *request);
        if (!request)
            return -ENOMEM;
        request->ref = ref;
        request->to = to;
        request->attempts = 4;
        request->done = free_when_done;
        return k42_swap_submit(request);
    }
    struct k42_swap request = {.ref = ref, .to = to};
    k42_result result = k42_swap_run(&request);
    if (report)
        *report = request.report;
    return result;
}
