/*
 * /proc/k42: what there is in the kernel, counted, as text for scripts. /dev/k42 (linux/control/)
 * tells more of each object, and changes some.
 *
 *     counts    frames by use, blocks of the heap by size, objects and threads: what must be as
 *               before when whatever was made is gone
 *     classes   of each: its name, live instances, and swaps that ended in one
 *     chaos     the storm of swaps: chaos.c
 *     replacement  see replacement.c
 *
 * Numbers are gathered before any is printed, so that printing does not change them. Totals are
 * kept where things happen; instances, and pages of files, are found by walking the objects.
 * Nothing is locked.
 */
#include "../../fs/values.h"
#include "../../mem/fcm/fcm.h"
#include "../../mem/frame/frame.h"
#include "../../mem/heap/heap.h"
#include "../../mem/reserve/reserve.h"
#include "../../platform/kernel_platform.h"
#include "../../print.h"
#include "../../sched/thread.h"
#include "../process/ids.h"
#include "proc.h"
#include "runtime.h"

#include <k42/k42.h>

/* ---- counts ---- */

#define MOST_CACHES 64

struct counts {
    struct frame_statistics frames;
    struct frame_usage kernel;
    struct heap_usage caches[MOST_CACHES];
    unsigned cache_count;
    uint64_t heap_frames, heap_bytes, file_pages, stacks, reserved, maps, numbers;
    struct k42_stats runtime;
    uint64_t threads;
};

static void count_cache(void *argument, const struct heap_usage *usage) {
    struct counts *counts = argument;
    if (counts->cache_count < MOST_CACHES)
        counts->caches[counts->cache_count++] = *usage;
    counts->heap_frames += usage->frames;
    counts->heap_bytes += usage->used * usage->size;
}

static long count_file_pages(const struct k42_object_info *info, void *context) {
    struct counts *counts = context;
    struct fcm_usage usage;
    if (k42_call((fcm_ref)k42_id_ref(info->id), usage, &usage) >= 0)
        counts->file_pages += usage.frames;
    return 0;
}

static void count_large(struct counts *counts) {
    struct heap_usage large;
    heap_large_usage(&large);
    counts->heap_bytes += large.frames * FRAME_BYTES;
    count_cache(counts, &large);
}

static void count(struct counts *counts) {
    heap_caches_each(count_cache, counts);
    count_large(counts);
    frames_count(&counts->frames);
    frame_consumer_usage(NULL, &counts->kernel);
    counts->stacks = thread_stack_frames();
    counts->reserved = reserve_frames();
    counts->maps = platform_page_tables();
    counts->numbers = ids_bytes();
    struct sched_counts sched;
    sched_count(&sched);
    counts->threads = sched.threads;
    k42_stats(&counts->runtime);
    k42_each_object(&fcm_interface, count_file_pages, counts);
}

static void print_counts_of(struct proc_text *text, const struct counts *counts) {
    const struct frame_statistics *frames = &counts->frames;
    const struct k42_stats *runtime = &counts->runtime;
    proc_print(text, "frames.present %lu\nframes.used %lu\nframes.free %lu\n", frames->present,
               frames->used, frames->free + frames->idle + frames->cached);
    proc_print(text,
               "frames.kernel %lu\nframes.heap %lu\nframes.stacks %lu\nframes.maps "
               "%lu\nframes.tables %lu\n",
               counts->kernel.used, counts->heap_frames, counts->stacks, counts->maps,
               counts->reserved);
    proc_print(text, "frames.files %lu\nheap.bytes %lu\nheap.numbers %lu\n", counts->file_pages,
               counts->heap_bytes, counts->numbers);
    for (unsigned i = 0; i < counts->cache_count; i++)
        proc_print(text, "blocks.%s %lu %lu\n", counts->caches[i].name, counts->caches[i].used,
                   counts->caches[i].size);
    proc_print(text, "objects %lu\nroots %lu\nmediators %lu\ninterposers %lu\ndeferred %lu\n",
               runtime->objects, runtime->roots_live, runtime->mediators_live,
               runtime->interposers_live, runtime->defers_pending);
    proc_print(text, "threads %lu\n", counts->threads);
}

static k42_result print_counts(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    struct counts *counts = heap_allocate_zeroed(sizeof *counts);
    if (!counts)
        return -ENOMEM;
    count(counts);
    print_counts_of(text, counts);
    heap_free(counts);
    return 0;
}

/* ---- classes ---- */

static long print_class(const struct k42_class_info *info, void *context) {
    proc_print(context, "%s %lu %lu\n", info->class_->name, info->instances, info->swaps);
    return 0;
}

static k42_result print_classes(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    k42_each_class(print_class, text);
    return 0;
}

void proc_k42_register(void) {
    static struct proc_entry k42 = {.name = "k42", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry files[] = {
        {.name = "counts", .mode = MODE_REGULAR | 0444, .print = print_counts},
        {.name = "classes", .mode = MODE_REGULAR | 0444, .print = print_classes},
        {.name = "chaos",
         .mode = MODE_REGULAR | 0644,
         .print = proc_print_chaos,
         .write = proc_write_chaos},
    };
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        proc_add(&k42, &files[i]);
    proc_replacement_register(&k42);
    proc_add(NULL, &k42);
}
