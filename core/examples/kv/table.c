/*
 * The interface `table`: its description and its formats. See table.h.
 */
#include "table.h"

static const char *const method_names[] = {
    "describe", "lookup", "lookup_hash", "store", "exchange", "walk", "count",
};

const struct k42_interface table_interface = {
    .name = "table",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct table_ops),
    .method_names = method_names,
};
_Static_assert(sizeof(method_names) / sizeof(method_names[0]) == K42_METHOD_COUNT(struct table_ops),
               "every method has a name");

const struct k42_format table_entries_format = {.name = "table.entries", .version = 1, .cost = 10};
const struct k42_format table_records_format = {.name = "table.records", .version = 1, .cost = 100};
