/*
 * The storm: a thread that swaps a handful of objects at a time, so often as was asked for.
 *
 * A handful is asked for at once, and swapped as one batch, whose grace periods are shared;
 * otherwise a storm of a thousand swaps a second would be one of a thousand grace periods. A
 * quarter of its objects are of classes that were swapped least, the others are being called
 * (draw.c).
 *
 * Owner: the thread has everything but what is above its part, set by callers under `lock`; the
 * counts are read by whoever likes, and may not fit together. Fails: an object that cannot be
 * swapped is counted by why, and another is taken.
 */
#include "chaos.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"
#include "draw.h"
#include "pairs.h"
#include "runtime.h"
#include "spoil.h"

#include <errno.h>
#include <k42/k42.h>
#include <k42/lock.h>

enum { HANDFUL = 256, ROUNDS = 16 }; /* the most in a batch; batches a second, if they suffice */
#define LAG_NS 200000000ul           /* what is not made up for */
/* What programs get to call what is being swapped: as much as the rate leaves, within these. */
#define LEAST_FORWARD_NS 10000000ul
#define MOST_FORWARD_NS  45000000ul
#define PATIENT_NS       50000000ul /* they may have to wait for a processor themselves */

struct shot {
    struct k42_swap swap;
    struct chaos_pair *pair;
};

static struct {
    struct k42_lock lock;
    uint32_t begun; /* changes when a storm does; slept on */
    struct chaos_wish wanted;
    uint64_t since;
    struct k42_platform_thread *thread;

    /* The thread's. */
    struct chaos_wish wish;
    struct chaos_counts counts;
    struct shot shots[HANDFUL];
    uint32_t pending;    /* of them; slept on */
    uint64_t forward_ns; /* of the next batch */
} storm;

/* ---- what to swap ---- */

/* False: nothing was drawn, or nothing that it could become. */
static bool aim(struct shot *shot, bool busy) {
    k42_id id;
    struct k42_class *from, *to = NULL;
    if (!draw_next(busy, &id, &from))
        return false;
    shot->pair = chaos_next(from, &to);
    if (!to)
        return false;
    shot->swap = (struct k42_swap){.ref = k42_id_ref(id),
                                   .from = from,
                                   .to = to,
                                   .forward_ns = storm.forward_ns,
                                   .deadline_ns = PATIENT_NS};
    return true;
}

/* ---- what came of it ---- */

static void count_failure(struct shot *shot) {
    struct chaos_counts *counts = &storm.counts;
    k42_result result = shot->swap.report.result;
    switch (result) {
    case -K42_STALE:
    case -ESTALE:
    case -ENOENT:
        counts->vanished++;
        return;
    case -EBUSY:
        counts->busy++;
        return;
    }
    uint64_t *kind = result == -ETIMEDOUT ? &counts->late
                     : result == -ENOMEM  ? &counts->without_memory
                                          : &counts->failed;
    *kind += 1;
    shot->pair->aborted++;
    /* Many are late; what failed is worth more. */
    if (kind == &counts->failed || !counts->failed)
        k42_copy_text(counts->last, sizeof counts->last, shot->swap.report.text);
}

static void count_shot(struct shot *shot) {
    const struct k42_swap_report *report = &shot->swap.report;
    if (report->calls)
        draw_note_busy(k42_ref_id(shot->swap.ref));
    if (report->result) {
        count_failure(shot);
        return;
    }
    *(shot->swap.from == shot->swap.to ? &storm.counts.to_itself : &storm.counts.to_other) += 1;
    shot->pair->swapped++;
    storm.counts.with_calls += report->calls != 0;
    shot->pair->with_calls += report->calls != 0;
}

static bool is_aimed_at(k42_ref ref, unsigned count) {
    while (count--)
        if (storm.shots[count].swap.ref == ref)
            return true;
    return false;
}

static void note_end(struct k42_swap *swap) {
    (void)swap;
    if (!__atomic_sub_fetch(&storm.pending, 1, __ATOMIC_RELEASE))
        k42_platform_wake(&storm.pending, 1);
}

/* Of what is wanted each second, the part of a handful; what is less than one by chance. */
static unsigned share(uint32_t a_second, unsigned handful) {
    return (unsigned)(((uint64_t)a_second * handful + draw_random() % storm.wish.rate) /
                      storm.wish.rate);
}

/*
 * Takes aim and asks for the swaps; returns for how many. All in one active section: as long as it
 * lasts no component, and so no class, goes away, and one that is to go awaits the swaps that were
 * asked for.
 */
static unsigned shoot(unsigned handful) {
    unsigned count = 0;
    k42_enter();
    draw_all();
    spoil_round(share(storm.wish.delays, handful), share(storm.wish.failures, handful));
    for (unsigned i = 0; i < handful; i++) {
        struct shot *shot = &storm.shots[count];
        count += aim(shot, i % 4) && !is_aimed_at(shot->swap.ref, count);
    }
    __atomic_store_n(&storm.pending, count, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < count; i++) {
        storm.shots[i].swap.done = note_end;
        storm.shots[i].swap.next = i ? &storm.shots[i - 1].swap : NULL;
    }
    if (count && storm.wish.failures)
        spoil_memory(4 * count); /* a swap makes some three allocations */
    if (count)
        k42_worker_submit(&storm.shots[count - 1].swap, &storm.shots[0].swap);
    k42_exit();
    return count;
}

/* Waits for the swaps that were asked for; returns how many were made. */
static unsigned await(unsigned count) {
    unsigned made = 0;
    for (uint32_t left; (left = __atomic_load_n(&storm.pending, __ATOMIC_ACQUIRE));)
        k42_platform_park(&storm.pending, left, 0);
    for (unsigned i = 0; i < count; i++) {
        count_shot(&storm.shots[i]);
        made += storm.shots[i].swap.report.result == 0;
    }
    return made;
}

/* ---- the thread ---- */

/* Returns which storm has begun, if any. */
static uint32_t begin(void) {
    k42_lock(&storm.lock);
    uint32_t begun = storm.begun;
    storm.wish = storm.wanted;
    if (storm.wish.rate) {
        draw_seed(storm.wish.seed);
        chaos_list_pairs();
        storm.counts = (struct chaos_counts){.seed = storm.wish.seed, .busy_now = 1};
    }
    k42_unlock(&storm.lock);
    return begun;
}

/* How many are due by the next batch. */
static unsigned handful(uint32_t rate, uint64_t late_ns) {
    uint64_t due = (late_ns + 1000000000ul / ROUNDS) * rate / 1000000000ul;
    return due < 1 ? 1 : due < HANDFUL ? (unsigned)due : HANDFUL;
}

/*
 * Time that is left until the next batch is due is better spent while objects are being swapped:
 * on few processors programs get little of it otherwise, and swaps happen between their calls.
 */
static void make_use_of(uint64_t left_ns) {
    uint64_t wanted = left_ns ? storm.forward_ns + left_ns / 4 : storm.forward_ns / 2;
    storm.forward_ns = wanted < LEAST_FORWARD_NS  ? LEAST_FORWARD_NS
                       : wanted > MOST_FORWARD_NS ? MOST_FORWARD_NS
                                                  : wanted;
}

/* Swaps until the storm is over or another one is asked for. */
static void rage(uint32_t begun) {
    uint32_t rate = storm.wish.rate;
    uint64_t due = k42_platform_now_ns(), late = 0;
    storm.forward_ns = LEAST_FORWARD_NS;
    while (__atomic_load_n(&storm.begun, __ATOMIC_ACQUIRE) == begun) {
        unsigned made = await(shoot(handful(rate, late)));
        uint64_t now = k42_platform_now_ns();
        due += (uint64_t)(made ? made : 1) * 1000000000ul / rate;
        if (due + LAG_NS < now)
            due = now - LAG_NS;
        late = due < now ? now - due : 0;
        make_use_of(late ? 0 : due - now);
        __atomic_store_n(&storm.counts.ns, now - storm.since, __ATOMIC_RELAXED);
        if (!late)
            k42_platform_park(&storm.begun, begun, due - now);
    }
}

static void run(void *unused) {
    (void)unused;
    if (k42_attach("chaos") < 0)
        k42_platform_panic("the thread of chaos cannot attach");
    k42_platform_go_first();
    for (;;) {
        uint32_t begun = begin();
        if (storm.wish.rate) {
            rage(begun);
            spoil_end();
            __atomic_store_n(&storm.counts.busy_now, 0, __ATOMIC_RELEASE);
        } else {
            k42_platform_park(&storm.begun, begun, 0);
        }
    }
}

k42_result chaos_set(const struct chaos_wish *wish) {
    if (wish->rate > CHAOS_MOST_RATE || wish->delays > CHAOS_MOST_RATE ||
        wish->failures > CHAOS_MOST_RATE)
        return -EINVAL;
    k42_lock(&storm.lock);
    if (wish->rate)
        storm.since = k42_platform_now_ns();
    storm.wanted = *wish;
    __atomic_add_fetch(&storm.begun, 1, __ATOMIC_RELEASE);
    if (!storm.thread && wish->rate)
        storm.thread = k42_platform_spawn("chaos", run, NULL);
    bool there = storm.thread || !wish->rate;
    k42_unlock(&storm.lock);
    k42_platform_wake(&storm.begun, 1);
    return there ? 0 : -ENOMEM;
}

void chaos_read(struct chaos_counts *counts) {
    *counts = storm.counts;
    counts->rate = __atomic_load_n(&storm.wanted.rate, __ATOMIC_RELAXED);
    spoil_read(counts);
}

/* A number, and what is behind it. */
static uint64_t number(const char **text) {
    uint64_t value = 0;
    for (; **text >= '0' && **text <= '9'; (*text)++)
        value = value * 10 + (uint64_t)(**text - '0');
    return value;
}

void chaos_open(void) {
    char text[32];
    const char *at = text;
    if (!boot_option("chaos", text, sizeof text))
        return;
    uint64_t rate = number(&at), seed = *at == ',' ? (at++, number(&at)) : 1;
    struct chaos_wish wish = {.rate = (uint32_t)rate, .seed = seed};
    if (*at || rate > CHAOS_MOST_RATE || chaos_set(&wish) < 0)
        print("chaos=%s: not a rate, with a comma and a seed behind it", text);
}
