/*
 * Checks of programs' memory: what the kernel may touch and how, and that what is unmapped is
 * forgotten by every CPU: test=user.
 */
#include "kernel.h"
#include "print.h"
#include "program.h"
#include "runtime.h"
#include "sched/preempt.h"

#include <errno.h>

#define MILLISECOND 1000000ul
#define PATIENCE    (60 * 1000 * MILLISECOND)

extern const char program_reads[], program_reads_end[], program_sleeps[], program_sleeps_end[];
extern const char program_asks[], program_asks_end[], program_null[], program_null_end[];

static bool is(long value, long wanted, const char *what) {
    if (value != wanted)
        print("%s is 0x%lx and should be 0x%lx", what, value, wanted);
    return value == wanted;
}

static bool nothing_is_lost(void) {
    return is(program_frames(), 0, "the number of frames not given back");
}

/* Runs `check` in the system call of a program. */
static bool ask(long (*check)(struct program *, struct trap_frame *),
                int (*fault)(struct program *, uintptr_t)) {
    struct program program;
    if (!program_make(&program, PROGRAM(program_asks), NULL))
        return false;
    program.check = check;
    program.fault = fault;
    return program_start(&program, ~0u, 1) && is(program_end(&program), 0, "the step that failed");
}

/* ---- copies ---- */

#define STACK_END PROGRAM_STACK /* behind it is nothing */

static char buffer[2 * FRAME_SIZE];

static bool all(const char *at, size_t size, char value) {
    for (size_t i = 0; i < size; i++)
        if (at[i] != value)
            return false;
    return true;
}

/* Sizes and ends around every boundary of the loops, against the end of what is mapped. */
static long copy_up_to_the_end(struct program *program, struct trap_frame *frame) {
    (void)frame;
    char *page = phys_to_virt(program->frames[2]);
    for (unsigned size = 0; size < 300; size++) {
        for (unsigned there = 0; there <= size; there += 1 + there / 3) {
            uintptr_t at = STACK_END - there;
            __builtin_memset(page + FRAME_SIZE - 320, 'u', 320);
            __builtin_memset(buffer, 'k', 320);
            if (user_copy_in(buffer, at, size) != size - there || !all(buffer, there, 'u') ||
                !all(buffer + there, 320 - there, 'k'))
                return 1;
            __builtin_memset(buffer, 'k', 320);
            if (user_copy_out(at, buffer, size) != size - there ||
                !all(page + FRAME_SIZE - there, there, 'k') ||
                !all(page + FRAME_SIZE - 320, 320 - there, 'u'))
                return 2;
            if (user_zero(at, size) != size - there || !all(page + FRAME_SIZE - there, there, 0) ||
                !all(page + FRAME_SIZE - 320, 320 - there, 'u'))
                return 3;
        }
    }
    return 0;
}

KERNEL_CHECK(user, a_copy_ends_at_the_byte_that_faults) {
    return ask(copy_up_to_the_end, NULL) && nothing_is_lost();
}

static long refuse_all_of_it(struct program *program, struct trap_frame *frame) {
    (void)frame;
    static const uintptr_t bad[] = {
        USER_END - 7, USER_END, 0x800000000000, ~0ul, ~0ul - 8, KERNEL_BASE + 0x100000, DIRECT_MAP};
    uint64_t word;
    uint32_t old = 0;
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        program->faults = 0;
        if (user_copy_in(buffer, bad[i], 8) != 8 || user_copy_out(bad[i], buffer, 8) != 8 ||
            user_zero(bad[i], 8) != 8 || user_get64(&word, bad[i]) != -EFAULT ||
            user_put64(bad[i], 1) != -EFAULT)
            return 1 + i;
        if (bad[i] >= USER_END && (user_string_in(buffer, bad[i], 8) != -EFAULT ||
                                   user_compare_exchange32(bad[i], &old, 1) != -EFAULT))
            return 20 + i;
        if (program->faults)
            return 40 + i;
    }
    if (user_copy_in(buffer, 1, ~0ul) != ~0ul ||
        user_copy_in(buffer, PROGRAM_DATA, USER_END) != USER_END ||
        user_copy_in(buffer, USER_END, 0))
        return 60;
    /* A program's text cannot be written, whatever it may read. */
    if (user_put8(PROGRAM_TEXT, 1) != -EFAULT || user_copy_out(PROGRAM_TEXT, buffer, 100) != 100)
        return 61;
    return 0;
}

KERNEL_CHECK(user, copies_refuse_what_is_not_the_programs) {
    return ask(refuse_all_of_it, NULL) && nothing_is_lost();
}

static long words(struct program *program, struct trap_frame *frame) {
    (void)program;
    (void)frame;
    uint8_t b;
    uint16_t w;
    uint32_t d;
    uint64_t q;
    if (user_put64(PROGRAM_DATA, 0x1122334455667788) || user_get8(&b, PROGRAM_DATA + 1) ||
        user_get16(&w, PROGRAM_DATA + 2) || user_get32(&d, PROGRAM_DATA + 4) ||
        user_get64(&q, PROGRAM_DATA))
        return 1;
    if (b != 0x77 || w != 0x5566 || d != 0x11223344 || q != 0x1122334455667788)
        return 2;
    if (user_put8(PROGRAM_DATA, 1) || user_put16(PROGRAM_DATA + 2, 2) ||
        user_put32(PROGRAM_DATA + 4, 3) || user_get64(&q, PROGRAM_DATA) || q != 0x300027701)
        return 3;
    q = 5;
    if (user_get64(&q, STACK_END - 4) != -EFAULT || q || user_put64(STACK_END - 4, 1) != -EFAULT)
        return 4;
    return 0;
}

KERNEL_CHECK(user, words_are_read_and_written) {
    return ask(words, NULL) && nothing_is_lost();
}

static long futex_words(struct program *program, struct trap_frame *frame) {
    (void)program;
    (void)frame;
    uint32_t old = 7, word;
    if (user_put32(PROGRAM_DATA, 6) || user_compare_exchange32(PROGRAM_DATA, &old, 8) || old != 6)
        return 1;
    if (user_compare_exchange32(PROGRAM_DATA, &old, 8) || old != 6)
        return 2;
    static const uint32_t results[] = {12, 24, 28, 16, 28};
    for (unsigned i = 0; i < 5; i++) {
        uint32_t before;
        user_get32(&before, PROGRAM_DATA);
        if (user_fetch_operation32(PROGRAM_DATA, i, 12, &old) || old != before ||
            user_get32(&word, PROGRAM_DATA) || word != results[i])
            return 10 + i;
    }
    if (user_fetch_operation32(PROGRAM_NOTHING, USER_ADD, 1, &old) != -EFAULT ||
        user_compare_exchange32(PROGRAM_TEXT, &old, 1) != -EFAULT)
        return 20;
    return 0;
}

KERNEL_CHECK(user, futex_words_change_atomically) {
    return ask(futex_words, NULL) && nothing_is_lost();
}

/* Of every length, at every offset in a word, ending at the end of what is mapped or before. */
static long strings(struct program *program, struct trap_frame *frame) {
    (void)frame;
    char *page = phys_to_virt(program->frames[2]);
    for (unsigned length = 0; length < 40; length++) {
        for (unsigned after = 0; after < 9; after++) {
            uintptr_t at = STACK_END - 1 - length - after;
            __builtin_memset(page + FRAME_SIZE - 64, 's', 64);
            page[FRAME_SIZE - 1 - after] = 0;
            if (user_string_in(buffer, at, 64) != (long)length || !all(buffer, length, 's') ||
                buffer[length])
                return 1;
            if (user_string_in(buffer, at, length + 1) != (long)length)
                return 2;
            if (user_string_in(buffer, at, length) != -ENAMETOOLONG)
                return 3;
            page[FRAME_SIZE - 1 - after] = 's';
            page[FRAME_SIZE - 1] = 's';
            if (user_string_in(buffer, at, 64) != -EFAULT)
                return 4;
        }
    }
    return 0;
}

KERNEL_CHECK(user, strings_are_copied_up_to_their_end) {
    return ask(strings, NULL) && nothing_is_lost();
}

/* ---- faults that are resolved ---- */

static uint64_t lazy_frame;

static int give_page(struct program *program, uintptr_t address) {
    if (address / FRAME_SIZE != PROGRAM_NOTHING / FRAME_SIZE)
        return -EFAULT;
    return program_map(program, PROGRAM_NOTHING, lazy_frame, USER_PAGE_WRITE) ? 0 : -ENOMEM;
}

static long copy_into_nothing(struct program *program, struct trap_frame *frame) {
    (void)frame;
    uint64_t word;
    preempt_off();
    size_t left = user_copy_out(PROGRAM_NOTHING, "12345678", 8);
    preempt_on();
    if (left != 8 || program->faults)
        return 1; /* where it may not wait nobody is asked */
    if (user_copy_out(PROGRAM_NOTHING, "12345678", 8) || program->faults != 1)
        return 2;
    return user_get64(&word, PROGRAM_NOTHING) || word != 0x3837363534333231 ? 3 : 0;
}

KERNEL_CHECK(user, a_copy_waits_for_the_page_it_needs) {
    lazy_frame = program_frame();
    bool held = ask(copy_into_nothing, give_page);
    program_frame_give(lazy_frame);
    return held && nothing_is_lost();
}

/* ---- what the processor must refuse the kernel ---- */

/* Reads without lifting the protection; false when that faults. */
static bool read_raw(uintptr_t at) {
    uint64_t value = 0;
    __asm__ volatile("1: movq (%1), %0\n\t"
                     "movl $1, %k0\n\t"
                     "jmp 3f\n"
                     "2: xorl %k0, %k0\n"
                     "3:\n\t"
                     ".pushsection fixups, \"a\"\n\t"
                     ".quad 1b, 2b\n\t"
                     ".popsection"
                     : "=&r"(value)
                     : "r"(at)
                     : "memory");
    return value;
}

/* Calls what a program has there, which is a `ret`; false when that faults. */
static bool call_raw(void) {
    uint64_t value;
    __asm__ volatile("movl %1, %k0\n\t"
                     "call *%0\n\t"
                     "movl $1, %k0\n\t"
                     "jmp 3f\n"
                     "2: addq $8, %%rsp\n\t"
                     "xorl %k0, %k0\n"
                     "3:\n\t"
                     ".pushsection fixups, \"a\"\n\t"
                     ".quad %c1, 2b\n\t"
                     ".popsection"
                     : "=&r"(value)
                     : "i"(PROGRAM_TEXT + FRAME_SIZE - 1)
                     : "memory");
    return value;
}

static long touch_directly(struct program *program, struct trap_frame *frame) {
    (void)frame;
    ((char *)phys_to_virt(program->frames[0]))[FRAME_SIZE - 1] = (char)0xc3;
    if (read_raw(PROGRAM_DATA) == user_has(USER_HAS_SMAP))
        return 1;
    return call_raw() == user_has(USER_HAS_SMEP) ? 2 : 0;
}

KERNEL_CHECK(user, the_kernel_neither_reads_nor_runs_a_programs_memory_by_accident) {
    return ask(touch_directly, NULL) && nothing_is_lost();
}

/* ---- flushes ---- */

/* A page that is exchanged for another again and again; what was exchanged holds 99 from then on.
 */
static uint64_t *exchange(struct program *program, uint64_t frame) {
    struct user_flush flush;
    uint64_t *entry = user_entry_find(program->table, PROGRAM_CHANGES, 1);
    user_flush_begin(&flush, program->table);
    uint64_t before = user_entry_exchange(entry, user_entry_page(frame, 1, 0));
    user_flush_range(&flush, PROGRAM_CHANGES, PROGRAM_CHANGES + FRAME_SIZE, 1);
    user_flush_finish(&flush);
    return phys_to_virt(user_entry_frame(before));
}

static bool reads_on(const struct program *program, unsigned slot) {
    volatile uint64_t *turns = phys_to_virt(program->frames[1]);
    uint64_t wanted = turns[slot] + 2;
    for (uint64_t end = time_ns() + PATIENCE; time_ns() < end; thread_yield())
        if (turns[slot] >= wanted)
            return true;
    return false;
}

#define READERS   16
#define EXCHANGES 60

static bool exchange_while_read(struct program *readers, unsigned count, uint64_t *frames) {
    bool held = true;
    for (unsigned round = 0; held && round < EXCHANGES; round++) {
        *(uint64_t *)phys_to_virt(frames[round % 2]) = round;
        *exchange(&readers[0], frames[round % 2]) = 99;
        for (unsigned i = 0; i < count; i++)
            held &= reads_on(&readers[0], i);
    }
    return held;
}

KERNEL_CHECK(user, an_unmapped_page_is_forgotten_wherever_its_table_is_loaded) {
    static struct program readers[READERS];
    unsigned count = cpu_count() < READERS ? cpu_count() : READERS;
    uint64_t frames[2] = {program_frame(), program_frame()};
    *(uint64_t *)phys_to_virt(frames[1]) = 1;
    bool held = true;
    for (unsigned i = 0; i < count; i++) {
        held &= program_make(&readers[i], PROGRAM(program_reads), i ? &readers[0] : NULL);
        held &= i || program_map(&readers[0], PROGRAM_CHANGES, frames[1], 0);
        held &= program_start(&readers[i], i, i);
    }
    held = held && exchange_while_read(readers, count, frames);
    for (unsigned i = 0; i < count; i++)
        program_stop(&readers[i]);
    for (unsigned i = count; i-- > 0;)
        held &= is(program_end(&readers[i]), 0, "what a reader saw");
    program_frame_give(frames[0]);
    program_frame_give(frames[1]);
    return held && nothing_is_lost();
}

static void wait_asleep(struct program *program, uint32_t times) {
    while (__atomic_load_n(&program->asleep, __ATOMIC_ACQUIRE) < times)
        thread_sleep(MILLISECOND);
    thread_sleep(MILLISECOND);
}

/*
 * Its CPU idles meanwhile with the table loaded, and in the second round runs another program, so
 * that it comes back to what the processor may remember of it.
 */
static bool exchange_while_asleep(struct program *sleeper, const uint64_t *frames, uint32_t cpu) {
    static uint32_t word;
    sleeper->word = &word;
    if (!program_map(sleeper, PROGRAM_CHANGES, frames[0], 0) || !program_start(sleeper, cpu, 0))
        return false;
    for (unsigned round = 1; round <= 2; round++) {
        wait_asleep(sleeper, round);
        if (round == 2)
            program_run(PROGRAM(program_null), cpu, 1);
        *(uint64_t *)phys_to_virt(frames[round % 2]) = round + 1;
        *exchange(sleeper, frames[round % 2]) = 99;
        __atomic_store_n(&word, 1, __ATOMIC_RELEASE);
        thread_wake_parked(&word, 1);
    }
    return is(program_end(sleeper), 0, "what it saw change by");
}

KERNEL_CHECK(user, an_unmapped_page_is_forgotten_where_its_program_only_sleeps) {
    bool held = true;
    for (unsigned cpu = 0; held && cpu < cpu_count(); cpu++) {
        struct program sleeper;
        uint64_t frames[2] = {program_frame(), program_frame()};
        *(uint64_t *)phys_to_virt(frames[0]) = 1;
        held = program_make(&sleeper, PROGRAM(program_sleeps), NULL) &&
               exchange_while_asleep(&sleeper, frames, cpu);
        program_frame_give(frames[0]);
        program_frame_give(frames[1]);
    }
    return held && nothing_is_lost();
}

static void load(void *table) {
    user_table_load(table);
}

static void read_root(void *root) {
    __asm__ volatile("movq %%cr3, %0" : "=r"(*(uint64_t *)root));
}

KERNEL_CHECK(user, a_closed_table_is_loaded_nowhere) {
    struct program program;
    bool held = program_make(&program, PROGRAM(program_null), NULL);
    for (unsigned cpu = 0; held && cpu < cpu_count(); cpu++)
        cpu_call(cpu, load, program.table);
    held = held && program_start(&program, ~0u, 1) && program_end(&program) == 0;
    for (unsigned cpu = 0; held && cpu < cpu_count(); cpu++) {
        uint64_t root;
        cpu_call(cpu, read_root, &root);
        held = is((long)(root & ENTRY_FRAME), (long)kernel_page_table, "what is loaded");
    }
    return held && nothing_is_lost();
}
