/*
 * The next version of the process: one that remembers what it was sent and whom it made.
 *
 *     ./k42 build components/process_v2.c
 *     k42ctl upgrade process_v2.k42             every process, while it runs
 *     k42ctl show 4098                          which signals it got, how many children it had
 *     k42ctl upgrade process.linux 1            and back
 *     k42ctl unload process_v2
 *
 * State. The body of a process is handed over by pointer, as in version 1, since its threads and
 * children are linked to it; what version 2 knows besides lies in its own object. Among objects of
 * version 2 it is carried along, in a format of their own; from others it begins anew.
 *
 * Signals are counted by whoever sends them, several at a time, so by locked additions; there are
 * few.
 */
#include <k42/kernel/process.h>

K42_COMPONENT("process_v2");

/* A body_object, and what is new behind it. */
struct past {
    struct body_object object;
    struct past_counts {
        uint64_t children;
        uint32_t sent[SIGNALS + 1];
    } counts;
};

static struct past_counts *counts_of(struct process *self) {
    return &k42_container((struct k42_object *)(void *)self, struct past, object.rep)->counts;
}

static k42_result past_send(struct process *self, int tid, const struct signal_info *info) {
    if (info->signal > 0 && info->signal <= SIGNALS)
        __atomic_add_fetch(&counts_of(self)->sent[info->signal], 1, __ATOMIC_RELAXED);
    return process_send(self, tid, info);
}

static k42_result past_adopt(struct process *self, const struct child *child) {
    k42_result result = process_adopt(self, child);
    if (!result)
        __atomic_add_fetch(&counts_of(self)->children, 1, __ATOMIC_RELAXED);
    return result;
}

static k42_result past_describe(struct k42_object *self, char *text, size_t size) {
    const struct past_counts *counts = counts_of((struct process *)(void *)self);
    size_t used = (size_t)process_describe(self, text, size);
    used += k42_format_text(text + used, size - used, "; %lu children so far; signals",
                            counts->children);
    for (unsigned i = 1; i <= SIGNALS && used < size; i++)
        if (counts->sent[i])
            used += k42_format_text(text + used, size - used, " %u:%u", i, counts->sent[i]);
    return (k42_result)used;
}

static const struct process_ops past_ops = {
    PROCESS_METHODS,
    .object.describe = past_describe,
    .send = past_send,
    .adopt = past_adopt,
};

/* ---- among themselves ---- */

static const struct k42_format past_format = {"process.past", 1, 1};

static k42_result export_past(struct k42_root *from, struct k42_state *state, unsigned part) {
    state->word[1] = (uintptr_t)&k42_container(from, struct past, object.root)->counts;
    return body_export(from, state, part);
}

static k42_result import_past(struct k42_root *to, struct k42_state *state, unsigned part) {
    k42_container(to, struct past, object.root)->counts =
        *(const struct past_counts *)state->word[1];
    return body_import(to, state, part);
}

static const struct k42_transfer past_transfers[] = {
    {.format = &past_format,
     .export_state = export_past,
     .import_state = import_past,
     .handed_over = body_handed_over},
    {.format = &process_format,
     .export_state = body_export,
     .import_state = body_import,
     .handed_over = body_handed_over},
    {.format = NULL},
};

K42_CLASS(process_linux_2) = {
    .name = "process.linux",
    .interface = &process_interface,
    .version = 2,
    .traits = "lock=one",
    .kind = &k42_single,
    .root_size = sizeof(struct past),
    .rep_offset = offsetof(struct past, object.rep),
    .ops = &past_ops,
    .init = process_init,
    .fini = process_fini,
    .transfers = past_transfers,
};
