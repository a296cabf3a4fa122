/*
 * The version of the process that mends process_unchecked.c: who may not raise a limit does not,
 * and how often somebody has tried is known.
 *
 * Its state is larger by that count, which begins with the upgrade.
 */
#include <k42/kernel/process.h>

K42_COMPONENT("process_checked");

struct checked {
    struct body_object object;
    uint32_t refused;
};

static uint32_t *refused_of(struct process *self) {
    return &k42_container((struct k42_object *)(void *)self, struct checked, object.rep)->refused;
}

static k42_result checked_limit(struct process *self, unsigned resource,
                                const struct process_limit *wanted, struct process_limit *present,
                                unsigned may_raise) {
    k42_result result = process_limit(self, resource, wanted, present, may_raise);
    if (result == -EPERM)
        __atomic_add_fetch(refused_of(self), 1, __ATOMIC_RELAXED);
    return result;
}

static k42_result checked_describe(struct k42_object *self, char *text, size_t size) {
    size_t used = (size_t)process_describe(self, text, size);
    uint32_t refused =
        __atomic_load_n(refused_of((struct process *)(void *)self), __ATOMIC_RELAXED);
    return (k42_result)(used +
                        k42_format_text(text + used, size - used, "; %u limits refused", refused));
}

static const struct process_ops checked_ops = {
    PROCESS_METHODS,
    .object.describe = checked_describe,
    .limit = checked_limit,
};

static const struct k42_transfer checked_transfers[] = PROCESS_TRANSFERS;

K42_CLASS(process_checked) = {
    .name = "process.linux",
    .interface = &process_interface,
    .version = 3,
    .traits = "lock=one",
    .kind = &k42_single,
    .root_size = sizeof(struct checked),
    .rep_offset = offsetof(struct checked, object.rep),
    .ops = &checked_ops,
    .init = process_init,
    .fini = process_fini,
    .transfers = checked_transfers,
};
