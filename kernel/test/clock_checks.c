/*
 * Checks of the wall clock, and of the vDSO as a program sees it: test=clock.
 */
#include "kernel.h"
#include "print.h"
#include "program.h"
#include "runtime.h"
#include "vdso/wall_clock.h"

#include <elf.h>
#include <errno.h>

#define SECOND     1000000000ul
#define VDSO_AT    0x800000ul /* the image; the clocks lie a page below */
#define RESULT     (PROGRAM_DATA + 64)
#define NO_ADDRESS 0

extern const char program_function[], program_function_end[];

/* The address that a program finds a function of the image at. */
static uintptr_t function_named(const char *name) {
    const char *image = phys_to_virt(vdso_image_frame(0));
    const Elf64_Ehdr *header = (const void *)image;
    const Elf64_Phdr *segment = (const void *)(image + header->e_phoff);
    while (segment->p_type != PT_DYNAMIC)
        segment++;
    const Elf64_Dyn *dynamic = (const void *)(image + segment->p_offset);
    const Elf64_Sym *symbols = NULL;
    const char *names = NULL;
    const uint32_t *hash = NULL;
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_SYMTAB)
            symbols = (const void *)(image + dynamic->d_un.d_ptr);
        if (dynamic->d_tag == DT_STRTAB)
            names = image + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_HASH)
            hash = (const void *)(image + dynamic->d_un.d_ptr);
    }
    for (uint32_t i = 1; i < hash[1]; i++)
        if (k42_text_equal(names + symbols[i].st_name, name))
            return VDSO_AT + symbols[i].st_value;
    return NO_ADDRESS;
}

static bool map_vdso(struct program *program) {
    bool mapped = program_map(program, VDSO_AT - FRAME_SIZE, vdso_data_frame(), 0);
    for (size_t i = 0; i < vdso_image_pages(); i++)
        mapped &=
            program_map(program, VDSO_AT + i * FRAME_SIZE, vdso_image_frame(i), USER_PAGE_EXECUTE);
    return mapped;
}

/* What the function returns to a program on `cpu`; its first words at RESULT. */
static long call_vdso(const char *name, uint32_t cpu, uint64_t first, uint64_t second,
                      uint64_t *result) {
    struct program program;
    uint64_t call[] = {function_named(name), first, second, 0};
    if (!call[0] || !program_make(&program, PROGRAM(program_function), NULL) || !map_vdso(&program))
        return -1;
    char *data = phys_to_virt(program.frames[1]);
    uint64_t *found = (uint64_t *)(data + (RESULT - PROGRAM_DATA));
    __builtin_memcpy(data, call, sizeof call);
    found[0] = found[1] = ~0ul;
    if (!program_start(&program, cpu, 0))
        return -1;
    thread_join(program.thread);
    program.thread = NULL;
    result[0] = found[0];
    result[1] = found[1];
    return program_end(&program);
}

static bool clock_is_right(int clock, bool of_day) {
    uint64_t time[2], before = of_day ? wall_clock_ns() : time_ns();
    long status = call_vdso("__vdso_clock_gettime", ~0u, (uint64_t)clock, RESULT, time);
    uint64_t after = of_day ? wall_clock_ns() : time_ns(), there = time[0] * SECOND + time[1];
    if (status || time[1] >= SECOND || there < before || there > after)
        print("clock %d: status %ld, %lu.%lu s, between %lu and %lu ns", clock, status, time[0],
              time[1], before, after);
    return !status && time[1] < SECOND && there >= before && there <= after;
}

KERNEL_CHECK(clock, a_program_reads_clocks_without_the_kernel) {
    bool held = clock_is_right(0, true) && clock_is_right(5, true) && clock_is_right(11, true);
    return held && clock_is_right(1, false) && clock_is_right(4, false) &&
           clock_is_right(6, false) && clock_is_right(7, false);
}

KERNEL_CHECK(clock, a_program_asks_the_kernel_for_other_clocks) {
    uint64_t time[2];
    /* These programs' kernel knows no such call. */
    return call_vdso("__vdso_clock_gettime", ~0u, 2, RESULT, time) == -ENOSYS;
}

KERNEL_CHECK(clock, a_program_reads_the_time_of_day) {
    uint64_t time[2], before = wall_clock_ns() / SECOND;
    bool held = call_vdso("__vdso_gettimeofday", ~0u, RESULT, 0, time) == 0 && time[0] >= before &&
                time[0] <= wall_clock_ns() / SECOND && time[1] < 1000000;
    long status = call_vdso("__vdso_time", ~0u, RESULT, 0, time);
    return held && status >= (long)before && (long)time[0] == status &&
           call_vdso("__vdso_clock_getres", ~0u, 1, RESULT, time) == 0 && !time[0] && time[1] == 1;
}

KERNEL_CHECK(clock, a_program_knows_its_cpu) {
    bool held = true;
    for (uint32_t cpu = 0; cpu < cpu_count(); cpu++) {
        uint64_t found[2];
        held &= call_vdso("__vdso_getcpu", cpu, RESULT, RESULT + 4, found) == 0 && found[0] == cpu;
    }
    return held;
}

KERNEL_CHECK(clock, the_time_of_day_is_set) {
    uint64_t before = wall_clock_ns(), wanted = 2000000000 * SECOND;
    print("the time of day: %lu", before / SECOND);
    wall_clock_set(wanted);
    uint64_t now = wall_clock_ns(), later = wall_clock_at(time_ns() + SECOND);
    wall_clock_set(before);
    return now >= wanted && now < wanted + 10 * SECOND && later >= now + SECOND &&
           later < now + 11 * SECOND;
}

/* Seen at moments of its choice, since only those do not depend on how fast the machine is. */
static bool is_corrected(int64_t by) {
    uint64_t wall = wall_clock_at(time_ns()), begin = time_ns();
    wall_clock_adjust(by);
    uint64_t long_after = begin + 2000000 * SECOND, sum = wall_clock_at(long_after) - wall;
    bool held = true;
    for (uint64_t at = begin; held && at < begin + 10 * SECOND; at += SECOND / 7) {
        uint64_t next = wall_clock_at(at + SECOND / 7) - wall_clock_at(at);
        uint64_t back = wall_clock_to_monotonic(wall_clock_at(at));
        held = next >= SECOND / 7 - SECOND / 7 / 2000 && next <= SECOND / 7 + SECOND / 7 / 2000 &&
               back + 1 >= at && back <= at + 1;
    }
    int64_t left = wall_clock_adjust(0);
    int64_t error = (int64_t)(sum - (long_after - begin)) - by;
    return held && error >= 0 && error < (int64_t)SECOND && (by < 0 ? left < 0 : left > 0);
}

KERNEL_CHECK(clock, a_correction_of_the_time_of_day_is_made_bit_by_bit) {
    return is_corrected(5 * (int64_t)SECOND) && is_corrected(-5 * (int64_t)SECOND);
}
