/*
 * Checks of how programs are entered and left, on all CPUs: test=user. user_memory_checks.c has
 * those of their memory.
 */
#include "kernel.h"
#include "print.h"
#include "program.h"
#include "runtime.h"

#define MILLISECOND 1000000ul
#define PATIENCE    (60 * 1000 * MILLISECOND)

extern const char program_calls[], program_calls_end[], program_null[], program_null_end[];
extern const char program_faults[], program_faults_end[], program_steps[], program_steps_end[];
extern const char program_spins[], program_spins_end[], program_asks[], program_asks_end[];
extern const char step_1[], step_2[], step_3[], step_4[], step_5[], step_6[], step_7[];

static bool is(long value, long wanted, const char *what) {
    if (value != wanted)
        print("%s is 0x%lx and should be 0x%lx", what, value, wanted);
    return value == wanted;
}

static bool nothing_is_lost(void) {
    return is(program_frames(), 0, "the number of frames not given back");
}

KERNEL_CHECK(user, a_system_call_returns_with_all_registers_on_every_cpu) {
    bool held = true;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        held &= is(program_run(PROGRAM(program_calls), cpu, 0), 0, "the program's status");
    return held && nothing_is_lost();
}

/* Several at once, preempted and moved between their calls. */
KERNEL_CHECK(user, programs_call_while_others_do) {
    struct program programs[6];
    bool held = true;
    for (unsigned i = 0; i < 6; i++)
        held &= program_make(&programs[i], PROGRAM(program_calls), NULL) &&
                program_start(&programs[i], ~0u, 0);
    for (unsigned i = 0; held && i < 6; i++)
        held &= is(program_end(&programs[i]), 0, "the program's status");
    return held && nothing_is_lost();
}

/* ---- exceptions ---- */

#define ANYTHING (~0ul)

/* What program_faults does, in its order. */
static const struct {
    uint64_t vector, error;
    uintptr_t address;
} wanted_traps[] = {
    {6, 0, 0},
    {0, 0, 0},
    {3, 0, 0},
    {13, 0, 0},
    {13, ANYTHING, 0}, /* int 0x80; machines differ in how they say it */
    {14, FAULT_USER, PROGRAM_NOTHING},
    {14, FAULT_USER | FAULT_WRITE | FAULT_PRESENT, PROGRAM_TEXT},
    {14, FAULT_USER | FAULT_EXECUTE | FAULT_PRESENT, PROGRAM_DATA},
    {14, FAULT_USER | FAULT_PRESENT, 0xffffffff80100000},
    {13, 0, 0},
    {13, 0, 0}, /* UMIP */
};
#define WANTED_TRAPS (sizeof wanted_traps / sizeof *wanted_traps)
#define TRAP_OF_DATA 7

static bool trap_is(const struct program *program, unsigned i, unsigned wanted) {
    bool held =
        is((long)program->traps[i].vector, (long)wanted_traps[wanted].vector, "a vector") &&
        (wanted_traps[wanted].error == ANYTHING ||
         is((long)program->traps[i].error, (long)wanted_traps[wanted].error, "an error")) &&
        is((long)program->traps[i].address, (long)wanted_traps[wanted].address, "an address");
    if (!held)
        print("of trap %u", wanted);
    return held;
}

static bool traps_are_told(uint32_t cpu) {
    struct program program;
    bool umip = user_has(USER_HAS_UMIP), nx = user_has(USER_HAS_NX);
    if (!program_make(&program, PROGRAM(program_faults), NULL) ||
        !program_start(&program, cpu, umip))
        return false;
    bool held = is(program_end(&program), 0, "the program's status");
    unsigned at = 0;
    for (unsigned wanted = 0; wanted < WANTED_TRAPS - !umip; wanted++) {
        if (wanted == TRAP_OF_DATA && !nx) {
            at++; /* zeroes are instructions; whatever comes of them */
            continue;
        }
        held &= trap_is(&program, at++, wanted);
    }
    return held && is(program.trap_count, at, "the number of traps");
}

KERNEL_CHECK(user, every_exception_of_a_program_is_told) {
    bool held = true;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        held &= traps_are_told(cpu);
    return held && nothing_is_lost();
}

/*
 * Whether sysretq itself is followed by a step differs from processor to processor: with one, step
 * 3 is where the call ended.
 */
#define STEPS        7u
#define STEP_OF_CALL 2u

static bool steps_are(const struct program *program) {
    static const char *const steps[] = {step_1, step_2, step_3, step_4, step_5, step_6, step_7};
    unsigned at = 0;
    for (unsigned step = 0; step < STEPS; step++) {
        long wanted = PROGRAM_TEXT + (steps[step] - program_steps);
        if (step == STEP_OF_CALL && (long)program->traps[at].rip != wanted)
            continue;
        if (!is((long)program->traps[at].rip, wanted, "where a step ended") ||
            !is(program->traps[at].error >> 14 & 1, 1, "the bit that says it is a step"))
            return false;
        at++;
    }
    return is(program->trap_count, at, "the number of steps");
}

KERNEL_CHECK(user, a_program_is_stepped_through_a_system_call) {
    struct program program;
    if (!program_make(&program, PROGRAM(program_steps), NULL) || !program_start(&program, ~0u, 0))
        return false;
    return is(program_end(&program), 0, "the program's status") && steps_are(&program) &&
           nothing_is_lost();
}

/* ---- registers ---- */

static volatile uint64_t *turns_of(const struct program *program) {
    return phys_to_virt(program->frames[1]);
}

static bool takes_turns(const struct program *program, uint64_t wanted) {
    for (uint64_t end = time_ns() + PATIENCE; time_ns() < end; thread_sleep(MILLISECOND))
        if (*turns_of(program) >= wanted)
            return true;
    print("a program that should run does not");
    return false;
}

#define ROUNDS 10

static bool all_take_turns(const struct program *programs, uint64_t *wanted, unsigned count) {
    bool held = true;
    for (unsigned i = 0; i < count; i++)
        wanted[i] = *turns_of(&programs[i]) + 100;
    for (unsigned i = 0; held && i < count; i++)
        held = takes_turns(&programs[i], wanted[i]);
    return held;
}

/* Three on each CPU. All go on in a round, which takes each in and out once. */
static bool keep_registers(struct program *programs, uint64_t *wanted, unsigned count) {
    unsigned made = 0;
    while (made < count && program_make(&programs[made], PROGRAM(program_spins), NULL) &&
           program_start(&programs[made], made % cpu_count(), made + 1))
        made++;
    bool held = made == count;
    for (unsigned round = 0; held && round < ROUNDS; round++)
        held = all_take_turns(programs, wanted, count);
    for (unsigned i = 0; i < made; i++)
        program_stop(&programs[i]);
    for (unsigned i = 0; i < made; i++)
        held &= is(program_end(&programs[i]), 0, "what was lost");
    return held;
}

KERNEL_CHECK(user, registers_outlive_other_programs_on_the_same_cpu) {
    unsigned count = 3 * cpu_count();
    struct program *programs = k42_platform_alloc(count * sizeof *programs);
    uint64_t *wanted = k42_platform_alloc(count * sizeof *wanted);
    bool held = programs && wanted && keep_registers(programs, wanted, count);
    k42_platform_free(wanted);
    k42_platform_free(programs);
    return held && nothing_is_lost();
}

static long fork_and_wait(struct program *program, struct trap_frame *frame) {
    struct program *child = k42_platform_alloc(sizeof *child);
    struct trap_frame copy = *frame;
    copy.rax = 77;
    if (!child || !program_fork(child, program, &copy))
        return 1;
    long status = program_end(child);
    k42_platform_free(child);
    return status == 77 ? 0 : 2;
}

KERNEL_CHECK(user, a_forked_thread_has_its_parents_registers) {
    struct program program;
    if (!program_make(&program, PROGRAM(program_asks), NULL))
        return false;
    program.check = fork_and_wait;
    return program_start(&program, ~0u, 0x1234567) && is(program_end(&program), 0, "the status") &&
           nothing_is_lost();
}

/* ---- a signal's frame ---- */

#define FRAME_AT (PROGRAM_DATA + 0x400)

static uint64_t read_xmm7(void) {
    uint64_t value;
    __asm__ volatile("movq %%xmm7, %0" : "=r"(value));
    return value;
}

static void write_xmm7(uint64_t value) {
    __asm__ volatile("movq %0, %%xmm7" ::"r"(value));
}

/* Where FXSAVE has it, and MXCSR. */
#define XMM7_AT   (160 + 7 * 16)
#define MAGIC_AT  464
#define HEADER_AT 512

static long put_and_take(struct program *program, struct trap_frame *frame) {
    (void)frame;
    uint64_t seen;
    if (user_state_put(FRAME_AT))
        return 1;
    if (user_get64(&seen, FRAME_AT + XMM7_AT) || seen != program->argument)
        return 2;
    write_xmm7(99);
    if (user_state_take(FRAME_AT) || read_xmm7() != program->argument)
        return 3;
    /* What the program changes counts. */
    if (user_put64(FRAME_AT + XMM7_AT, 55) || user_state_take(FRAME_AT) || read_xmm7() != 55)
        return 4;
    /* Without the mark of the rest, the first part still does. */
    if (user_put64(FRAME_AT + MAGIC_AT, 0) || user_put64(FRAME_AT + XMM7_AT, 56) ||
        user_state_take(FRAME_AT) || read_xmm7() != 56)
        return 5;
    /* What is no state is refused, and then the registers are new ones. */
    bool extended = user_state_frame_size() > HEADER_AT;
    if (user_state_put(FRAME_AT) || (extended && user_put64(FRAME_AT + HEADER_AT + 8, 1)))
        return 6;
    if (extended && (user_state_take(FRAME_AT) != -14 || read_xmm7()))
        return 7;
    if (user_state_put(PROGRAM_NOTHING) != -14 || user_state_put(FRAME_AT + 8) != -14 ||
        user_state_take(PROGRAM_NOTHING) != -14 || user_state_take(USER_END - 64) != -14)
        return 8;
    if (user_state_take(0) || read_xmm7())
        return 9;
    write_xmm7(program->argument);
    return 0;
}

KERNEL_CHECK(user, registers_go_into_a_signals_frame_and_come_back) {
    struct program program;
    if (!program_make(&program, PROGRAM(program_asks), NULL))
        return false;
    program.check = put_and_take;
    return program_start(&program, ~0u, 0x7654321) &&
           is(program_end(&program), 0, "the step that failed") && nothing_is_lost();
}

static uint64_t next_random(uint64_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

#define DAMAGED_FRAMES 3000u

/* Damage where the kernel or the processor believes something: the end of the first part, the
 * header behind it; and anywhere. */
static long take_damaged(struct program *program, struct trap_frame *frame) {
    (void)program;
    (void)frame;
    uint64_t seed = 42;
    unsigned taken = 0, refused = 0;
    for (unsigned i = 0; i < DAMAGED_FRAMES; i++) {
        if (user_state_put(FRAME_AT))
            return 1;
        for (unsigned hits = 1 + next_random(&seed) % 4; hits; hits--) {
            uint64_t random = next_random(&seed);
            uintptr_t at = FRAME_AT + (random & 1 ? MAGIC_AT + (random >> 8) % 112
                                                  : (random >> 8) % user_state_frame_size());
            if (user_put8(at, (uint8_t)(random >> 32)))
                return 2;
        }
        int error = user_state_take(FRAME_AT);
        taken += error == 0;
        refused += error == -14;
    }
    bool refusable = user_state_frame_size() > HEADER_AT;
    return taken + refused == DAMAGED_FRAMES && taken && (refused || !refusable) ? 0 : 3;
}

KERNEL_CHECK(user, a_damaged_signal_frame_harms_nobody) {
    struct program program;
    if (!program_make(&program, PROGRAM(program_asks), NULL))
        return false;
    program.check = take_damaged;
    /* Its registers may be anything by now, so its status says no more than that it was there. */
    return program_start(&program, ~0u, 0) && is(program_end(&program) & 0xffff, 0, "the step") &&
           nothing_is_lost();
}

/* ---- the cost ---- */

#define CALLS 10000ul

/* Under an emulator that counts, a nanosecond is an instruction: `calls` are that many. */
KERNEL_CHECK(user_cost, a_system_call_takes_its_time) {
    bool held = program_run(PROGRAM(program_null), 0, 1) == 0;
    uint64_t begin = time_ns();
    held &= program_run(PROGRAM(program_null), 0, 1) == 0;
    uint64_t middle = time_ns();
    held &= program_run(PROGRAM(program_null), 0, CALLS + 1) == 0;
    uint64_t end = time_ns(), calls = (end - middle) - (middle - begin);
    print("%lu calls that do nothing: %lu ns, %lu.%lu each", CALLS, calls, calls / CALLS,
          calls * 10 / CALLS % 10);
    return held;
}

#define REPEATS 1000ul

static char page[FRAME_SIZE];

static uint64_t copies_of(size_t size) {
    uint64_t begin = time_ns();
    for (unsigned long i = 0; i < REPEATS; i++)
        user_copy_in(page, PROGRAM_DATA, size);
    return time_ns() - begin;
}

static uint64_t words(void) {
    uint64_t word, begin = time_ns();
    for (unsigned long i = 0; i < REPEATS; i++)
        user_get64(&word, PROGRAM_DATA);
    return time_ns() - begin;
}

static uint64_t strings(void) {
    uint64_t begin = time_ns();
    for (unsigned long i = 0; i < REPEATS; i++)
        user_string_in(page, PROGRAM_DATA + 3, FRAME_SIZE);
    return time_ns() - begin;
}

static long measure_copies(struct program *program, struct trap_frame *frame) {
    (void)frame;
    __builtin_memcpy(phys_to_virt(program->frames[1]), "xyz/usr/lib/locale/C.utf8", 26);
    print("a word %lu, 16 bytes %lu, 64 bytes %lu, 4096 bytes %lu, a path of 22 %lu ns",
          words() / REPEATS, copies_of(16) / REPEATS, copies_of(64) / REPEATS,
          copies_of(FRAME_SIZE) / REPEATS, strings() / REPEATS);
    return 0;
}

KERNEL_CHECK(user_cost, a_copy_takes_its_time) {
    struct program program;
    if (!program_make(&program, PROGRAM(program_asks), NULL))
        return false;
    program.check = measure_copies;
    return program_start(&program, ~0u, 1) && is(program_end(&program), 0, "the status");
}

/* From one context to the other and back, with nobody else on the CPU. */
static uint64_t switches_between(struct user_context *a, struct user_context *b) {
    struct user_context *self = user_current();
    uintptr_t saved = interrupts_save();
    user_switch(self, a);
    uint64_t begin = time_ns();
    for (unsigned long i = 0; i < REPEATS; i++) {
        user_switch(a, b);
        user_switch(b, a);
    }
    uint64_t took = time_ns() - begin;
    user_switch(a, self);
    interrupts_restore(saved);
    return took / (2 * REPEATS);
}

KERNEL_CHECK(user_cost, a_switch_takes_its_time) {
    static const struct personality nobody;
    static struct user_context contexts[3];
    struct program programs[2];
    for (unsigned i = 0; i < 2; i++) {
        if (!program_make(&programs[i], PROGRAM(program_null), NULL))
            return false;
        user_context_open(&contexts[i], programs[i].state, programs[i].table, &nobody);
    }
    uint64_t other = switches_between(&contexts[0], &contexts[1]);
    uint64_t idle = switches_between(&contexts[0], &contexts[2]);
    contexts[1].table = contexts[0].table;
    uint64_t thread = switches_between(&contexts[0], &contexts[1]);
    print(
        "a switch to another program %lu, to another thread of it %lu, to a kernel thread or back "
        "%lu ns",
        other, thread, idle);
    bool held = true;
    for (unsigned i = 0; i < 2; i++)
        held &= program_start(&programs[i], ~0u, 1) && program_end(&programs[i]) == 0;
    return held;
}
