/*
 * The runtime's two threads, started when there is first something for them.
 *
 * The reclaimer takes what was deferred and destroyed on all CPUs, waits for a grace period, and
 * runs it: callbacks, then ends of objects, then ids go back. The swapper performs swaps asked for
 * by active threads, and the lazy upgrades that misses queued. They are two because a swap's
 * callback may wait for deferred work.
 *
 * Owns: the queues once taken. Locking: pushing is lock-free; `lock` guards starting and stopping.
 * Fails: when a thread cannot be started the work stays queued and the next kick tries again.
 */
#include "entry.h"
#include "events.h"

struct worker {
    const char *name;
    void (*round)(void);
    bool first; /* calls wait for what it does */
    struct k42_lock lock;
    struct k42_platform_thread *thread;
    uint32_t kicked; /* slept on */
    uint32_t urgent; /* slept on while more to do is gathered */
    uint32_t stop;
    uint64_t gather_ns;
    uint64_t rounds_begun, rounds_ended;
    uint32_t ended_low; /* copy of rounds_ended to sleep on */
};

static void reclaim_round(void);
static void swap_round(void);
static struct worker reclaimer = {.name = "k42-reclaim", .round = reclaim_round};
static struct worker swapper = {.name = "k42-swap", .round = swap_round, .first = true};

void k42_workers_open(const struct k42_options *options) {
    reclaimer.gather_ns = options ? options->gather_ns : 0;
}

static struct {
    struct k42_swap *requests; /* pushed last first */
    struct lazy_turn *lazy;
} queued;

struct lazy_turn {
    struct lazy_turn *next;
    k42_id id;
};

static void worker_main(void *argument) {
    struct worker *worker = argument;
    if (k42_attach_service(worker->name) < 0)
        k42_panic("%s cannot attach", worker->name);
    if (worker->first)
        k42_platform_go_first();
    for (;;) {
        k42_store_release(&worker->kicked, 0);
        k42_store_release(&worker->urgent, 0);
        /* Orders the clearing before the looks at the queues and at `stop`: whoever adds to these
         * and kicks afterwards either is seen now or finds `kicked` cleared and wakes us. Who says
         * that it is urgent before that waits for a round that begins here. */
        __atomic_fetch_add(&worker->rounds_begun, 1, __ATOMIC_SEQ_CST);
        bool last = k42_load_acquire(&worker->stop);
        worker->round();
        k42_store_release(&worker->rounds_ended, worker->rounds_begun);
        k42_store_release(&worker->ended_low, (uint32_t)worker->rounds_begun);
        k42_platform_wake(&worker->ended_low, ~0u >> 1);
        if (last)
            break;
        k42_platform_park(&worker->kicked, 0, 0);
        if (worker->gather_ns && k42_load_acquire(&worker->kicked))
            k42_platform_park(&worker->urgent, 0, worker->gather_ns);
    }
    if (k42_detach() < 0)
        k42_panic("%s cannot detach", worker->name);
}

static void worker_kick(struct worker *worker) {
    if (!k42_load_acquire(&worker->thread)) {
        k42_lock(&worker->lock);
        if (!worker->thread && !worker->stop)
            k42_store_release(&worker->thread,
                              k42_platform_spawn(worker->name, worker_main, worker));
        k42_unlock(&worker->lock);
    }
    /*
     * Orders the push before the look: pairs with the worker's clearing of `kicked`. Who finds it
     * set writes nothing that others share.
     */
    k42_full_fence();
    if (k42_load_relaxed(&worker->kicked))
        return;
    if (!__atomic_exchange_n(&worker->kicked, 1, __ATOMIC_SEQ_CST))
        k42_platform_wake(&worker->kicked, 1);
}

static void worker_hurry(struct worker *worker) {
    k42_store_release(&worker->urgent, 1);
    k42_platform_wake(&worker->urgent, 1);
}

/* Waits until a round that begins from now on has ended. */
static void worker_flush(struct worker *worker) {
    uint64_t wanted = __atomic_load_n(&worker->rounds_begun, __ATOMIC_SEQ_CST) + 1;
    while (k42_load_acquire(&worker->rounds_ended) < wanted) {
        uint32_t low = k42_load_acquire(&worker->ended_low);
        worker_hurry(worker);
        worker_kick(worker);
        if (k42_load_acquire(&worker->rounds_ended) < wanted)
            k42_platform_park(&worker->ended_low, low, 1000000);
    }
}

static void worker_stop(struct worker *worker) {
    k42_lock(&worker->lock);
    k42_store_release(&worker->stop, 1);
    struct k42_platform_thread *thread = worker->thread;
    k42_unlock(&worker->lock);
    if (thread) {
        worker_hurry(worker);
        k42_store_release(&worker->kicked, 1);
        k42_platform_wake(&worker->kicked, 1);
        k42_platform_join(thread);
    }
    worker->thread = NULL;
    worker->stop = 0;
}

/* ---- deferred work ---- */

void k42_reclaimer_kick(void) {
    worker_kick(&reclaimer);
}

void k42_defer_from(struct k42_module *module, struct k42_defer *defer,
                    void (*fn)(struct k42_defer *)) {
    struct k42_cpu *cpu = k42_cpu_or_shared();
    defer->fn = fn;
    defer->module = module;
    k42_ledger_add(module, K42_LEDGER_DEFERS, 1);
    k42_count(&cpu->deferred, 1);
    defer->next = k42_load_relaxed(&cpu->defers);
    while (!__atomic_compare_exchange_n(&cpu->defers, &defer->next, defer, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    worker_kick(&reclaimer);
}

uint64_t k42_defers_pending(void) {
    return k42_cpus_sum(offsetof(struct k42_cpu, deferred));
}

/* Everything queued on all CPUs, in two lists. */
struct harvest {
    struct k42_defer *defers;
    k42_id dead;
};

static void harvest_from(struct k42_cpu *cpu, struct harvest *harvest) {
    struct k42_defer *defers = NULL;
    k42_id dead = 0;
    if (k42_load_relaxed(&cpu->defers))
        defers = __atomic_exchange_n(&cpu->defers, NULL, __ATOMIC_ACQUIRE);
    if (k42_load_relaxed(&cpu->dead))
        dead = __atomic_exchange_n(&cpu->dead, 0, __ATOMIC_ACQUIRE);
    while (defers) {
        struct k42_defer *next = defers->next;
        defers->next = harvest->defers;
        harvest->defers = defers;
        defers = next;
    }
    while (dead) {
        struct k42_root *root = k42_entries[dead].root;
        k42_id next = root->link;
        root->link = harvest->dead;
        harvest->dead = dead;
        dead = next;
    }
}

static void reclaim_round(void) {
    struct harvest harvest = {NULL, 0};
    harvest_from(&k42_shared_cpu, &harvest);
    for (uint32_t i = 0; i < k42_cpu_limit(); i++)
        harvest_from(k42_cpus[i], &harvest);
    if (!harvest.defers && !harvest.dead)
        return;
    k42_wait_for(k42_mark());
    while (harvest.defers) {
        struct k42_defer *defer = harvest.defers;
        struct k42_module *module = defer->module;
        harvest.defers = defer->next;
        defer->fn(defer);
        k42_ledger_add(module, K42_LEDGER_DEFERS, -1);
        k42_count(&k42_cpu_or_shared()->deferred, -1);
    }
    while (harvest.dead) {
        k42_id id = harvest.dead;
        struct k42_root *root = k42_entries[id].root;
        harvest.dead = root->link;
        k42_root_end(root);
        /* Kept: freed by whoever keeps it. Each side changes its flag and looks at the other's. */
        uint64_t state =
            __atomic_fetch_or(&k42_entries[id].state, K42_ENTRY_ENDED, __ATOMIC_ACQ_REL);
        if (!(state & K42_ENTRY_KEPT))
            k42_id_free(id);
        k42_count(&k42_cpu_or_shared()->buried, -1);
    }
}

k42_result k42_defer_flush(void) {
    if (k42_active())
        return -EDEADLK;
    worker_flush(&reclaimer);
    return 0;
}

/* ---- swaps on request, lazy upgrades ---- */

void k42_worker_submit(struct k42_swap *last, struct k42_swap *first) {
    first->next = k42_load_relaxed(&queued.requests);
    while (!__atomic_compare_exchange_n(&queued.requests, &first->next, last, false,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        ;
    worker_kick(&swapper);
}

void k42_worker_lazy(k42_id id) {
    struct lazy_turn *turn = k42_platform_alloc(sizeof *turn);
    if (!turn) {
        /* Its turn comes with a later miss. */
        __atomic_fetch_or(&k42_entries[id].state, K42_ENTRY_LAZY, __ATOMIC_RELEASE);
        return;
    }
    turn->id = id;
    turn->next = k42_load_relaxed(&queued.lazy);
    while (!__atomic_compare_exchange_n(&queued.lazy, &turn->next, turn, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    worker_kick(&swapper);
}

static struct k42_swap *requests_take(void) {
    struct k42_swap *taken = __atomic_exchange_n(&queued.requests, NULL, __ATOMIC_ACQUIRE);
    struct k42_swap *in_order = NULL;
    while (taken) {
        struct k42_swap *next = taken->next;
        taken->next = in_order;
        in_order = taken;
        taken = next;
    }
    return in_order;
}

#define TOGETHER 256

static void swap_round(void) {
    struct k42_swap *request = requests_take();
    while (request) {
        struct k42_swap *together[TOGETHER];
        size_t count = 0;
        for (; request && count < TOGETHER; request = request->next)
            together[count++] = request;
        k42_result result = k42_swap_batch(together, count);
        for (size_t i = 0; result < 0 && i < count; i++) {
            together[i]->report.result = result;
            if (together[i]->done)
                together[i]->done(together[i]);
        }
    }
    struct lazy_turn *turn = __atomic_exchange_n(&queued.lazy, NULL, __ATOMIC_ACQUIRE);
    while (turn) {
        struct lazy_turn *next = turn->next;
        k42_upgrade_lazy_turn(turn->id);
        k42_platform_free(turn);
        turn = next;
    }
}

k42_result k42_swap_flush(void) {
    if (k42_active())
        return -EDEADLK;
    worker_flush(&swapper);
    return 0;
}

/* ---- ends ---- */

void k42_workers_stop(void) {
    worker_stop(&swapper);
    worker_stop(&reclaimer);
}

/* The child of a fork starts its own when it needs them; what was queued is the parent's. */
void k42_workers_after_fork(void) {
    struct worker *workers[] = {&reclaimer, &swapper};
    for (unsigned i = 0; i < 2; i++) {
        workers[i]->thread = NULL;
        workers[i]->lock = (struct k42_lock){0};
        workers[i]->kicked = workers[i]->stop = 0;
        workers[i]->rounds_begun = workers[i]->rounds_ended;
    }
    queued.requests = NULL;
    queued.lazy = NULL;
}
