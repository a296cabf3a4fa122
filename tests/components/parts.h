/*
 * What the test program and the component `workshop` agree on: an object that hands out functions
 * of the component, so that a test can have it do one thing at a time.
 */
#ifndef K42_TESTS_PARTS_H
#define K42_TESTS_PARTS_H

#include <k42/k42.h>

/* Words of the test's that the component writes and reads. */
struct workshop_signs {
    uint32_t defers_run;
    uint32_t defer_again; /* a deferred call defers itself while this is set */
    uint32_t thread_started, thread_ended, thread_found_itself;
    uint32_t hook_called;
    uint32_t swap_done;
};

struct workshop_tools {
    void (*defer)(struct workshop_signs *signs);
    struct k42_thread *(*start_thread)(struct workshop_signs *signs);
    k42_result (*interpose)(k42_ref ref, struct workshop_signs *signs);
    k42_result (*release)(void);
    k42_result (*swap)(k42_ref ref, struct k42_class *to, struct workshop_signs *signs);
    void (*trace)(uint32_t number);
};

struct workshop;
struct workshop_ops {
    struct k42_object_ops object;
    K42_METHOD(tools)(struct workshop *self, const struct workshop_tools **tools);
};
struct workshop {
    const struct workshop_ops *ops;
};
K42_DECLARE_REF(workshop);

static const char *const workshop_methods[] = {"describe", "tools"};
static const struct k42_interface workshop_interface = {
    .name = "workshop",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct workshop_ops),
    .method_names = workshop_methods,
};

#endif
