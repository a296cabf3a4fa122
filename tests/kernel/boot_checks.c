/*
 * Checks of the processor's part in the kernel itself, on all its CPUs: test=boot.
 *
 * They run one after the other on the boot CPU with interrupts on. Faults that are wanted are
 * caught by the page-fault hook, which allows the access for once, so that it can go on, and leaves
 * all others to the kernel's own.
 */
#include "arch/x86_64/arch.h"
#include "kernel.h"
#include "print.h"
#include "sched/thread.h"

#define SECOND   1000000000ul
#define PATIENCE (60 * SECOND) /* for others, on a machine that is busy */
#define STORMY   8             /* CPUs that call at once; more are mostly waited for */

extern char text_begin[];

/* ---- what memory allows ---- */

static struct {
    uintptr_t address; /* where a fault is expected */
    unsigned allowed;  /* what to allow there then */
    unsigned error;    /* what came */
    unsigned count;
} expected;

static bool (*usual_fault)(uintptr_t address, unsigned error);

static bool catch_fault(uintptr_t address, unsigned error) {
    if (address != expected.address || expected.count)
        return usual_fault(address, error);
    expected.count++;
    expected.error = error;
    if (kernel_protect(address, expected.allowed))
        return false;
    tlb_flush_local(address, 1);
    return true;
}

static void expect_fault(volatile void *address, unsigned allowed) {
    expected.address = (uintptr_t)address;
    expected.allowed = allowed;
    expected.error = expected.count = 0;
    usual_fault = kernel_fault;
    kernel_fault = catch_fault;
    /* The compiler does not know that the access which follows reads all this. */
    __asm__ volatile("" ::: "memory");
}

/* True when it came, with these bits of the error; puts the protection back. */
static bool fault_came(unsigned error, unsigned protection) {
    __asm__ volatile("" ::: "memory");
    kernel_fault = usual_fault;
    kernel_protect(expected.address, protection);
    tlb_flush_all(expected.address, 1);
    return expected.count == 1 && (expected.error & error) == error;
}

static bool writing_faults(volatile char *address, unsigned protection) {
    expect_fault(address, KERNEL_WRITE);
    *address = *address;
    return fault_came(FAULT_PRESENT | FAULT_WRITE, protection);
}

KERNEL_CHECK(boot, writing_kernel_text_faults) {
    /* The first page holds the loader's header, which nobody runs while it is writable. */
    return writing_faults(text_begin, KERNEL_EXECUTE);
}

KERNEL_CHECK(boot, writing_kernel_text_through_the_direct_map_faults) {
    return writing_faults(phys_to_virt(virt_to_phys(text_begin)), KERNEL_READ);
}

static const char constant[64] = "constants are read only";

KERNEL_CHECK(boot, writing_constants_faults) {
    return writing_faults((volatile char *)constant, KERNEL_READ);
}

/* A page at an address of its own, so that its protection is nobody else's. */
static bool with_page(uintptr_t at, bool (*check)(volatile unsigned char *page)) {
    uint64_t frame = page_table_frame();
    if (!frame || kernel_map(at, frame, KERNEL_WRITE))
        return false;
    bool held = check((volatile unsigned char *)at);
    bool same = kernel_unmap(at) == frame;
    tlb_flush_all(at, 1);
    return held && same;
}

#define SCRATCH (KERNEL_HEAP + KERNEL_HEAP_SIZE - (1ul << 30))

static bool running_it_faults(volatile unsigned char *page) {
    page[0] = 0xc3; /* ret */
    expect_fault(page, KERNEL_EXECUTE);
    ((void (*)(void))(uintptr_t)page)();
    return fault_came(FAULT_PRESENT | FAULT_EXECUTE, KERNEL_WRITE);
}

KERNEL_CHECK(boot, running_data_faults) {
    if (boot_option_set("no-nx"))
        return true;
    return with_page(SCRATCH, running_it_faults);
}

static bool writes_both_views(volatile unsigned char *page) {
    page[7] = 42;
    volatile unsigned char *direct = phys_to_virt(kernel_physical((uintptr_t)page));
    return direct[7] == 42;
}

KERNEL_CHECK(boot, a_mapped_page_is_its_frame) {
    return with_page(SCRATCH, writes_both_views);
}

KERNEL_CHECK(boot, nothing_is_mapped_low) {
    return kernel_physical(0) == KERNEL_NOTHING && !*(uint64_t *)phys_to_virt(kernel_page_table);
}

KERNEL_CHECK(boot, nothing_is_both_writable_and_executable) {
    return kernel_map(SCRATCH, 0x1000, KERNEL_WRITE | KERNEL_EXECUTE) < 0 &&
           kernel_protect((uintptr_t)text_begin, KERNEL_WRITE | KERNEL_EXECUTE) < 0;
}

static uint64_t changing_frames[2];

static void read_page(void *argument) {
    *(uint32_t *)argument += *(volatile unsigned char *)SCRATCH;
}

/* Every CPU has seen the first frame there, and then must see the second. */
KERNEL_CHECK(boot, a_flush_reaches_every_cpu) {
    for (unsigned i = 0; i < 2; i++) {
        changing_frames[i] = page_table_frame();
        *(volatile unsigned char *)phys_to_virt(changing_frames[i]) = (unsigned char)(i + 1);
    }
    uint32_t sums[2] = {0};
    for (unsigned i = 0; i < 2; i++) {
        if (kernel_map(SCRATCH, changing_frames[i], KERNEL_READ))
            return false;
        for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
            cpu_call(cpu, read_page, &sums[i]);
        kernel_unmap(SCRATCH);
        tlb_flush_all(SCRATCH, 1);
    }
    return sums[0] == cpu_count() && sums[1] == 2 * cpu_count();
}

/* ---- every CPU ---- */

static void note_number(void *argument) {
    *(unsigned *)argument = cpu_number();
}

KERNEL_CHECK(boot, each_cpu_answers_a_call) {
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
        unsigned answer = ~0u;
        cpu_call(cpu, note_number, &answer);
        if (answer != cpu) {
            print("CPU %u was called and CPU %u answered", cpu, answer);
            return false;
        }
    }
    return true;
}

static void count_up(void *argument) {
    __atomic_fetch_add((uint32_t *)argument, 1, __ATOMIC_RELAXED);
}

/* Fewer with many CPUs, each of which costs an interrupt a round. */
static unsigned rounds(unsigned for_one) {
    return for_one / cpu_count() + 1;
}

KERNEL_CHECK(boot, a_broadcast_runs_once_on_each_other_cpu) {
    uint32_t count = 0;
    for (unsigned round = 1; round <= rounds(100); round++) {
        cpu_call_others(count_up, &count);
        if (count != round * (cpu_count() - 1))
            return false;
    }
    return true;
}

static struct { uint32_t begun, calls; } storm;

/* On several CPUs at once, inside a call, hence with interrupts off: calls and broadcasts cross. */
static void call_everybody(void) {
    __atomic_fetch_add(&storm.begun, 1, __ATOMIC_RELAXED);
    for (unsigned round = 0; round < rounds(40); round++) {
        cpu_call((cpu_number() + round) % cpu_count(), count_up, &storm.calls);
        cpu_call_others(count_up, &storm.calls);
    }
    __atomic_fetch_add(&storm.begun, 1, __ATOMIC_RELEASE);
}

static void set_storm(void *unused) {
    (void)unused;
    timer_set(time_ns() + SECOND / 1000, call_everybody);
}

static bool becomes(uint32_t *word, uint32_t value) {
    for (uint64_t end = time_ns() + PATIENCE; time_ns() < end;)
        if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == value)
            return true;
    print("waited %lu s for %u, there is %u", PATIENCE / SECOND, value, *word);
    return false;
}

KERNEL_CHECK(boot, calls_that_cross_all_arrive) {
    unsigned n = cpu_count() < STORMY ? cpu_count() : STORMY;
    storm.begun = storm.calls = 0;
    for (unsigned cpu = 0; cpu < n; cpu++)
        cpu_call(cpu, set_storm, NULL);
    return becomes(&storm.begun, 2 * n) && storm.calls == n * rounds(40) * cpu_count();
}

KERNEL_CHECK(boot, a_barrier_returns) {
    for (unsigned round = 0; round < rounds(100); round++)
        cpu_barrier_all();
    return true;
}

/* ---- time ---- */

static struct {
    uint32_t fired, early;
    uint64_t deadline;
} timers;

static void timer_fired(void) {
    if (time_ns() < timers.deadline)
        __atomic_fetch_add(&timers.early, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&timers.fired, 1, __ATOMIC_RELEASE);
}

static void set_timer(void *unused) {
    (void)unused;
    timer_set(timers.deadline, timer_fired);
}

/* Whether all have fired, waiting for some time but not for long. */
static bool all_fire(void) {
    timers.fired = 0;
    timers.deadline = time_ns() + 3 * SECOND / 1000;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        cpu_call(cpu, set_timer, NULL);
    uint64_t end = timers.deadline + SECOND / 5;
    while (__atomic_load_n(&timers.fired, __ATOMIC_ACQUIRE) < cpu_count() && time_ns() < end)
        __builtin_ia32_pause();
    return timers.fired == cpu_count();
}

/*
 * The timers are the scheduler's, too, which sets them for threads of its own whenever one of those
 * runs, and then there is another try. In between they run: nobody ends their turns meanwhile.
 */
KERNEL_CHECK(boot, the_timer_of_each_cpu_fires_once_and_not_early) {
    unsigned tries = 100;
    timers.early = 0;
    while (!all_fire() && --tries)
        thread_yield();
    return tries && !timers.early;
}

KERNEL_CHECK(boot, a_timer_that_was_taken_back_does_not_fire) {
    timers.fired = 0;
    timers.deadline = time_ns() + SECOND / 1000;
    uintptr_t saved = interrupts_save();
    timer_set(timers.deadline, timer_fired);
    timer_set(0, NULL);
    interrupts_restore(saved);
    delay_ns(3 * SECOND / 1000);
    return !timers.fired;
}

static void read_time(void *argument) {
    *(uint64_t *)argument = time_ns();
}

/* A call orders the two readings, so the second must not be smaller, whichever CPU made it. */
KERNEL_CHECK(boot, time_never_goes_backwards_from_cpu_to_cpu) {
    uint64_t last = time_ns();
    for (unsigned round = 0; round < rounds(20); round++) {
        for (unsigned cpu = 0; cpu < cpu_count(); cpu++) {
            uint64_t there;
            cpu_call(cpu, read_time, &there);
            if (there < last) {
                print("CPU %u is %lu ns behind", cpu, last - there);
                return false;
            }
            last = there;
        }
    }
    return time_ns() >= last;
}

KERNEL_CHECK(boot, frames_do_not_overlap_what_is_in_use) {
    for (unsigned i = 0; i < memory_range_count; i++) {
        uint64_t begin = memory_ranges[i].base, end = begin + memory_ranges[i].size;
        for (unsigned j = 0; j < boot_module_count; j++)
            if (memory_ranges[i].size && begin < boot_modules[j].base + boot_modules[j].size &&
                boot_modules[j].base < end)
                return false;
        for (unsigned j = 0; j < i; j++)
            if (memory_ranges[i].size && memory_ranges[j].size &&
                begin < memory_ranges[j].base + memory_ranges[j].size &&
                memory_ranges[j].base < end)
                return false;
    }
    return memory_range_count > 0;
}
