/*
 * Numbers by which a policy can be compared with what was before. Each only ever grows: what is
 * compared is by how much, for so many calls.
 *
 * Owns: nothing. Fails: an object that does not tell counts nothing.
 */
#include "metrics.h"

#include "../mem/fcm/fcm.h"
#include "run.h"

/* What hooks count, of all of a run's objects. */
static const struct {
    const char *name;
    size_t offset;
} of_calls[] = {
    {"latency", offsetof(struct policy_counts, total_ns)},
    {"errors", offsetof(struct policy_counts, failed)},
    {"waits", offsetof(struct policy_counts, waits)},
};

/* What an object counts itself. */
static const struct {
    const char *name;
    size_t offset;
} of_caches[] = {
    {"misses", offsetof(struct fcm_counts, misses)},
    {"requests", offsetof(struct fcm_counts, requests)},
    {"ahead", offsetof(struct fcm_counts, ahead)},
    {"evicted", offsetof(struct fcm_counts, evicted)},
    {"contended", offsetof(struct fcm_counts, contended)},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

bool policy_metric_known(const char *name) {
    for (size_t i = 0; i < COUNT(of_calls); i++)
        if (k42_text_equal(name, of_calls[i].name))
            return true;
    return metric_number(name) >= 0;
}

int metric_number(const char *name) {
    for (size_t i = 0; i < COUNT(of_caches); i++)
        if (k42_text_equal(name, of_caches[i].name))
            return (int)i;
    return -1;
}

const char *metric_name(unsigned number) {
    return number < COUNT(of_caches) ? of_caches[number].name : NULL;
}

bool metric_read(k42_id id, unsigned number, uint64_t *value) {
    struct fcm_counts counts;
    const struct k42_interface *interface_ = k42_interface_by_number(k42_id_interface(id));
    if (!interface_ || !k42_text_equal(interface_->name, fcm_interface.name) ||
        k42_call((fcm_ref)k42_id_ref(id), counts, &counts) < 0)
        return false;
    *value = *(const uint64_t *)(const void *)((const char *)&counts + of_caches[number].offset);
    return true;
}

struct sum {
    unsigned number;
    uint64_t value;
};

static void add(const struct policy_object *object, void *context) {
    struct sum *sum = context;
    uint64_t value;
    k42_enter();
    if (metric_read(object->id, sum->number, &value))
        sum->value += value;
    k42_exit();
}

uint64_t policy_metric_read(const struct policy_run *run, const char *name) {
    struct policy_counts counts;
    int number = metric_number(name);
    if (number >= 0) {
        struct sum sum = {.number = (unsigned)number};
        policy_objects_each(run, add, &sum);
        return sum.value;
    }
    policy_counts_sum(run, &counts);
    for (size_t i = 0; i < COUNT(of_calls); i++)
        if (k42_text_equal(name, of_calls[i].name))
            return *(const uint64_t *)(const void *)((const char *)&counts + of_calls[i].offset);
    return 0;
}
