/*
 * The interface of the tutorial: its description and its format. See counter.h.
 */
#include "counter.h"

static const char *const method_names[] = {"describe", "add", "read"};

const struct k42_interface counter_interface = {
    .name = "counter",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct counter_ops),
    .method_names = method_names,
};

const struct k42_format counter_sum_format = {.name = "counter.sum", .version = 1, .cost = 1};
