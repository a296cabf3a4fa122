/*
 * What objects count themselves, by name: for whoever compares policies.
 */
#ifndef KERNEL_POLICY_METRICS_H
#define KERNEL_POLICY_METRICS_H

#include <k42/object.h>
#include <stdbool.h>

/* The number of a metric, or -1; the name of a number, or NULL: there are no more. */
int metric_number(const char *name);
const char *metric_name(unsigned number);

/* An object's value. False: it counts no such thing. Active callers. */
bool metric_read(k42_id id, unsigned number, uint64_t *value);

#endif
