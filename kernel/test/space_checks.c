/*
 * Checks of address spaces on the processor's own tables: test=space; and what they cost, in
 * instructions where the emulator counts those (thread_costs.c says how): test=spacecosts.
 *
 * A kernel thread takes an address space like a program and reaches it by user copies, so real
 * translation buffers are in the way. The host's tests (tests/host/test_space*.c) look at
 * everything else.
 */
#include "../arch/x86_64/user.h"
#include "../copy.h"
#include "../kernel.h"
#include "../mem/fcm/file_pages.h"
#include "../mem/heap/heap.h"
#include "../mem/space/space.h"
#include "../print.h"
#include "../sched/wait.h"
#include "crew.h"

#include <errno.h>
#include <k42/k42.h>

#define PAGE 4096ul
#define BASE 0x10000000ul
#define BOTH (SPACE_READ | SPACE_WRITE)
#define ALL  (BOTH | SPACE_EXECUTE)

static struct crew crew;

/* ---- a thread as a program ---- */

static k42_result resolve(uintptr_t address, unsigned access) {
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(space_current(), fault, address, access));
    k42_exit();
    return result;
}

static int check_fault(struct trap_frame *frame, uintptr_t address) {
    unsigned access = frame->error & FAULT_WRITE ? SPACE_ACCESS_WRITE : SPACE_ACCESS_READ;
    access |= frame->error & FAULT_PRESENT ? 0 : SPACE_ACCESS_ABSENT;
    return (int)resolve(address, access);
}

static const struct personality check_personality = {.fault = check_fault};

static void *program_begin(space_ref space) {
    struct user_table *table;
    void *state = heap_allocate_zeroed((user_state_size() + 63) & ~63ul);
    k42_enter();
    k42_result result = k42_call(space, table, &table);
    k42_exit();
    if (!state || result < 0)
        return NULL;
    user_context_open(user_current(), state, table, &check_personality);
    space_set_current(space);
    return state;
}

static void program_end(void *state) {
    space_set_current((space_ref)K42_NULL_REF);
    user_context_close();
    heap_free(state);
}

/* ---- calls ---- */

static k42_ref check_pm;

static bool pm_begin(void) {
    k42_enter();
    k42_result result = k42_call(pm_machine, divide, ~0ul, &check_pm);
    k42_exit();
    return result >= 0;
}

static bool pm_end(void) {
    struct pm_usage usage = {.used = 0};
    bool flushed = true;
    for (int round = 0; round < 4; round++)
        flushed = flushed && k42_defer_flush() == 0;
    k42_enter();
    k42_result result = k42_call((pm_ref)check_pm, usage, &usage);
    k42_exit();
    if (usage.used)
        print("%lu frames are left", usage.used);
    return flushed && result >= 0 && !usage.used && k42_destroy(check_pm) == 0;
}

static uintptr_t map(space_ref space, uintptr_t address, size_t length, k42_ref fcm,
                     unsigned flags) {
    struct space_request request = {.address = address,
                                    .length = length,
                                    .protection = BOTH,
                                    .most = ALL,
                                    .fcm = fcm,
                                    .flags = flags | (address ? SPACE_FIXED : 0)};
    struct k42_pair place;
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, (place = k42_call(space, map, &request)).result);
    k42_exit();
    return result < 0 ? 0 : place.word;
}

static k42_result unmap(space_ref space, uintptr_t address, size_t length) {
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(space, unmap, address, length));
    k42_exit();
    return result;
}

static space_ref fork_of(space_ref space) {
    k42_ref child = K42_NULL_REF;
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(space, fork, check_pm, &child));
    k42_exit();
    return (space_ref)child;
}

static bool make_space(space_ref *space) {
    k42_enter();
    k42_result result = space_create(check_pm, space);
    k42_exit();
    return result >= 0;
}

static bool end_space(space_ref space) {
    return k42_destroy((k42_ref)space) == 0;
}

/* ---- what holds ---- */

KERNEL_CHECK(space, a_program_reads_what_it_wrote_and_nothing_else) {
    space_ref space;
    uint64_t value = 1;
    if (!pm_begin() || !make_space(&space))
        return false;
    void *program = program_begin(space);
    bool held = map(space, BASE, 16 * PAGE, K42_NULL_REF, 0) == BASE &&
                user_get64(&value, BASE + PAGE) == 0 && value == 0 &&
                user_put64(BASE + PAGE, 42) == 0 && user_get64(&value, BASE + PAGE) == 0 &&
                value == 42 && user_get64(&value, BASE - 8) == -EFAULT &&
                unmap(space, BASE + PAGE, PAGE) == 0 &&
                user_get64(&value, BASE + PAGE) == -EFAULT && user_put64(BASE + 2 * PAGE, 1) == 0;
    program_end(program);
    return end_space(space) && pm_end() && held;
}

struct counting {
    space_ref space;
    uint32_t failed;
};

/* Each member counts in a word of each of some pages, and finds what it wrote. */
static void count_in_memory(struct member *self) {
    struct counting *counting = self->shared;
    void *program = program_begin(counting->space);
    uintptr_t at = BASE + self->number * sizeof(uint64_t);
    for (uint64_t round = 1; program && member_goes_on(self); round++) {
        for (unsigned page = 0; page < 8; page++) {
            uint64_t value = 0;
            if (user_get64(&value, at + page * PAGE) || value != round - 1 ||
                user_put64(at + page * PAGE, round)) {
                print("page %u: %lu in round %lu", page, value, round);
                __atomic_store_n(&counting->failed, 1, __ATOMIC_RELAXED);
                program_end(program);
                return;
            }
        }
        member_count(self);
    }
    if (program)
        program_end(program);
}

/* A child stands still while its parent's threads count on. */
static bool child_stands_still(space_ref child) {
    bool same = true;
    void *program = program_begin(child);
    for (unsigned member = 0; program && member < crew.size; member++) {
        uint64_t first = 0, again = 0;
        uintptr_t at = BASE + member * sizeof first;
        same = same && user_get64(&first, at) == 0 && user_put64(at + PAGE, ~0ul) == 0 &&
               user_get64(&again, at) == 0 && first == again;
    }
    if (program)
        program_end(program);
    return program && same;
}

KERNEL_CHECK(space, threads_on_all_cpus_lose_no_write_to_forks) {
    struct counting counting = {0};
    /* What a round takes grows with the processors. */
    unsigned rounds = cpu_count() <= 8 ? 30 : 240 / cpu_count() + 1;
    if (!pm_begin() || !make_space(&counting.space))
        return false;
    bool held = map(counting.space, BASE, 8 * PAGE, K42_NULL_REF, 0) == BASE;
    if (!crew_start(&crew, cpu_count() + 1, false, count_in_memory, &counting))
        return false;
    for (unsigned round = 0; held && round < rounds && !counting.failed; round++) {
        space_ref child = fork_of(counting.space);
        held = child != (space_ref)K42_NULL_REF && child_stands_still(child) && end_space(child);
        crew_await(&crew, 1);
    }
    crew_end(&crew);
    return end_space(counting.space) && pm_end() && held && !counting.failed;
}

/* ---- costs ---- */

static uint64_t tick(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static uint64_t ticks_of_1024(void) {
    uint64_t left = 1024 * 64 / 2, begin = tick();
    __asm__ volatile("1: decq %0; jnz 1b" : "+r"(left)::"cc");
    return (tick() - begin) / 64;
}

static void report(const char *what, uint64_t begin, uint64_t times) {
    uint64_t ticks = tick() - begin;
    print("%s: %lu", what, ticks * 1024 / ticks_of_1024() / times);
}

/* Touches pages, each by one trap. */
static bool touch(const char *what, uintptr_t from, unsigned pages, bool write) {
    uint64_t value = 0, begin = tick();
    for (unsigned n = 0; n < pages; n++)
        if (write ? user_put64(from + n * PAGE, 1) : user_get64(&value, from + n * PAGE)) {
            print("%s: page %u: %ld", what, n, resolve(from + n * PAGE, write));
            return false;
        }
    report(what, begin, pages);
    return true;
}

static void report_ticks(const char *what, uint64_t ticks, uint64_t times) {
    print("%s: %lu", what, ticks * 1024 / ticks_of_1024() / times);
}

/* The parts of a child's life that are an address space's. */
static bool fork_and_end(space_ref space, const char *what, unsigned writes) {
    bool held = true;
    unsigned times = 16;
    uint64_t forked = 0, written = 0, ended = 0;
    for (unsigned n = 0; held && n < times; n++) {
        uint64_t begin = tick();
        space_ref child = fork_of(space);
        forked += tick() - begin;
        void *program = program_begin(child);
        begin = tick();
        for (unsigned page = 0; page < writes; page++)
            held = held && user_put64(BASE + page * PAGE * 16, n) == 0;
        written += tick() - begin;
        program_end(program);
        begin = tick();
        held = held && end_space(child);
        for (int round = 0; round < 3; round++)
            held = held && k42_defer_flush() == 0;
        ended += tick() - begin;
    }
    print("%s:", what);
    report_ticks("  fork", forked, times);
    if (writes)
        report_ticks("  writes", written, times);
    report_ticks("  end, with three grace periods", ended, times);
    return held;
}

static bool map_and_unmap(space_ref space) {
    bool held = true;
    uint64_t begin = tick();
    for (unsigned n = 0; held && n < 200; n++) {
        uintptr_t at = map(space, 0, PAGE, K42_NULL_REF, SPACE_NO_FORK);
        held = at && unmap(space, at, PAGE) == 0;
    }
    report("map and unmap", begin, 200);
    return held;
}

/* Eight regions, a hundred pages: a small program. */
static bool small_program(space_ref space, k42_ref file) {
    bool held = map(space, BASE, 128 * PAGE, K42_NULL_REF, 0);
    held = held && touch("first touch", BASE, 80, true);
    for (unsigned n = 1; n < 7; n++)
        held = held && map(space, BASE + n * 0x800000, 16 * PAGE, n < 4 ? file : K42_NULL_REF, 0);
    return held && touch("private file, read, cold", BASE + 0x800000, 1, false) &&
           touch("private file, read, in memory", BASE + 2 * 0x800000, 1, false) &&
           touch("private file, written after reading", BASE + 0x800000, 4, true) &&
           touch("private file, written", BASE + 3 * 0x800000, 4, true);
}

static bool as_program(space_ref space, bool (*run)(space_ref space, k42_ref file), k42_ref file) {
    void *program = program_begin(space);
    bool held = program && run(space, file);
    if (program)
        program_end(program);
    return held;
}

static bool large_program(space_ref space, k42_ref file) {
    (void)file;
    return map(space, BASE * 16, (64ul << 20) - PAGE, K42_NULL_REF, SPACE_NO_LARGE) &&
           touch("first touch, 64 MiB", BASE * 16, 16383, true);
}

static bool large_pages(space_ref space, k42_ref file) {
    (void)file;
    return map(space, BASE * 32, 64ul << 20, K42_NULL_REF, SPACE_LARGE) &&
           touch("first touch of 64 MiB, large pages", BASE * 32, 16384, true);
}

KERNEL_CHECK(spacecosts, the_operations_of_an_address_space_end) {
    space_ref space;
    k42_ref file;
    struct fcm_file what = {.pm = pm_machine, .size = 256 * PAGE};
    if (!pm_begin() || !make_space(&space) || k42_create(&fcm_pinned, &what, &file) < 0)
        return false;
    bool held =
        as_program(space, small_program, file) && fork_and_end(space, "fork and end, small", 0) &&
        fork_and_end(space, "fork, three writes and end", 3) && map_and_unmap(space) &&
        as_program(space, large_program, file) && fork_and_end(space, "fork and end, 64 MiB", 0) &&
        as_program(space, large_pages, file);
    uint64_t begin = tick();
    held = end_space(space) && k42_defer_flush() == 0 && k42_defer_flush() == 0 && held;
    report("end, 128 MiB", begin, 1);
    return pm_end() && k42_destroy(file) == 0 && held;
}
