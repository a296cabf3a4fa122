/*
 * The heap: blocks are aligned, large enough and nobody else's; what is freed, wherever, comes
 * back; CPUs do not share lines; leaks and misuse are named; running out is an answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../kernel/mem/frame/frame.h"
#include "../../kernel/mem/heap/heaps.h"
#include "machine/machine.h"

#define MIB   (1024ul * 1024)
#define BYTES (64 * MIB)

static int open_memory(void **state) {
    (void)state;
    static const struct frame_range range = {MIB, BYTES, FRAME_RANGE_FREE};
    machine_add_bank(0, BYTES);
    return frames_open(&range, 1) || heap_open();
}

static uint64_t frames_used(void) {
    struct frame_statistics now;
    frames_collect();
    frames_count(&now);
    return now.used;
}

static void flush_all(void) {
    for (int round = 0; round < 2; round++)
        for (machine_this_cpu = 0; machine_this_cpu < MACHINE_CPUS; machine_this_cpu++)
            heap_flush();
    machine_this_cpu = 0;
}

static uint64_t used_before;

static int begin(void **state) {
    (void)state;
    flush_all();
    used_before = frames_used();
    return 0;
}

/* Every test ends with the frames it began with. */
static int end(void **state) {
    (void)state;
    flush_all();
    return frames_used() == used_before && machine_preemption_forbidden == 0 ? 0 : -1;
}

/* ---- blocks ---- */

static void blocks_hold_what_was_asked_for(void **state) {
    (void)state;
    for (size_t size = 0; size < 20000; size = size * 9 / 8 + 1) {
        char *block = heap_allocate(size);
        assert_non_null(block);
        assert_true(heap_size(block) >= size);
        memset(block, 1, size);
        heap_free(block);
    }
}

static void blocks_are_aligned(void **state) {
    (void)state;
    for (size_t size = 1; size <= 8192; size += 7) {
        void *block = heap_allocate(size), *padded = heap_allocate_padded(size);
        assert_int_equal((uintptr_t)block % 16, 0);
        assert_int_equal((uintptr_t)padded % 64, 0);
        heap_free(block);
        heap_free(padded);
    }
    void *page = heap_allocate(4096);
    assert_int_equal((uintptr_t)page % 4096, 0);
    heap_free(page);
}

static void zeroed_blocks_are_zero_whatever_was_there(void **state) {
    (void)state;
    static const size_t sizes[] = {16, 100, 1000, 5000};
    for (int i = 0; i < 8; i++) {
        unsigned char *block = heap_allocate_zeroed(sizes[i % 4]);
        for (size_t at = 0; at < sizes[i % 4]; at++)
            assert_int_equal(block[at], 0);
        memset(block, 0xff, sizes[i % 4]);
        heap_free(block);
    }
}

static void freeing_nothing_does_nothing(void **state) {
    (void)state;
    heap_free(NULL);
}

static void what_cannot_be_had_is_null(void **state) {
    (void)state;
    assert_null(heap_allocate(2 * BYTES));
    assert_null(heap_allocate(SIZE_MAX));
    assert_null(heap_allocate_padded(SIZE_MAX));
}

struct chain {
    struct chain *next;
    uint64_t number;
};

/* Takes all memory in blocks of one size; a block handed out twice would lose its number. */
static uint64_t take_everything(size_t size) {
    struct chain *chain = NULL, *block;
    uint64_t count = 0;
    while ((block = heap_allocate(size))) {
        *block = (struct chain){chain, ++count};
        chain = block;
    }
    for (uint64_t number = count; chain; chain = block, number--) {
        assert_int_equal(chain->number, number);
        block = chain->next;
        heap_free(chain);
    }
    return count;
}

static void all_memory_can_be_had_and_then_null(void **state) {
    (void)state;
    static const size_t sizes[] = {48, 512, 2048, 3072, 4096};
    for (int i = 0; i < 5; i++)
        assert_true(take_everything(sizes[i]) * (sizes[i] + 64) > BYTES / 8 * 5);
}

/* ---- CPUs ---- */

static void cpus_do_not_share_lines(void **state) {
    (void)state;
    char *blocks[2][200];
    for (int i = 0; i < 200; i++)
        for (machine_this_cpu = 0; machine_this_cpu < 2; machine_this_cpu++)
            blocks[machine_this_cpu][i] = heap_allocate(24);
    machine_this_cpu = 0;
    for (int i = 0; i < 200; i++)
        for (int j = 0; j < 200; j++)
            assert_int_not_equal((uintptr_t)blocks[0][i] / 64, (uintptr_t)blocks[1][j] / 64);
    for (int i = 0; i < 200; i++) {
        heap_free(blocks[0][i]);
        heap_free(blocks[1][i]);
    }
}

static void blocks_freed_elsewhere_come_home(void **state) {
    (void)state;
    static void *blocks[1600];
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < 1600; i++)
            blocks[i] = heap_allocate(256);
        machine_this_cpu = 1;
        for (int i = 0; i < 1600; i++)
            heap_free(blocks[i]);
        machine_this_cpu = 0;
    }
    assert_true(frames_used() - used_before < 2 * 1600 * 400 / 4096);
}

#define HELD  512u
#define TURNS 30000u

struct exchange {
    void *slots[64];
};

static uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* A block carries its size and a pattern, checked by whoever frees it. */
static uint32_t *make_block(uint32_t *seed) {
    uint32_t words = 2 + next_random(seed) % (next_random(seed) % 16 ? 100 : 2000);
    uint32_t *block = heap_allocate(words * sizeof(*block));
    if (!block)
        return NULL;
    block[0] = words;
    for (uint32_t i = 1; i < words; i++)
        block[i] = words * 31 + i;
    return block;
}

static void end_block(uint32_t *block) {
    for (uint32_t i = 1; i < block[0]; i++)
        if (block[i] != block[0] * 31 + i)
            abort();
    heap_free(block);
}

static void stress(uint32_t cpu, void *argument) {
    struct exchange *exchange = argument;
    uint32_t **held = calloc(HELD, sizeof(*held)), seed = 977u + cpu * 7919u;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint32_t at = next_random(&seed) % HELD;
        if (held[at])
            end_block(held[at]);
        held[at] = make_block(&seed);
        held[at] = __atomic_exchange_n(&exchange->slots[at % 64], held[at], __ATOMIC_ACQ_REL);
    }
    for (uint32_t at = 0; at < HELD; at++)
        if (held[at])
            end_block(held[at]);
    free(held);
}

static void cpus_never_share_a_block_and_lose_none(void **state) {
    (void)state;
    static struct exchange exchange;
    machine_run_cpus(4, stress, &exchange);
    for (int i = 0; i < 64; i++)
        if (exchange.slots[i])
            end_block(exchange.slots[i]);
}

/* ---- caches ---- */

static void count_named(void *argument, const struct heap_usage *usage) {
    struct heap_usage *wanted = argument;
    if (strcmp(usage->name, wanted->name) == 0)
        *wanted = *usage;
}

static void a_cache_counts_its_blocks(void **state) {
    (void)state;
    struct heap_cache *cache = heap_cache_create("page", 72, 8);
    void *first = heap_cache_allocate(cache), *second = heap_cache_allocate(cache);
    struct heap_usage usage = {.name = "page"};
    heap_caches_each(count_named, &usage);
    assert_int_equal(usage.used, 2);
    assert_true(usage.size >= 72 && usage.frames >= 1);
    heap_free(first);
    heap_free(second);
    assert_int_equal(heap_cache_destroy(cache), 0);
}

static void a_cache_keeps_its_alignment(void **state) {
    (void)state;
    for (size_t align = 1; align <= 1024; align *= 2) {
        struct heap_cache *cache = heap_cache_create("aligned", 40, align);
        void *first = heap_cache_allocate_zeroed(cache), *second = heap_cache_allocate(cache);
        assert_int_equal((uintptr_t)first % align, 0);
        assert_int_equal((uintptr_t)second % align, 0);
        heap_free(first);
        heap_free(second);
        assert_int_equal(heap_cache_destroy(cache), 0);
    }
}

static void a_cache_of_impossible_blocks_is_refused(void **state) {
    (void)state;
    assert_null(heap_cache_create("none", 0, 16));
    assert_null(heap_cache_create("large", 4096, 16));
    assert_null(heap_cache_create("odd", 16, 24));
}

static void blocks_that_leak_are_named(void **state) {
    (void)state;
    struct heap_cache *cache = heap_cache_create("leaky", 64, 64);
    void *block = heap_cache_allocate(cache);
    assert_int_equal(heap_cache_destroy(cache), 1);
    assert_non_null(strstr(machine_last_line, "leaky"));
    heap_free(block);
    assert_int_equal(heap_cache_destroy(cache), 0);
}

static void cache_blocks_freed_by_other_cpus_are_gathered_at_the_end(void **state) {
    (void)state;
    struct heap_cache *cache = heap_cache_create("travelled", 64, 64);
    void *blocks[40];
    for (int i = 0; i < 40; i++)
        blocks[i] = heap_cache_allocate(cache);
    for (int i = 0; i < 40; i++) {
        machine_this_cpu = (uint32_t)i % MACHINE_CPUS;
        heap_free(blocks[i]);
    }
    machine_this_cpu = 0;
    assert_int_equal(heap_cache_destroy(cache), 0);
}

/* ---- misuse ---- */

#ifdef K42_DEBUG
static void free_it(void *block) {
    heap_free(block);
}

static void allocate_it(void *size) {
    (void)heap_allocate(*(size_t *)size);
}

static bool complains(void (*act)(void *), void *argument, const char *what) {
    return machine_panics(act, argument) && strstr(machine_last_line, what);
}

static void freeing_twice_is_named(void **state) {
    (void)state;
    char *block = heap_allocate(100);
    heap_free(block);
    assert_true(complains(free_it, block, "free already"));
}

static void writing_beyond_the_end_is_named(void **state) {
    (void)state;
    char *block = heap_allocate(100);
    block[100]++;
    assert_true(complains(free_it, block, "beyond its end"));
    block[100]--;
    heap_free(block);
}

static void writing_after_freeing_is_named(void **state) {
    (void)state;
    size_t size = 100;
    char *block = heap_allocate(size);
    heap_free(block);
    block[50]++;
    assert_true(complains(allocate_it, &size, "written after it was freed"));
    block[50]--;
    /* What panicked had taken the block out already, but not yet marked as in use. */
    block_begin_use(slab_of(block)->cache, block, size);
    heap_free(block);
}

static void freeing_inside_a_block_is_named(void **state) {
    (void)state;
    char *block = heap_allocate(100), *large = heap_allocate(9000);
    assert_true(complains(free_it, block + 16, "inside a block"));
    assert_true(complains(free_it, large + 16, "inside a block"));
    heap_free(block);
    heap_free(large);
}

static void freeing_what_is_not_the_heaps_is_named(void **state) {
    (void)state;
    struct frame *frame;
    assert_int_equal(frame_allocate(0, NULL, &frame), 0);
    assert_true(complains(free_it, frame_memory(frame), "did not allocate"));
    frame_free(frame, 0);
}
#endif

#define t(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        t(blocks_hold_what_was_asked_for),
        t(blocks_are_aligned),
        t(zeroed_blocks_are_zero_whatever_was_there),
        t(freeing_nothing_does_nothing),
        t(what_cannot_be_had_is_null),
        t(all_memory_can_be_had_and_then_null),
        t(cpus_do_not_share_lines),
        t(blocks_freed_elsewhere_come_home),
        t(cpus_never_share_a_block_and_lose_none),
        t(a_cache_counts_its_blocks),
        t(a_cache_keeps_its_alignment),
        t(a_cache_of_impossible_blocks_is_refused),
        t(blocks_that_leak_are_named),
        t(cache_blocks_freed_by_other_cpus_are_gathered_at_the_end),
#ifdef K42_DEBUG
        t(freeing_twice_is_named),
        t(writing_beyond_the_end_is_named),
        t(writing_after_freeing_is_named),
        t(freeing_inside_a_block_is_named),
        t(freeing_what_is_not_the_heaps_is_named),
#endif
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("heap", tests, open_memory, NULL);
}
