/*
 * Tables of programs: made, extended, given back.
 *
 * A page-table page is made in full before an entry points to it, by compare-and-exchange, so that
 * two CPUs may need the same one at once: who comes second gives his back. Nothing is taken away
 * here before user_table_close, when nobody walks the table any more.
 */
#include "user_pages.h"

#include "cpu.h"

#include <errno.h>

#define KERNEL_HALF 256u

uint64_t user_entry_nx;

static uint64_t last_id;

size_t user_table_size(void) {
    return sizeof(struct user_table) + (cpu_count() + 63) / 64 * sizeof(uint64_t);
}

void user_table_open(struct user_table *table, const struct user_frames *frames, uint64_t root) {
    __builtin_memset(table, 0, user_table_size());
    table->frames = *frames;
    table->root = root;
    const uint64_t *kernel = phys_to_virt(kernel_page_table);
    uint64_t *top = phys_to_virt(table->root);
    __builtin_memcpy(top + KERNEL_HALF, kernel + KERNEL_HALF, KERNEL_HALF * sizeof *top);
    table->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
}

/* The entry's table, made if there is none. 0: no frame, or a larger page. */
static uint64_t table_below(struct user_table *table, uint64_t *entry) {
    uint64_t value = user_entry_read(entry);
    if (!user_entry_present(value)) {
        uint64_t frame = table->frames.take(table->frames.context);
        if (!frame)
            return 0;
        uint64_t expected = value;
        if (user_entry_replace(entry, &expected, user_entry_table(frame)))
            return frame;
        table->frames.give(table->frames.context, frame);
        value = expected;
    }
    return value & ENTRY_LARGE ? 0 : user_entry_frame(value);
}

uint64_t *user_entry_make(struct user_table *table, uintptr_t address, unsigned level) {
    uint64_t *entries = phys_to_virt(table->root);
    for (unsigned at = USER_LEVELS; at > level; at--) {
        uint64_t frame = table_below(table, &entries[user_level_slot(address, at)]);
        if (!frame)
            return NULL;
        entries = phys_to_virt(frame);
    }
    return &entries[user_level_slot(address, level)];
}

static bool is_any(unsigned number, const void *argument) {
    (void)number;
    (void)argument;
    return true;
}

static void leave(void *argument) {
    if (cpu_self()->table == argument)
        user_table_load(NULL);
}

/* Who leaves clears his own bit; nobody sets one any more. */
void user_table_close(struct user_table *table) {
    cpu_call_set(table->cpus, is_any, leave, table);
    __builtin_memset((uint64_t *)phys_to_virt(table->root) + KERNEL_HALF, 0,
                     KERNEL_HALF * sizeof(uint64_t));
    table->frames.give(table->frames.context, table->root);
    table->root = 0;
}
