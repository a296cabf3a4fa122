/*
 * Hooks on random objects: one call of an object takes a millisecond longer, or is answered with an
 * error that its method may have; and allocations of the runtime's workers that fail.
 *
 * An error is answered only where a program may see it, and where whoever called relies on nothing:
 * a release that fails would leak what it was to release. The table says which. A delay is spent
 * spinning inside the object, where it holds up the swap that it meets.
 *
 * Owner: the storm's thread places hooks and asks for them back; a hook is free again when the
 * runtime says that nobody is inside. Counts are added up by those who call. Locking: none. Fails:
 * without a free hook, an object, or memory there is one spoilt call less.
 */
#include "spoil.h"

#include "../mem/heap/heap.h"
#include "draw.h"
#include "runtime.h"

#include <k42/interpose.h>
#include <k42/k42.h>

enum { SPOILS = 32, ROUNDS_MOST = 4 };
#define DELAY_NS 1000000ul

static const struct {
    const char *class_name, *method;
    int error;
} may_fail[] = {
    {"file.exclusive", "read", EIO},
    {"file.exclusive", "write", ENOSPC},
    {"file.shared", "read", EIO},
    {"file.shared", "write", ENOSPC},
    {"file.directory", "list", EIO},
    {"node.ramfs.directory.list", "lookup", EIO},
    {"node.ramfs.directory.hash", "lookup", EIO},
    {"node.ramfs.directory.list", "create", ENOSPC},
    {"node.ramfs.directory.hash", "create", ENOSPC},
    {"node.ramfs.regular", "open", ENOMEM},
    {"node.9p", "lookup", EIO},
    {"node.9p", "open", EIO},
    {"fcm.ramfs", "resize", EIO},
    {"space.indexed", "map", ENOMEM},
};

struct spoil {
    struct k42_hook hook;
    const char *method; /* which fails; NULL: any, and it takes longer */
    int error;
    uint32_t left;  /* calls that are still to be spoilt */
    uint32_t taken; /* by the storm, until the runtime gives it back */
    unsigned rounds;
};

static struct spoil spoils[SPOILS];
static uint64_t delayed, answered;
static uint32_t refused_in; /* 1: the next allocation of a worker is refused; 0: none */

/* ---- in the calls ---- */

static void delay(uint64_t ns) {
    uint64_t end = k42_platform_now_ns() + ns;
    while (k42_platform_now_ns() < end)
        k42_relax();
}

static enum k42_verdict before(struct k42_hook *hook, struct k42_invocation *call) {
    struct spoil *spoil = k42_container(hook, struct spoil, hook);
    if ((spoil->method && !k42_text_equal(call->method_name, spoil->method)) ||
        !__atomic_exchange_n(&spoil->left, 0, __ATOMIC_ACQ_REL))
        return K42_PROCEED;
    if (!spoil->method) {
        k42_count(&delayed, 1);
        delay(DELAY_NS);
        return K42_PROCEED;
    }
    k42_count(&answered, 1);
    call->result = -spoil->error;
    return K42_ANSWER;
}

/* ---- placing and taking away ---- */

static void gone(struct k42_hook *hook) {
    __atomic_store_n(&k42_container(hook, struct spoil, hook)->taken, 0, __ATOMIC_RELEASE);
}

static void place(k42_id id, const char *method, int error) {
    struct spoil *spoil = spoils;
    while (spoil < spoils + SPOILS && __atomic_load_n(&spoil->taken, __ATOMIC_ACQUIRE))
        spoil++;
    if (spoil == spoils + SPOILS)
        return;
    *spoil = (struct spoil){.hook.before = before, .method = method, .error = error, .left = 1};
    if (k42_interpose(k42_id_ref(id), &spoil->hook) == 0)
        __atomic_store_n(&spoil->taken, 1, __ATOMIC_RELEASE);
}

/* Those that have spoilt their call, or waited long enough for one; or all. */
static void take_away(bool all) {
    for (struct spoil *spoil = spoils; spoil < spoils + SPOILS; spoil++) {
        if (!__atomic_load_n(&spoil->taken, __ATOMIC_ACQUIRE) || spoil->rounds > ROUNDS_MOST)
            continue;
        bool over = !__atomic_load_n(&spoil->left, __ATOMIC_ACQUIRE);
        if (!all && !over && ++spoil->rounds < ROUNDS_MOST)
            continue;
        spoil->rounds = ROUNDS_MOST + 1;
        if (k42_release_later(&spoil->hook, gone) < 0)
            gone(&spoil->hook);
    }
}

void spoil_round(unsigned delays, unsigned failures) {
    k42_id id;
    struct k42_class *class_;
    take_away(false);
    while (delays--)
        if (draw_next(true, &id, &class_))
            place(id, NULL, 0);
    while (failures--) {
        uint64_t row = draw_random() % (sizeof may_fail / sizeof may_fail[0]);
        if (draw_of(may_fail[row].class_name, &id))
            place(id, may_fail[row].method, may_fail[row].error);
    }
}

void spoil_end(void) {
    heap_set_refuser(NULL);
    take_away(true);
    for (unsigned i = 0; i < SPOILS; i++)
        for (unsigned step = 0; __atomic_load_n(&spoils[i].taken, __ATOMIC_ACQUIRE); step++)
            k42_back_off(step);
}

/* ---- memory ---- */

static bool refuses(void) {
    uint32_t left = __atomic_load_n(&refused_in, __ATOMIC_RELAXED);
    const struct k42_calls *calls = left ? k42_platform_calls() : NULL;
    if (!calls || !calls->service)
        return false;
    while (left && !__atomic_compare_exchange_n(&refused_in, &left, left - 1, true,
                                                __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    return left == 1;
}

void spoil_memory(unsigned among) {
    __atomic_store_n(&refused_in, 1 + (uint32_t)(draw_random() % among), __ATOMIC_RELAXED);
    heap_set_refuser(refuses);
}

void spoil_read(struct chaos_counts *counts) {
    counts->delayed = k42_load_relaxed(&delayed);
    counts->answered = k42_load_relaxed(&answered);
}
