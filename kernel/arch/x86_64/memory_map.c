/*
 * Which RAM there is and which of it is free: two lists of ranges, filled from the loader's map.
 *
 * Owns: ram_ranges (all RAM) and memory_ranges (what nobody uses), in the loader's order. Changed
 * by the boot CPU alone, before anybody else reads them. A list that is full loses the range that
 * came last, with a message: memory unused, nothing wrong.
 */
#include "../../print.h"
#include "cpu.h"

#define REACHED 0x100000000ul /* by the tables the kernel is entered on */

struct memory_range memory_ranges[MEMORY_RANGES_MAX];
unsigned memory_range_count;
struct memory_range ram_ranges[MEMORY_RANGES_MAX];
unsigned ram_range_count;

uint64_t (*page_table_frame)(void) = frame_allocate_early;

extern char image_begin[], image_end[];

static void append(struct memory_range *list, unsigned *count, uint64_t base, uint64_t end) {
    if (base >= end)
        return;
    if (*count == MEMORY_RANGES_MAX) {
        print("boot: more than %d ranges of memory; 0x%lx to 0x%lx stays unused", MEMORY_RANGES_MAX,
              base, end);
        return;
    }
    list[(*count)++] = (struct memory_range){base, end - base};
}

/* Whole pages of RAM; ranges end at 4 GiB, so that each is either reached at boot or not at all. */
void memory_map_add(uint64_t base, uint64_t size, bool usable) {
    uint64_t first = (base + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1);
    uint64_t end = (base + size) & ~(FRAME_SIZE - 1);
    if (!usable || base + size < base || end > DIRECT_MAP_SIZE)
        return;
    append(ram_ranges, &ram_range_count, first, end);
    uint64_t reached = end < REACHED ? end : REACHED;
    append(memory_ranges, &memory_range_count, first, reached);
    append(memory_ranges, &memory_range_count, first > REACHED ? first : REACHED, end);
    /* Page 0 stays out, so that no frame has the number that means none. */
    memory_map_take(0, FRAME_SIZE);
    memory_map_take(virt_to_phys(image_begin), (uint64_t)(image_end - image_begin));
}

void memory_map_take(uint64_t base, uint64_t size) {
    uint64_t end = (base + size + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1);
    base &= ~(FRAME_SIZE - 1);
    for (unsigned i = 0; i < memory_range_count; i++) {
        struct memory_range *range = &memory_ranges[i];
        uint64_t range_end = range->base + range->size;
        if (range->base >= end || range_end <= base)
            continue;
        uint64_t begin = range->base;
        range->size = 0;
        if (begin < base)
            range->size = base - begin;
        else
            range->base = range_end;
        if (range_end <= end)
            continue;
        if (range->size)
            append(memory_ranges, &memory_range_count, end, range_end);
        else
            *range = (struct memory_range){end, range_end - end};
    }
}

uint64_t memory_map_take_low(uint64_t size) {
    for (unsigned i = 0; i < memory_range_count; i++) {
        uint64_t base = memory_ranges[i].base;
        if (memory_ranges[i].size >= size && base + size <= 0xa0000) {
            memory_map_take(base, size);
            return base;
        }
    }
    return 0;
}

/* From the end of the last range that the boot tables reach. */
uint64_t frame_allocate_early(void) {
    for (unsigned i = memory_range_count; i-- > 0;) {
        struct memory_range *range = &memory_ranges[i];
        if (range->size && range->base >= 0x100000 && range->base + range->size <= REACHED) {
            range->size -= FRAME_SIZE;
            return range->base + range->size;
        }
    }
    return 0;
}
