/*
 * A table of things by small numbers, of which many may be in use, next to each other: descriptors.
 *
 * Numbers are looked up in chunks that are made when the first number of them is used, and stay; so
 * no more than the list of chunks is ever copied. Several things may have one number: they are
 * chained. Nothing here is locked.
 */
#ifndef KERNEL_LINUX_NUMBER_TABLE_H
#define KERNEL_LINUX_NUMBER_TABLE_H

#include <k42/base.h>

struct number_entry {
    struct number_entry *next; /* of the same number */
    uint32_t number;
};

struct number_table {
    struct number_entry ***chunks;
    uint32_t chunk_count;
};

/* The first with that number, or NULL. */
struct number_entry *number_table_find(const struct number_table *table, uint32_t number);

/* Adds one; entry->number says where. -ENOMEM. */
K42_MUST_CHECK
k42_result number_table_add(struct number_table *table, struct number_entry *entry);

/* Takes out one that is in. */
void number_table_remove(struct number_table *table, struct number_entry *entry);

/* Calls fn, which may free the entry, for all, and frees the table. */
void number_table_end(struct number_table *table, void (*fn)(struct number_entry *entry));

#endif
