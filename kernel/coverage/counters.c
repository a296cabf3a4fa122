/*
 * Coverage: see coverage.h.
 *
 * The compiler puts a call of __sanitizer_cov_trace_pc() in front of each block of code. It counts
 * where the block belongs to a call of the one task that is recorded, and neither in an interrupt
 * nor where interrupts are off, since those come at random.
 *
 * Owns: the counters. Only the recorded task's thread counts, so nothing is lost; a task that
 * begins to be recorded ends that of another. The task is never looked into, so it may be gone.
 * Locking: none. Fails: never.
 */
#include "coverage.h"

#include "../copy.h"
#include "../fs/devices.h"
#include "../fs/open_file.h"
#include "../sched/thread.h"

#include <errno.h>

#define NOT_COUNTED __attribute__((no_sanitize_coverage))

enum { MAJOR = 10, MINOR = 200, PIECE = 16, INTERRUPTS_ON = 0x200 };

static uint8_t counters[COVERAGE_COUNTERS];
static const void *recorded;

void __sanitizer_cov_trace_pc(void);

/* thread_task(), which is counted itself, also where it becomes part of another function. */
NOT_COUNTED static inline void *task_here(void) {
    char *calls;
    __asm__ volatile("movq %%gs:48, %0" : "=r"(calls)::"memory");
    return *(void **)(void *)(calls - sizeof(void *));
}

NOT_COUNTED void __sanitizer_cov_trace_pc(void) {
    const void *task = __atomic_load_n(&recorded, __ATOMIC_RELAXED);
    uintptr_t flags, place = (uintptr_t)__builtin_return_address(0);
    if (!task || task_here() != task)
        return;
    __asm__ volatile("pushfq; popq %0" : "=r"(flags));
    uint8_t *counter = &counters[place / PIECE % COVERAGE_COUNTERS];
    if ((flags & INTERRUPTS_ON) && *counter < UINT8_MAX)
        ++*counter;
}

NOT_COUNTED static k42_result coverage_read(struct file *self, int64_t offset, struct copy *copy) {
    (void)self;
    if (offset < 0)
        return offset == FILE_CURRENT ? -ESPIPE : -EINVAL;
    __atomic_store_n(&recorded, NULL, __ATOMIC_RELAXED);
    if (offset >= COVERAGE_COUNTERS)
        return 0;
    size_t left = COVERAGE_COUNTERS - (size_t)offset;
    return copy_out(copy, counters + offset, left < copy->left ? left : copy->left);
}

NOT_COUNTED static k42_result coverage_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset;
    __builtin_memset(counters, 0, sizeof counters);
    __atomic_store_n(&recorded, thread_task(), __ATOMIC_RELAXED);
    return (k42_result)copy_skip(copy, copy->left);
}

static const struct k42_format coverage_format = {"file.coverage", 1, 1};
static const struct k42_transfer coverage_transfers[] = BODY_TRANSFERS(coverage_format);
static const struct file_ops coverage_ops = {
    OPENED_METHODS,
    .read = coverage_read,
    .write = coverage_write,
    .seek = file_no_seek,
    .list = file_no_list,
    .poll = file_ready,
    .control = file_no_control,
    .map = file_no_map,
    .sync = file_no_sync,
    .resize = file_no_resize,
    .allocate = file_no_allocate,
};
K42_CLASS(file_coverage) = {
    .name = "file.coverage",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &coverage_ops,
    .fini = opened_fini,
    .transfers = coverage_transfers,
};

static struct k42_pair coverage_file(struct device *device, uint32_t minor, k42_ref node,
                                     unsigned flags) {
    (void)device, (void)minor;
    return opened_make(&file_coverage, sizeof(struct opened), node, flags, NULL, NULL);
}

void coverage_open(void) {
    static struct device device = {
        .name = "coverage", .major = MAJOR, .minor = MINOR, .mode = 0666, .open = coverage_file};
    device_register(&device);
}
