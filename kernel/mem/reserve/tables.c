/*
 * The runtime's translation tables: per CPU a place of its own, all showing one template.
 *
 * The template is an ordinary reserve. A table is nothing but a number: what is at its place is in
 * the page table's entries. Reading a page of a table shows the template's frame, writing gives the
 * table its own; trimming discards that, so that the template's shows again. A store that races
 * with trimming reaches the old frame before it is freed, or makes a new one.
 *
 * The runtime writes a page of the template before it hands out the ids there, and not afterwards
 * while tables can have copies that should follow.
 *
 * Owns: which numbers are in use. Locking: tables.lock for them; none on faults.
 * Fails: open with a negative errno, template and map with NULL.
 */
#include <errno.h>

#include "../../../core/platform.h"
#include "../../../core/runtime.h"
#include "../frame/spin.h"
#include "../heap/heap.h"
#include "pages.h"

static struct {
    struct spin lock;
    char *template_start; /* NULL: not open */
    size_t bytes;
    uint8_t *used; /* by number */
} tables;

int k42_platform_tables_open(size_t bytes) {
    if (tables.template_start)
        return -EALREADY;
    bytes = round_up_to_pages(bytes);
    if (bytes > machine_table_bytes()) {
        char line[128];
        k42_format_text(line, sizeof(line),
                        "opening translation tables of %lu bytes: there is room for %lu; "
                        "max_objects should be smaller",
                        (unsigned long)bytes, (unsigned long)machine_table_bytes());
        k42_platform_log(line);
        return -EINVAL;
    }
    uint8_t *used = heap_allocate_zeroed(machine_table_count());
    char *start = used ? k42_platform_reserve(bytes) : NULL;
    if (!start) {
        heap_free(used);
        return -ENOMEM;
    }
    tables.used = used;
    tables.bytes = bytes;
    tables.template_start = start;
    return 0;
}

void k42_platform_tables_close(void) {
    if (!tables.template_start)
        return;
    k42_platform_unreserve(tables.template_start, tables.bytes);
    heap_free(tables.used);
    tables.used = NULL;
    tables.template_start = NULL;
}

/* Filled here, since its caller can be told that there is no memory, and a fault cannot. */
void *k42_platform_template(size_t offset) {
    char *place = tables.template_start + offset;
    return page_fill(page_of((uintptr_t)place)) ? place : NULL;
}

void *k42_platform_table_map(void) {
    uint32_t count = machine_table_count(), number = 0;
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&tables.lock);
    while (number < count && tables.used[number])
        number++;
    if (number < count)
        __atomic_store_n(&tables.used[number], 1, __ATOMIC_RELEASE);
    spin_leave(&tables.lock);
    machine_interrupts_restore(interrupts);
    return number < count ? (void *)machine_table_at(number) : NULL;
}

void k42_platform_table_unmap(void *table) {
    uintptr_t start = (uintptr_t)table;
    pages_discard(start, start + tables.bytes);
    machine_tables_drop(start, start + machine_table_bytes());
    __atomic_store_n(&tables.used[machine_table_number(start)], 0, __ATOMIC_RELEASE);
}

/* Whole pages inside the range only: what shares a page with its ends is not the caller's to lose.
 */
void k42_platform_table_trim(void *table, size_t offset, size_t bytes) {
    uintptr_t start = (uintptr_t)table;
    pages_discard_private(start + round_up_to_pages(offset), page_of(start + offset + bytes));
}

bool table_fault(uintptr_t address, bool write) {
    uint32_t number = machine_table_number(address);
    if (number == machine_table_count() || !tables.template_start ||
        !__atomic_load_n(&tables.used[number], __ATOMIC_ACQUIRE))
        return false;
    uintptr_t offset = page_of(address) - machine_table_at(number);
    if (offset >= tables.bytes)
        return false;
    uintptr_t template_page = (uintptr_t)tables.template_start + offset;
    return write ? page_copy(page_of(address), template_page)
                 : page_share(page_of(address), template_page);
}
