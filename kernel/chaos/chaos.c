/*
 * The storm: a thread that swaps a handful of objects at a time, so often as was asked for.
 *
 * A handful is asked for at once, and swapped as one batch, whose grace periods are shared;
 * otherwise a storm of a thousand swaps a second would be one of a thousand grace periods. Half of
 * its objects are taken from classes in turn, whatever their number, and of each class by chance;
 * the others are of classes that calls came to in the last handfuls.
 *
 * Owner: the thread has everything but `wanted`, which callers set under `lock`; the counts are
 * read by whoever likes, and may not fit together. Fails: an object that cannot be swapped is
 * counted by why, and another is taken.
 */
#include "chaos.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"
#include "pairs.h"
#include "runtime.h"

#include <errno.h>
#include <k42/k42.h>
#include <k42/lock.h>

enum { HANDFUL = 16, CLASSES = 256 };
#define LAG_NS     100000000ul /* what is not made up for */
#define PATIENT_NS 10000000ul

struct shot {
    struct k42_swap swap;
    struct chaos_pair *pair;
};

/* A class with instances. */
struct target {
    struct k42_class *class_;
    uint64_t round; /* in which it was last seen to have some */
    uint64_t calls; /* that came to its objects while they were swapped, of late */
};

static struct {
    struct k42_lock lock;
    uint32_t begun; /* changes when a storm does; slept on */
    uint32_t wanted;
    uint64_t seed, since;
    struct k42_platform_thread *thread;

    /* The thread's. */
    uint64_t random, round;
    struct chaos_counts counts;
    struct target targets[CLASSES];
    unsigned target_count, turn;
    struct shot shots[HANDFUL];
    uint32_t pending; /* of them; slept on */
} storm;

static uint64_t next_random(void) {
    storm.random ^= storm.random << 13;
    storm.random ^= storm.random >> 7;
    storm.random ^= storm.random << 17;
    return storm.random;
}

/* ---- what to swap ---- */

static long note_class(const struct k42_class_info *info, void *context) {
    (void)context;
    unsigned at = 0;
    if (!info->instances)
        return 0;
    while (at < storm.target_count && storm.targets[at].class_ != info->class_)
        at++;
    if (at == CLASSES)
        return 0;
    if (at == storm.target_count)
        storm.targets[storm.target_count++] = (struct target){.class_ = info->class_};
    storm.targets[at].round = storm.round;
    return 0;
}

/* A class may have gone with its component, so none is kept that was not seen just now. */
static void find_targets(void) {
    unsigned kept = 0;
    storm.round++;
    k42_each_class(note_class, NULL);
    for (unsigned i = 0; i < storm.target_count; i++)
        if (storm.targets[i].round == storm.round)
            storm.targets[kept++] = storm.targets[i];
    storm.target_count = kept;
}

/* The class whose turn it is; every other time one that was called. */
static struct target *next_target(unsigned number) {
    struct target *target = &storm.targets[storm.turn++ % storm.target_count];
    for (unsigned i = 0; number % 2 && i < storm.target_count; i++) {
        if (target->calls)
            break;
        target = &storm.targets[storm.turn++ % storm.target_count];
    }
    return target;
}

/* One object of a class, each as likely as the others. */
struct draw {
    const char *class_name;
    uint64_t seen;
    k42_id id;
};

static long draw_one(const struct k42_object_info *info, void *context) {
    struct draw *draw = context;
    if (!info->swapping && k42_text_equal(info->class_name, draw->class_name) &&
        next_random() % ++draw->seen == 0)
        draw->id = info->id;
    return 0;
}

/* False: the class has no object, or nothing that it could become. */
static bool aim(struct shot *shot, struct target *target) {
    struct draw draw = {.class_name = target->class_->name};
    shot->pair = chaos_next(target->class_);
    struct k42_class *to = shot->pair ? k42_class_find(shot->pair->to) : NULL;
    if (!to)
        return false;
    k42_each_object(target->class_->interface, draw_one, &draw);
    if (!draw.seen)
        return false;
    shot->swap = (struct k42_swap){.ref = k42_id_ref(draw.id),
                                   .from = target->class_,
                                   .to = to,
                                   .deadline_ns = PATIENT_NS,
                                   .context = target};
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
    *(result == -ETIMEDOUT ? &counts->late
      : result == -ENOMEM  ? &counts->without_memory
                           : &counts->failed) += 1;
    shot->pair->aborted++;
    k42_copy_text(counts->last, sizeof counts->last, shot->swap.report.text);
}

static void count_shot(struct shot *shot) {
    struct target *target = shot->swap.context;
    const struct k42_swap_report *report = &shot->swap.report;
    target->calls = (target->calls + 3 * report->calls) / 4;
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

/*
 * Takes aim and asks for the swaps; returns for how many. All in one active section: as long as it
 * lasts no component, and so no class, goes away, and one that is to go awaits the swaps that were
 * asked for.
 */
static unsigned shoot(unsigned handful) {
    unsigned count = 0;
    k42_enter();
    find_targets();
    for (unsigned i = 0; i < handful && storm.target_count; i++) {
        struct shot *shot = &storm.shots[count];
        count += aim(shot, next_target(i)) && !is_aimed_at(shot->swap.ref, count);
    }
    __atomic_store_n(&storm.pending, count, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < count; i++) {
        storm.shots[i].swap.done = note_end;
        k42_result queued = k42_swap_submit(&storm.shots[i].swap);
        (void)queued;
    }
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

static void begin(void) {
    k42_lock(&storm.lock);
    storm.random = storm.seed * 0x9e3779b97f4a7c15ul | 1;
    storm.counts = (struct chaos_counts){.seed = storm.seed};
    k42_unlock(&storm.lock);
}

/* Swaps until the storm is over or another one is asked for. */
static void rage(uint32_t begun, uint32_t rate) {
    uint64_t due = k42_platform_now_ns();
    unsigned handful = rate < 100 ? 1 : rate < 100 * HANDFUL ? rate / 100 : HANDFUL;
    while (__atomic_load_n(&storm.begun, __ATOMIC_ACQUIRE) == begun) {
        unsigned made = await(shoot(handful));
        uint64_t now = k42_platform_now_ns();
        due += (uint64_t)(made ? made : 1) * 1000000000ul / rate;
        if (due + LAG_NS < now)
            due = now - LAG_NS;
        __atomic_store_n(&storm.counts.ns, now - storm.since, __ATOMIC_RELAXED);
        if (due > now)
            k42_platform_park(&storm.begun, begun, due - now);
    }
}

static void run(void *unused) {
    (void)unused;
    if (k42_attach("chaos") < 0)
        k42_platform_panic("the thread of chaos cannot attach");
    for (;;) {
        uint32_t begun = __atomic_load_n(&storm.begun, __ATOMIC_ACQUIRE);
        uint32_t rate = __atomic_load_n(&storm.wanted, __ATOMIC_ACQUIRE);
        if (rate) {
            begin();
            __atomic_store_n(&storm.counts.busy_now, 1, __ATOMIC_RELAXED);
            rage(begun, rate);
            __atomic_store_n(&storm.counts.busy_now, 0, __ATOMIC_RELEASE);
        } else {
            k42_platform_park(&storm.begun, begun, 0);
        }
    }
}

k42_result chaos_set(uint32_t rate, uint64_t seed) {
    if (rate > CHAOS_MOST_RATE)
        return -EINVAL;
    k42_lock(&storm.lock);
    if (rate) {
        storm.seed = seed;
        storm.since = k42_platform_now_ns();
    }
    __atomic_store_n(&storm.wanted, rate, __ATOMIC_RELEASE);
    __atomic_add_fetch(&storm.begun, 1, __ATOMIC_RELEASE);
    if (!storm.thread && rate)
        storm.thread = k42_platform_spawn("chaos", run, NULL);
    bool there = storm.thread || !rate;
    k42_unlock(&storm.lock);
    k42_platform_wake(&storm.begun, 1);
    return there ? 0 : -ENOMEM;
}

void chaos_read(struct chaos_counts *counts) {
    *counts = storm.counts;
    counts->rate = __atomic_load_n(&storm.wanted, __ATOMIC_RELAXED);
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
    if (*at || rate > CHAOS_MOST_RATE || chaos_set((uint32_t)rate, seed) < 0)
        print("chaos=%s: not a rate, with a comma and a seed behind it", text);
}
