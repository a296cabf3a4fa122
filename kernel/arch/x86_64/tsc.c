/*
 * Makes the time-stamp counters of all CPUs agree, since time is read from whichever CPU one is on.
 *
 * As each CPU starts it asks the boot CPU, which waits for it anyway, what its counter says. An
 * answer that lies between two readings of the asker's own is no proof of a difference; one outside
 * is, and then the counter is put forward or back by the difference from the middle, as the
 * quickest of some rounds showed it, and looked at again. Firmware that starts CPUs one after the
 * other, or wakes them from sleep, leaves such differences.
 *
 * Where that does not help, time may differ from CPU to CPU: a message says so, and programs are
 * not told to read the counter by themselves.
 *
 * The option skew-tsc puts the others' counters out by as many ticks first, for tests.
 *
 * Owns: `exchange`, one line between the boot CPU and the one that starts.
 */
#include "../../print.h"
#include "cpu.h"

#define ROUNDS     8
#define ATTEMPTS   4
#define SECOND     1000000000ul
#define ENOUGH_NS  1000000ul /* of asking, where each answer takes long */
#define TSC_ADJUST (1u << 1)

static struct {
    uint32_t asked, answered;
    uint64_t said;
} exchange __attribute__((aligned(64)));

void tsc_answer(void) {
    uint32_t asked = __atomic_load_n(&exchange.asked, __ATOMIC_ACQUIRE);
    if (asked == exchange.answered)
        return;
    exchange.said = read_tsc();
    __atomic_store_n(&exchange.answered, asked, __ATOMIC_RELEASE);
}

struct comparison {
    int64_t ahead;  /* the boot CPU, by so many ticks, */
    uint64_t error; /* give or take so many */
};

static struct comparison compare_once(void) {
    uint32_t number = exchange.asked + 1;
    uint64_t before = read_tsc();
    __atomic_store_n(&exchange.asked, number, __ATOMIC_RELEASE);
    while (__atomic_load_n(&exchange.answered, __ATOMIC_ACQUIRE) != number)
        __builtin_ia32_pause();
    uint64_t said = exchange.said, half = (read_tsc() - before) / 2;
    return (struct comparison){(int64_t)(said - before - half), half};
}

static struct comparison compare(void) {
    struct comparison best = compare_once();
    uint64_t begin = read_tsc(), enough = clock_rate() * ENOUGH_NS / SECOND;
    for (int round = 1; round < ROUNDS && read_tsc() - begin < enough; round++) {
        struct comparison next = compare_once();
        if (next.error < best.error)
            best = next;
    }
    return best;
}

static bool agree(struct comparison found) {
    uint64_t off = (uint64_t)(found.ahead < 0 ? -found.ahead : found.ahead);
    return off <= found.error;
}

static void put_forward(int64_t ticks) {
    if (cpuid(0, 0).eax >= 7 && cpuid(7, 0).ebx & TSC_ADJUST)
        msr_write(MSR_TSC_ADJUST, msr_read(MSR_TSC_ADJUST) + (uint64_t)ticks);
    else
        msr_write(MSR_TSC, read_tsc() + (uint64_t)ticks);
}

static int64_t wanted_skew(void) {
    char text[16];
    int64_t ticks = 0;
    if (boot_option("skew-tsc", text, sizeof text))
        for (const char *at = text; *at; at++)
            ticks = ticks * 10 + (*at - '0');
    return ticks;
}

void tsc_follow(void) {
    put_forward(wanted_skew());
    struct comparison found = compare();
    for (int attempt = 0; !agree(found) && attempt < ATTEMPTS; attempt++) {
        put_forward(found.ahead);
        found = compare();
    }
    if (agree(found))
        return;
    clock_differs();
    print("boot: the clock of CPU %u differs from the boot CPU's by %ld ticks for good",
          cpu_self()->number, found.ahead);
}
