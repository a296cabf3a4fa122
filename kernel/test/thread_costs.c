/*
 * What threads cost: test=threadcosts prints, for each operation, ticks of the time-stamp counter.
 *
 * In an emulator that counts instructions (QEMU's -icount shift=0, one CPU) a tick of the counter
 * is a fixed part of an instruction; an empty loop of known length says which, so what is printed
 * is instructions there. On real machines they are ticks. Nothing is judged but that it ends.
 */
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/timer.h"
#include "../sched/wait.h"
#include "crew.h"

#include <k42/k42.h>

#define TIMES 2000u
#define PLACE 0x7fff0001u /* an id that no object has */

static uint64_t tick(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* How many ticks 1,024 instructions take. */
static uint64_t ticks_of_1024(void) {
    uint64_t left = 1024 * 64 / 2, begin = tick();
    __asm__ volatile("1: decq %0; jnz 1b" : "+r"(left)::"cc");
    return (tick() - begin) / 64;
}

static void report(const char *what, uint64_t begin, uint64_t times) {
    uint64_t ticks = tick() - begin;
    print("%s: %lu", what, ticks * 1024 / ticks_of_1024() / times);
}

static uint32_t turn;
static bool stop;

static void yield_on(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE))
        thread_yield();
}

static void park_in_turn(void *unused) {
    (void)unused;
    for (uint32_t i = 0; i < TIMES; i++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * i + 1)
            thread_park(&turn, 2 * i, 0);
        turn++;
        thread_wake_parked(&turn, 1);
    }
}

static k42_result my_turn(uint32_t which) {
    if (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != which)
        return wait_on(PLACE, which & 1, WAIT_READ);
    return 0;
}

static void call_in_turn(void *unused) {
    k42_result result;
    (void)unused;
    k42_enter();
    for (uint32_t i = 0; i < TIMES; i++) {
        WAIT_CALL(result, WAIT_FOREVER, 0, my_turn(2 * i + 1));
        __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
        wait_notify(PLACE, 0, WAIT_READ, 1);
    }
    k42_exit();
}

static void nothing(void *unused) {
    (void)unused;
}

static uint64_t never(struct timer *timer) {
    (void)timer;
    return TIMER_DONE;
}

KERNEL_CHECK(threadcosts, operations_of_threads_are_measured) {
    uint32_t here = cpu_number();
    stop = false;
    struct thread *other = thread_start_on(here, "other", yield_on, NULL);
    uint64_t begin = tick();
    for (unsigned i = 0; i < TIMES; i++)
        thread_yield();
    report("two switches, by yielding", begin, TIMES);
    __atomic_store_n(&stop, true, __ATOMIC_RELEASE);
    thread_join(other);

    turn = 0;
    other = thread_start_on(here, "other", park_in_turn, NULL);
    begin = tick();
    for (uint32_t i = 0; i < TIMES; i++) {
        turn++;
        thread_wake_parked(&turn, 1);
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != 2 * i + 2)
            thread_park(&turn, 2 * i + 1, 0);
    }
    report("park and wake, there and back", begin, TIMES);
    thread_join(other);

    turn = 0;
    other = thread_start_on(here, "other", call_in_turn, NULL);
    begin = tick();
    for (uint32_t i = 0; i < TIMES; i++) {
        k42_result result;
        k42_enter();
        __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
        wait_notify(PLACE, 1, WAIT_READ, 1);
        WAIT_CALL(result, WAIT_FOREVER, 0, my_turn(2 * i + 2));
        k42_exit();
    }
    report("WAIT_CALL that sleeps, there and back", begin, TIMES);
    thread_join(other);

    turn = 0;
    struct sched_counts before, after;
    sched_count(&before);
    uint64_t began = time_ns();
    other = thread_start("other", call_in_turn, NULL);
    for (uint32_t i = 0; i < TIMES; i++) {
        k42_result result;
        k42_enter();
        __atomic_fetch_add(&turn, 1, __ATOMIC_SEQ_CST);
        wait_notify(PLACE, 1, WAIT_READ, 1);
        WAIT_CALL(result, WAIT_FOREVER, 0, my_turn(2 * i + 2));
        k42_exit();
    }
    sched_count(&after);
    print("the same on any CPU: %lu ns, %lu moves in %u", (time_ns() - began) / TIMES,
          after.moves - before.moves, TIMES);
    thread_join(other);

    begin = tick();
    for (uint32_t i = 0; i < TIMES; i++)
        wait_notify(PLACE, i, WAIT_READ, 1);
    report("a notification that nobody waits for", begin, TIMES);

    begin = tick();
    for (uint32_t i = 0; i < TIMES; i++) {
        k42_result result;
        k42_enter();
        WAIT_CALL(result, WAIT_FOREVER, 0, my_turn(turn));
        k42_exit();
    }
    report("WAIT_CALL that is ready, with entering and leaving", begin, TIMES);

    struct timer timer = {0};
    begin = tick();
    for (unsigned i = 0; i < TIMES; i++) {
        timer_start(&timer, time_ns() + 1000000000000ul, never);
        timer_stop(&timer);
    }
    report("a timer set and stopped", begin, TIMES);

    begin = tick();
    for (unsigned i = 0; i < TIMES / 10; i++)
        thread_join(thread_start_on(here, "short", nothing, NULL));
    report("a thread started, ended and joined", begin, TIMES / 10);

    begin = tick();
    for (unsigned i = 0; i < TIMES / 10; i++)
        thread_discard(thread_create("short", nothing, NULL));
    report("a thread made and discarded", begin, TIMES / 10);
    return true;
}
