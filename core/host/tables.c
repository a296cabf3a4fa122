/*
 * Translation tables on a Linux host: private mappings of one memory file, the template.
 *
 * The template is written through a shared mapping. A table is a private mapping of the same file:
 * each of its pages is the file's own, and follows it, until the table's CPU writes there and the
 * kernel gives it a copy. Discarding the copy makes the file's page show again, so trimming needs
 * no cooperation from the CPU: a store that races with it lands in the old copy or makes a new one.
 *
 * Owner: the runtime opens once, before the first table, and closes after the last. Between, any
 * thread may map, trim and unmap. Table addresses are remembered for ever, so that a base register
 * that a thread inherited is known for ours even after the table is gone.
 *
 * Fails: open with the kernel's errors; map with NULL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host.h"

static int template_file = -1;
static size_t table_bytes;
static char *template_start;

/* Addresses of tables, grown by compare-and-swap at the front, never shortened. */
struct known_table {
    struct known_table *next;
    uintptr_t address;
};
static struct known_table *known_tables;

int k42_host_table_known(uintptr_t address) {
    /* Acquire pairs with the release in remember_table: a record seen is filled in. */
    struct known_table *known = __atomic_load_n(&known_tables, __ATOMIC_ACQUIRE);
    while (known && known->address != address)
        known = known->next;
    return known != NULL;
}

/* Two tables are never at one address at a time, so nobody races to remember the same one. */
static int remember_table(uintptr_t address) {
    if (k42_host_table_known(address))
        return 0;
    struct known_table *known = malloc(sizeof(*known));
    if (!known)
        return -ENOMEM;
    known->address = address;
    known->next = __atomic_load_n(&known_tables, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&known_tables, &known->next, known, 0, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    return 0;
}

static size_t round_up_to_pages(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (bytes + page - 1) & ~(page - 1);
}

static void *map_file(void *where, size_t offset, size_t bytes, int flags) {
    void *start = mmap(where, bytes, PROT_READ | PROT_WRITE, flags | MAP_NORESERVE, template_file,
                       (off_t)offset);
    if (start == MAP_FAILED)
        return NULL;
    (void)madvise(start, bytes, MADV_NOHUGEPAGE);
    return start;
}

int k42_platform_tables_open(size_t bytes) {
    if (template_file >= 0)
        return -EALREADY;
    table_bytes = round_up_to_pages(bytes);
    template_file = memfd_create("k42-tables", MFD_CLOEXEC);
    if (template_file < 0)
        return -errno;
    int error = 0;
    if (ftruncate(template_file, (off_t)table_bytes) < 0)
        error = -errno;
    else if (!(template_start = map_file(NULL, 0, table_bytes, MAP_SHARED)))
        error = -ENOMEM;
    if (error) {
        close(template_file);
        template_file = -1;
    }
    return error;
}

void k42_platform_tables_close(void) {
    if (template_file < 0)
        return;
    munmap(template_start, table_bytes);
    close(template_file);
    template_start = NULL;
    template_file = -1;
}

void *k42_platform_template(size_t offset) {
    return template_start + offset;
}

void *k42_platform_table_map(void) {
    void *table = map_file(NULL, 0, table_bytes, MAP_PRIVATE);
    if (table && remember_table((uintptr_t)table) < 0) {
        munmap(table, table_bytes);
        return NULL;
    }
    return table;
}

void k42_platform_table_unmap(void *table) {
    munmap(table, table_bytes);
}

/* Whole pages inside the range only: what shares a page with its ends is not the caller's to lose.
 */
void k42_platform_table_trim(void *table, size_t offset, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t first = round_up_to_pages(offset);
    size_t end = (offset + bytes) & ~(page - 1);
    if (first >= end)
        return;
    char *start = (char *)table + first;
    if (madvise(start, end - first, MADV_DONTNEED) == 0)
        return;
    /* Memory locked by mlockall() cannot be discarded, but it can be mapped anew in place. */
    if (!map_file(start, first, end - first, MAP_PRIVATE | MAP_FIXED))
        k42_platform_panic("trimming a translation table: the kernel neither discards its pages "
                           "nor maps them anew");
}
