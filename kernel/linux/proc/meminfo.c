/*
 * /proc/meminfo and /proc/vmstat: the machine's memory, in the lines that programs look for.
 *
 * What is counted where it happens is told; zero stands where there is no such thing (buffers,
 * large pages set apart), and where nobody counts it: page caches are not told apart from programs'
 * memory but for the files that were there at boot. Numbers are of several moments close together.
 */
#include "../../mem/heap/heap.h"
#include "../../mem/swap/swap.h"
#include "../../platform/kernel_platform.h"
#include "../../sched/thread.h"
#include "../system.h"
#include "proc.h"
#include "runtime.h"

#include <k42/k42.h>

struct amounts {
    uint64_t total, free, archives, heap, stacks, tables;
    struct swap_totals swap;
};

static void add_heap(void *frames, const struct heap_usage *usage) {
    *(uint64_t *)frames += usage->frames;
}

static struct amounts amounts_now(void) {
    struct amounts now = {.archives = system_archives(),
                          .stacks = thread_stack_frames(),
                          .tables = platform_page_tables()};
    struct heap_usage large;
    system_memory(&now.total, &now.free);
    heap_caches_each(add_heap, &now.heap);
    heap_large_usage(&large);
    now.heap += large.frames;
    swap_total(&now.swap);
    return now;
}

/* In a column, as everywhere; some read it by its place. */
static void print_kib(struct proc_text *text, const char *name, uint64_t frames) {
    uint64_t kib = frames * 4;
    proc_print(text, "%s:", name);
    size_t at = k42_text_length(name) + 1, digits = 1;
    for (uint64_t rest = kib; rest >= 10; rest /= 10)
        digits++;
    for (; at + digits < 24; at++)
        proc_put(text, " ", 1);
    proc_print(text, "%lu kB\n", kib);
}

static void print_count(struct proc_text *text, const char *name, uint64_t count) {
    proc_print(text, "%s:       %lu\n", name, count);
}

k42_result proc_print_meminfo(const struct proc_key *key, struct proc_text *text) {
    struct amounts now = amounts_now();
    (void)key;
    print_kib(text, "MemTotal", now.total);
    print_kib(text, "MemFree", now.free);
    print_kib(text, "MemAvailable", now.free);
    print_kib(text, "Buffers", 0);
    print_kib(text, "Cached", now.archives);
    print_kib(text, "SwapCached", 0);
    print_kib(text, "Active", 0);
    print_kib(text, "Inactive", now.archives);
    print_kib(text, "SwapTotal", now.swap.pages);
    print_kib(text, "SwapFree", now.swap.free);
    print_kib(text, "Dirty", 0);
    print_kib(text, "Writeback", 0);
    print_kib(text, "Mapped", 0);
    print_kib(text, "Shmem", 0);
    print_kib(text, "KReclaimable", 0);
    print_kib(text, "Slab", now.heap);
    print_kib(text, "SReclaimable", 0);
    print_kib(text, "SUnreclaim", now.heap);
    print_kib(text, "KernelStack", now.stacks);
    print_kib(text, "PageTables", now.tables);
    print_kib(text, "CommitLimit", now.total / 2 + now.swap.pages);
    print_kib(text, "Committed_AS", now.total - now.free);
    print_kib(text, "AnonHugePages", 0);
    print_count(text, "HugePages_Total", 0);
    print_count(text, "HugePages_Free", 0);
    print_count(text, "HugePages_Rsvd", 0);
    print_count(text, "HugePages_Surp", 0);
    print_kib(text, "Hugepagesize", 512);
    print_kib(text, "Hugetlb", 0);
    return 0;
}

k42_result proc_print_vmstat(const struct proc_key *key, struct proc_text *text) {
    struct amounts now = amounts_now();
    (void)key;
    proc_print(text, "nr_free_pages %lu\nnr_slab_reclaimable 0\nnr_slab_unreclaimable %lu\n",
               now.free, now.heap);
    proc_print(text, "nr_kernel_stack %lu\nnr_page_table_pages %lu\nnr_file_pages %lu\n",
               now.stacks * 4, now.tables, now.archives);
    proc_print(text, "nr_dirty 0\nnr_writeback 0\nnr_mapped 0\nnr_shmem 0\n");
    proc_print(text, "pgpgin 0\npgpgout 0\npswpin %lu\npswpout %lu\n", now.swap.got, now.swap.put);
    return 0;
}
