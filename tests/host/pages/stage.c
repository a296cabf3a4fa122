/*
 * The stage of the page caches' tests (stage.h): memory, the runtime's start, copies, and a class
 * that knows the canonical format alone.
 */
#include "stage.h"

#include "../../../core/platform.h"
#include "../../../kernel/mem/fcm/body.h"

#include <stdio.h>
#include <stdlib.h>

void stage_die(const char *what) {
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- memory ---- */

void *heap_allocate(size_t size) {
    return malloc(size);
}

void *heap_allocate_zeroed(size_t size) {
    return calloc(1, size);
}

void heap_free(void *block) {
    free(block);
}

void k42_platform_set_log(void (*log)(const char *line)) {
    (void)log;
}

/* What lasts as long as the program is known to tables that the search for leaks does not read. */
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#else
#define __lsan_disable() ((void)0)
#define __lsan_enable()  ((void)0)
#endif

void stage_open(void) {
    stage_open_with(STAGE_FRAMES);
}

void stage_open_with(uint64_t frames) {
    __lsan_disable();
    struct frame_range range = {1u << 20, (1u << 20) + (frames << FRAME_SHIFT), FRAME_RANGE_FREE};
    machine_add_bank(range.start, range.end - range.start);
    struct k42_options options = {.max_objects = 1u << 16};
    fcm_plain.ops = fcm_shared.ops;
    if (frames_open(&range, 1) || k42_init(&options) < 0)
        stage_die("the stage does not open");
    stage_attach("main");
    if (pm_open() < 0)
        stage_die("the machine's PM does not open");
    __lsan_enable();
}

void stage_attach(const char *name) {
    if (k42_attach(name) < 0)
        stage_die("a thread cannot attach");
}

uint64_t stage_frames_used(void) {
    struct frame_statistics now;
    if (k42_defer_flush() < 0)
        stage_die("stage_frames_used: called by an active thread");
    frames_collect();
    frames_count(&now);
    return now.used;
}

/* ---- copies ---- */

__thread size_t stage_copy_limit;
__thread void (*stage_copying)(void);

static size_t next_length(const struct copy *copy, size_t length) {
    void (*copying)(void) = stage_copying;
    stage_copying = NULL;
    if (copying)
        copying();
    if (length > copy->left)
        length = copy->left;
    return stage_copy_limit && length > stage_copy_limit ? stage_copy_limit : length;
}

static k42_result moved(struct copy *copy, size_t length) {
    copy->at += length;
    copy->here -= length;
    copy->left -= length;
    if (stage_copy_limit)
        stage_copy_limit = 0;
    return (k42_result)length;
}

/* Words whole, as a processor would, since a page may be on its way to the medium meanwhile. */
static void copy_words(void *to, const void *from, size_t length) {
    if (((uintptr_t)to | (uintptr_t)from | length) % 8) {
        memcpy(to, from, length);
        return;
    }
    for (size_t i = 0; i < length / 8; i++)
        __atomic_store_n((uint64_t *)to + i,
                         __atomic_load_n((const uint64_t *)from + i, __ATOMIC_RELAXED),
                         __ATOMIC_RELAXED);
}

k42_result copy_out(struct copy *copy, const void *from, size_t length) {
    length = next_length(copy, length);
    copy_words((void *)copy->at, from, length);
    return moved(copy, length);
}

k42_result copy_out_zeros(struct copy *copy, size_t length) {
    length = next_length(copy, length);
    memset((void *)copy->at, 0, length);
    return moved(copy, length);
}

k42_result copy_in(struct copy *copy, void *to, size_t length) {
    length = next_length(copy, length);
    copy_words(to, (const void *)copy->at, length);
    return moved(copy, length);
}

k42_result stage_read(fcm_ref fcm, uint64_t offset, void *bytes, size_t length) {
    struct copy copy = copy_of_kernel(bytes, length);
    return CALL(fcm, read, offset, &copy);
}

k42_result stage_write(fcm_ref fcm, uint64_t offset, const void *bytes, size_t length) {
    struct copy copy = copy_of_kernel((void *)(uintptr_t)bytes, length);
    return CALL(fcm, write, offset, &copy, NULL);
}

/* ---- the canonical format alone ---- */

static k42_result plain_init(struct k42_root *root, const void *args) {
    return fcm_body_init(root, args);
}

K42_CLASS(fcm_plain) = {
    .name = "fcm.plain",
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .init = plain_init,
    .fini = fcm_body_fini,
    .transfers = &fcm_body_transfers[1],
};

struct k42_class *const stage_classes[STAGE_CLASSES] = {
    &fcm_shared, &fcm_pinned, &fcm_stream, &fcm_small, &fcm_partitioned, &fcm_large, &fcm_plain};
