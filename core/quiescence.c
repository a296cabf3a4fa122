/*
 * Quiescence: when may that which was unpublished be freed?
 *
 * Theory. Each CPU counts its active threads in two counts; an entry goes to the one named by the
 * parity of the CPU's generation and leaves the same one. Take a moment T after which every CPU has
 * passed a full barrier. A thread active at T whose entry came before its CPU's barrier is visible
 * in one of the two counts until it leaves; one whose entry came after the barrier sees everything
 * unpublished before T. So once *each* of the two counts has been *seen at zero* after T, in any
 * order, at any two moments, nobody active at T is left. Seeing one of them is not enough.
 *
 * That is all of safety, and it reads other CPUs' counts without writing to them. For progress, the
 * watcher of a CPU advances its generation when the count that new entries would not use is zero:
 * new entries then use that one, and the other drains. A thread that read the generation before it
 * moved and counts itself up in the old parity only makes the watcher look once more.
 *
 * Ordering. The barrier is the platform's (membarrier on Linux, an interrupt in a kernel): it pairs
 * with the plain increment in k42_enter(). Leaving is a plain decrement; on x86 stores are not
 * moved before earlier loads and stores, so whoever sees the count at zero sees all that the thread
 * did.
 *
 * Grace periods of the whole system combine over a tree: CPUs are looked at in leaves of sixteen;
 * whoever waits claims leaves and looks, and the last to finish under a node reports to its parent.
 * A sequence number is odd while one is under way. Waiters that come during one share the next.
 *
 * Owns: the sequence, the tree. Locking: `leader` serialises grace periods, a node's `claimed` its
 * observers. Never fails; a thread that does not leave holds it up and is named by the watchdog.
 * Modelled in tests/models/generations.pml.
 */
#include "events.h"
#include "runtime.h"

#define FAN_OUT        16u
#define BACK_OFF_SPINS 64u
#define LOOK_MOST_NS   1000000u /* of the time between two looks, so much counts as waited */
#define LEVELS         4u       /* 16^4 CPUs: K42_CPUS_MAX */

struct node {
    uint32_t
        remaining; /* leaf: bit 2i+p, count p of its CPU i not yet seen at zero; else children */
    uint32_t claimed;
};

static struct {
    struct k42_lock leader;
    uint32_t leaves, levels;
    uint64_t sequence;
    uint32_t sequence_low;                      /* copy to sleep on */
    uint64_t looked_ns, waited_ns, reported_ns; /* the watchdog's */
    struct node *level[LEVELS];
} grace;

uint64_t k42_watchdog_ns;

static size_t level_bytes(unsigned level) {
    return sizeof(struct node) * (K42_CPUS_MAX >> (4 * (level + 1)));
}

int k42_quiescence_open(void) {
    for (unsigned i = 0; i < LEVELS; i++) {
        grace.level[i] = k42_platform_reserve(level_bytes(i));
        if (!grace.level[i]) {
            k42_quiescence_close();
            return -ENOMEM;
        }
    }
    return k42_platform_barrier_open();
}

void k42_quiescence_close(void) {
    for (unsigned i = 0; i < LEVELS; i++) {
        if (grace.level[i])
            k42_platform_unreserve(grace.level[i], level_bytes(i));
        grace.level[i] = NULL;
    }
}

void k42_quiescence_after_fork(void) {
    grace.leader = (struct k42_lock){0};
    /* One that was under way in the parent is over here: nobody else is left. */
    grace.sequence = (grace.sequence + 1) & ~1ull;
    grace.sequence_low = (uint32_t)grace.sequence;
}

uint64_t k42_grace_periods(void) {
    return k42_load_relaxed(&grace.sequence) / 2;
}

/*
 * Who is waited for may have been preempted by this very thread. Sleeping lets it go on at once and
 * brings us back in time; yielding would give it our place for a whole slice: milliseconds.
 */
void k42_back_off(unsigned step) {
    if (step < BACK_OFF_SPINS)
        k42_relax();
    else {
        uint32_t never = 0;
        k42_platform_park(&never, 0, step < BACK_OFF_SPINS + 20 ? 20000 : 200000);
    }
}

/* ---- one CPU ---- */

bool k42_cpu_observe(uint32_t number, uint32_t *seen) {
    struct k42_cpu_head *head = &k42_cpus[number]->head;
    for (unsigned p = 0; p < 2; p++)
        if (!k42_load_acquire(&head->active[p]))
            *seen |= 1u << p;
    if (*seen == 3)
        return true;
    uint64_t generation = k42_load_acquire(&head->generation);
    unsigned other = (generation + 1) & 1;
    if (k42_load_acquire(&head->active[other]))
        return false;
    /*
     * This look counts too. If it only decided the advance, the zero it saw could go unnoted each
     * time, and with entries going on in the count we advance to, the wait need never end.
     */
    *seen |= 1u << other;
    if (*seen == 3)
        return true;
    __atomic_compare_exchange_n(&head->generation, &generation, generation + 1, false,
                                __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    return false;
}

k42_result k42_cpu_mark(struct k42_cpu_marker *marker, uint32_t cpu) {
    if (cpu >= k42_cpu_limit())
        return -EINVAL;
    k42_platform_barrier_all();
    *marker = (struct k42_cpu_marker){.cpu = cpu};
    return 0;
}

int k42_cpu_elapsed(struct k42_cpu_marker *marker) {
    return marker->seen == 3 || k42_cpu_observe(marker->cpu, &marker->seen);
}

/* ---- all CPUs ---- */

k42_marker k42_mark(void) {
    /* Orders what was unpublished before the reading of the sequence; pairs with grace_begin. */
    k42_full_fence();
    return (k42_load_acquire(&grace.sequence) + 3) & ~1ull;
}

int k42_elapsed(k42_marker marker) {
    return k42_load_acquire(&grace.sequence) >= marker;
}

static bool node_claim(struct node *node) {
    return !__atomic_exchange_n(&node->claimed, 1, __ATOMIC_ACQUIRE);
}

static void node_unclaim(struct node *node) {
    k42_store_release(&node->claimed, 0);
}

/* A node is done: tell the parent, and so on up. */
static void node_report(unsigned level, uint32_t index) {
    while (++level < grace.levels) {
        index /= FAN_OUT;
        if (__atomic_sub_fetch(&grace.level[level][index].remaining, 1, __ATOMIC_ACQ_REL))
            return;
    }
}

/* Looks at the CPUs of a claimed leaf. */
static void leaf_look(uint32_t index) {
    struct node *leaf = &grace.level[0][index];
    uint32_t remaining = leaf->remaining;
    if (!remaining)
        return;
    for (uint32_t left = remaining; left;) {
        uint32_t i = (uint32_t)__builtin_ctz(left) / 2, seen = ~(remaining >> (2 * i)) & 3;
        left &= ~(3u << (2 * i));
        (void)k42_cpu_observe(index * FAN_OUT + i, &seen);
        remaining &= ~(seen << (2 * i));
    }
    k42_store_release(&leaf->remaining, remaining);
    if (!remaining)
        node_report(0, index);
}

/*
 * Looks at every leaf that nobody else is looking at. An observer may be late: it may claim a leaf
 * when the grace period it came for is over. What it sees then is seen after the barrier of the one
 * now under way (grace_begin holds all leaves across it), or the leaf has nothing remaining.
 */
static void leaves_look(void) {
    for (uint32_t i = 0; i < k42_load_acquire(&grace.leaves); i++) {
        struct node *leaf = &grace.level[0][i];
        if (k42_load_acquire(&leaf->remaining) && node_claim(leaf)) {
            leaf_look(i);
            node_unclaim(leaf);
        }
    }
}

static void sequence_advance(void) {
    uint64_t next = grace.sequence + 1;
    k42_store_release(&grace.sequence, next);
    k42_store_release(&grace.sequence_low, (uint32_t)next);
}

/* Counts of a tree over `limit` CPUs, all unseen. Every leaf is claimed until the barrier is past.
 */
static void grace_begin(void) {
    for (uint32_t i = 0; i < grace.leaves; i++)
        for (unsigned step = 0; !node_claim(&grace.level[0][i]); step++)
            k42_back_off(step);
    uint32_t old_leaves = grace.leaves;
    sequence_advance();
    uint32_t limit = k42_cpu_limit();
    uint32_t count = (limit + FAN_OUT - 1) / FAN_OUT;
    grace.levels = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t cpus = limit - i * FAN_OUT < FAN_OUT ? limit - i * FAN_OUT : FAN_OUT;
        k42_store_relaxed(&grace.level[0][i].claimed, 1);
        k42_store_release(&grace.level[0][i].remaining,
                          cpus == FAN_OUT ? ~0u : (1u << (2 * cpus)) - 1);
    }
    for (uint32_t below = count; below > 1; below = (below + FAN_OUT - 1) / FAN_OUT) {
        for (uint32_t i = 0; i * FAN_OUT < below; i++)
            grace.level[grace.levels][i].remaining =
                below - i * FAN_OUT < FAN_OUT ? below - i * FAN_OUT : FAN_OUT;
        grace.levels++;
    }
    k42_store_release(&grace.leaves, count);
    k42_platform_barrier_all();
    for (uint32_t i = 0; i < count || i < old_leaves; i++)
        node_unclaim(&grace.level[0][i]);
}

/*
 * Who waits sleeps for a fraction of a millisecond between two looks. Where it took longer, it had
 * no turn, because of other threads, or of what else a machine does that emulates this one; and
 * nor had who is waited for.
 */
static void count_wait(uint64_t now_ns) {
    uint64_t since = now_ns - grace.looked_ns;
    grace.looked_ns = now_ns;
    grace.waited_ns += since < LOOK_MOST_NS ? since : LOOK_MOST_NS;
}

/* Names whoever is in the way, again each time the wait has doubled. */
static void watch(uint64_t started_ns) {
    uint64_t now = k42_platform_now_ns(), waited = now - started_ns;
    count_wait(now);
    if (grace.waited_ns < k42_watchdog_ns || grace.waited_ns < 2 * grace.reported_ns)
        return;
    grace.reported_ns = grace.waited_ns;
    for (uint32_t cpu = 0; cpu < grace.leaves * FAN_OUT && cpu < k42_cpu_limit(); cpu++) {
        uint32_t remaining = k42_load_relaxed(&grace.level[0][cpu / FAN_OUT].remaining);
        if (!(remaining >> (2 * (cpu % FAN_OUT)) & 3))
            continue;
        struct k42_suspect who;
        k42_cpu_suspect(cpu, 0, &who);
        k42_event_stall(who.thread, waited);
        char object[24] = "";
        if (who.object)
            k42_format_text(object, sizeof object, " of object %u", who.object);
        k42_log("a grace period has waited %lu ms for thread %u (%s) on CPU %u%s%s%s; it should "
                "leave or call k42_safe_point()",
                waited / 1000000, who.thread, who.name, cpu, who.method[0] ? " in " : "",
                who.method, object);
    }
}

/*
 * Whether this CPU has not been seen quiet. A thread that is active here is not running, since we
 * are: it goes on when we sleep, not while we spin. (An unattached thread has no CPU.)
 */
static bool waits_for_own_cpu(void) {
    int cpu = k42_cpu();
    if (cpu < 0 || (uint32_t)cpu >= grace.leaves * FAN_OUT)
        return false;
    uint32_t index = (uint32_t)cpu;
    uint32_t remaining = k42_load_relaxed(&grace.level[0][index / FAN_OUT].remaining);
    return remaining >> (2 * (index % FAN_OUT)) & 3;
}

static void grace_run(void) {
    uint64_t started_ns = k42_platform_now_ns();
    grace.looked_ns = started_ns;
    grace.waited_ns = grace.reported_ns = 0;
    grace_begin();
    k42_event_grace_period_begin(grace.sequence);
    struct node *top = &grace.level[grace.levels - 1][0];
    for (unsigned step = 0; grace.leaves && k42_load_acquire(&top->remaining); step++) {
        leaves_look();
        if (!k42_load_acquire(&top->remaining))
            break;
        if (step < BACK_OFF_SPINS && waits_for_own_cpu())
            step = BACK_OFF_SPINS;
        k42_back_off(step);
        if (step > 80)
            watch(started_ns);
    }
    k42_event_grace_period_end(grace.sequence, k42_platform_now_ns() - started_ns);
    sequence_advance();
    k42_platform_wake(&grace.sequence_low, ~0u >> 1);
}

void k42_wait_for(k42_marker marker) {
    while (!k42_elapsed(marker)) {
        if (k42_trylock(&grace.leader)) {
            if (!k42_elapsed(marker))
                grace_run();
            k42_unlock(&grace.leader);
            continue;
        }
        leaves_look();
        uint32_t low = k42_load_acquire(&grace.sequence_low);
        if (!k42_elapsed(marker))
            k42_platform_park(&grace.sequence_low, low, 100000);
    }
}

k42_result k42_synchronize(void) {
    if (k42_active())
        return -EDEADLK;
    k42_wait_for(k42_mark());
    return 0;
}
