/*
 * Translation tables: each CPU's begins at its GS base, and a page of it is a copy of the
 * template's page, made when somebody first touches it.
 *
 * A page of the template is written (a new page of slots) before any id of it is given out, so
 * before anybody touches that page of a table. Trimming takes the copy away, on the CPU whose table
 * it is, in one piece: otherwise its threads could go on with the old copy where a swap, which
 * looks from another CPU, sees an empty slot already.
 *
 * Each table's first page is there from the start, with the head in it: the scheduler's.
 */
#include "memory.h"

#include "runtime.h"

#include <errno.h>

static char *template_start;
static size_t table_bytes;
static unsigned tables_mapped;

static void fill_from_template(uintptr_t page, void *memory) {
    size_t offset = (page - CPU_AREAS) % CPU_AREA_SIZE - (cpu_table(0) - CPU_AREAS);
    __builtin_memcpy(memory, template_start + offset, FRAME_SIZE);
}

int k42_platform_tables_open(size_t bytes) {
    if (template_start)
        return -EALREADY;
    if (bytes > CPU_TABLE_SIZE)
        return -ENOMEM;
    table_bytes = (bytes + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1);
    template_start = k42_platform_reserve(table_bytes);
    return template_start ? 0 : -ENOMEM;
}

void k42_platform_tables_close(void) {
    if (template_start)
        k42_platform_unreserve(template_start, table_bytes);
    template_start = NULL;
}

void *k42_platform_template(size_t offset) {
    return template_start + offset;
}

/* The next CPU's. */
void *k42_platform_table_map(void) {
    struct platform_range *range = k42_platform_alloc(sizeof *range);
    if (!range)
        return NULL;
    uintptr_t table = cpu_table(tables_mapped++);
    range->start = table + FRAME_SIZE;
    range->end = table + table_bytes;
    range->fill = fill_from_template;
    platform_range_add(range);
    return (void *)table;
}

/* CPUs stay as long as the kernel runs. */
void k42_platform_table_unmap(void *table) {
    (void)table;
}

/* Whole pages inside the range only: what shares a page with its ends is not the caller's to lose.
 */
void k42_platform_table_trim(void *table, size_t offset, size_t bytes) {
    uintptr_t first = ((uintptr_t)table + offset + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1);
    uintptr_t end = ((uintptr_t)table + offset + bytes) & ~(FRAME_SIZE - 1);
    if (first < end)
        platform_range_drop(((const struct k42_cpu_head *)table)->number, first, end);
}
