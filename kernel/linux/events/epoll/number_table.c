/*
 * A table of things by small numbers. See number_table.h. Fails: -ENOMEM, and nothing has changed.
 */
#include "number_table.h"

#include "runtime.h"

#include <errno.h>
#include <string.h>

#define CHUNK 256u

struct number_entry *number_table_find(const struct number_table *table, uint32_t number) {
    uint32_t chunk = number / CHUNK;
    if (chunk >= table->chunk_count || !table->chunks[chunk])
        return NULL;
    return table->chunks[chunk][number % CHUNK];
}

/* Room for a chunk in the list. */
static k42_result grow(struct number_table *table, uint32_t chunk) {
    uint32_t count = table->chunk_count ? table->chunk_count : 1;
    while (count <= chunk)
        count *= 2;
    struct number_entry ***chunks = k42_platform_alloc(count * sizeof *chunks);
    if (!chunks)
        return -ENOMEM;
    if (table->chunk_count)
        memcpy(chunks, table->chunks, table->chunk_count * sizeof *chunks);
    k42_platform_free(table->chunks);
    table->chunks = chunks;
    table->chunk_count = count;
    return 0;
}

k42_result number_table_add(struct number_table *table, struct number_entry *entry) {
    uint32_t chunk = entry->number / CHUNK;
    if (chunk >= table->chunk_count && grow(table, chunk) < 0)
        return -ENOMEM;
    if (!table->chunks[chunk])
        table->chunks[chunk] = k42_platform_alloc(CHUNK * sizeof(struct number_entry *));
    if (!table->chunks[chunk])
        return -ENOMEM;
    struct number_entry **first = &table->chunks[chunk][entry->number % CHUNK];
    entry->next = *first;
    *first = entry;
    return 0;
}

void number_table_remove(struct number_table *table, struct number_entry *entry) {
    struct number_entry **link = &table->chunks[entry->number / CHUNK][entry->number % CHUNK];
    while (*link != entry)
        link = &(*link)->next;
    *link = entry->next;
}

void number_table_end(struct number_table *table, void (*fn)(struct number_entry *entry)) {
    for (uint32_t chunk = 0; chunk < table->chunk_count; chunk++) {
        for (uint32_t at = 0; table->chunks[chunk] && at < CHUNK; at++)
            for (struct number_entry *entry = table->chunks[chunk][at], *next; entry;
                 entry = next) {
                next = entry->next;
                fn(entry);
            }
        k42_platform_free(table->chunks[chunk]);
    }
    k42_platform_free(table->chunks);
    *table = (struct number_table){0};
}
