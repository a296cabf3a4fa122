/*
 * Checks of the frame allocator's callers: what is wrong with a free, and, in debug builds, whether
 * somebody wrote to a frame after freeing it.
 *
 * No state but a mark in the record of each poisoned frame, whose `tag` nobody uses while it is
 * free. Blocks of chunks are not poisoned: that would take longer than using them.
 */
#include "frames.h"

#include "../../../core/platform.h"
#include "../../../core/runtime.h"

static const char *state_name(enum frame_state state) {
    switch (state) {
    case STATE_ABSENT:
        return "not memory of ours";
    case STATE_KEPT:
        return "kept since boot";
    case STATE_FREE:
    case STATE_CACHED:
        return "free already";
    case STATE_INSIDE:
        return "not the first of its block, or free already";
    default:
        return "in use";
    }
}

void frame_refuse_free(const struct frame *frame, unsigned order) {
    char line[160];
    unsigned kind = frame_kind(frame);
    unsigned state = kind >> 8, real = kind & 0xff;
    if (state == STATE_USED)
        k42_format_text(line, sizeof(line),
                        "freeing frame 0x%lx with order %u: it was allocated with order %u",
                        (unsigned long)frame->number, order, real);
    else
        k42_format_text(line, sizeof(line), "freeing frame 0x%lx with order %u: it is %s",
                        (unsigned long)frame->number, order, state_name((enum frame_state)state));
    k42_platform_panic(line);
}

#ifdef K42_DEBUG
#define POISON      0xdeadf4a3edeadf4aul
#define POISON_MARK 0xdeadu

void frame_poison(struct frame *frame, unsigned order) {
    for (uint32_t i = 0; order < FRAME_ORDER_CHUNK && i < 1u << order; i++) {
        uint64_t *word = frame_memory(&frame[i]);
        for (size_t at = 0; at < FRAME_BYTES / sizeof(*word); at++)
            word[at] = POISON;
        frame[i].tag = POISON_MARK;
    }
}

static void check_one(const struct frame *frame, uint64_t expected, const char *what) {
    const uint64_t *word = frame_memory(frame);
    for (size_t at = 0; at < FRAME_BYTES / sizeof(*word); at++)
        if (word[at] != expected) {
            char line[160];
            k42_format_text(line, sizeof(line), "frame 0x%lx %s: 0x%lx at offset %lu",
                            (unsigned long)frame->number, what, (unsigned long)word[at],
                            (unsigned long)(at * sizeof(*word)));
            k42_platform_panic(line);
        }
}

void frame_check_poison(struct frame *frame, unsigned order) {
    for (uint32_t i = 0; order < FRAME_ORDER_CHUNK && i < 1u << order; i++)
        if (frame[i].tag == POISON_MARK)
            check_one(&frame[i], POISON, "was written after it was freed");
}

void frame_check_zeroed(const struct frame *frame) {
    check_one(frame, 0, "should be zero");
}
#endif
