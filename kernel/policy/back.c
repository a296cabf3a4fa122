/*
 * The way back: objects become again what they were before a run.
 *
 * What somebody else has given another class meanwhile is left as it is. What somebody else made an
 * instance of the policy's class goes back with the others, since the class goes away. Owns and
 * locks nothing; see objects.c.
 */
#include "objects.h"

/* ---- classes ---- */

struct search {
    const struct k42_class *from;
    const char *component; /* not of this one */
    struct k42_class *found;
};

static long is_other(const struct k42_class_info *info, void *context) {
    struct search *search = context;
    bool same = info->component && k42_text_equal(info->component, search->component);
    if (same || !info->current || !k42_class_can_become(search->from, info->class_))
        return 0;
    search->found = info->class_;
    return 1;
}

/* What an object of the policy's can always become: any class but the component's. */
static struct k42_class *class_besides(const struct policy_run *run, const struct k42_class *from) {
    struct search search = {.from = from, .component = run->told.component};
    k42_each_class(is_other, &search);
    return search.found;
}

/* ---- the way back ---- */

struct returning {
    struct policy_run *run;
    struct policy_changes changes;
    uint64_t held;
    uint64_t deadline_ns;
    char *why;
    size_t size;
};

static void return_flush(struct returning *returning) {
    struct policy_changes *changes = &returning->changes;
    struct policy_told *told = &returning->run->told;
    policy_changes_make(changes);
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct k42_swap_report *report = &changes->list[i].swap.report;
        struct policy_object *object = changes->list[i].object;
        bool gone = policy_is_gone(report->result);
        if (report->result && !gone) {
            returning->held++;
            k42_copy_text(returning->why, returning->size, report->text);
            continue;
        }
        *(gone ? &told->left : &told->returned) += 1;
        if (object)
            policy_object_drop(object);
    }
    changes->count = 0;
}

static void return_one(struct returning *returning, k42_id id, struct k42_class *from,
                       struct k42_class *to, struct policy_object *object) {
    struct policy_change *change = policy_changes_add(&returning->changes, id, from, to);
    change->object = object;
    change->swap.deadline_ns = returning->deadline_ns;
    change->swap.attempts = 2;
    if (returning->changes.count == POLICY_TOGETHER)
        return_flush(returning);
}

static void return_known(struct returning *returning) {
    struct policy_run *run = returning->run;
    struct k42_object_info info;
    for (struct policy_object *object = run->objects, *after; object; object = after) {
        after = object->after;
        struct k42_class *now = NULL, *to = NULL;
        if (k42_inspect(k42_id_ref(object->id), &info) >= 0)
            now = policy_class(run, info.interface_name);
        if (!now || !policy_is_of(&info, now)) {
            run->told.left++;
            policy_object_drop(object);
            continue;
        }
        if (!(to = policy_class_named(object->before, object->version)) &&
            !(to = k42_class_find(object->before)))
            to = class_besides(run, now);
        if (to)
            return_one(returning, object->id, now, to, object);
    }
    return_flush(returning);
}

/* Those that others have made what they are. */
static long return_other(const struct k42_object_info *info, void *context) {
    struct returning *returning = context;
    struct policy_run *run = returning->run;
    struct k42_class *now = policy_class(run, info->interface_name);
    if (!policy_is_of(info, now) || *policy_object_find(info->id))
        return 0;
    struct k42_class *to = run->fallback[0] ? k42_class_find(run->fallback) : NULL;
    if (!to || !k42_class_can_become(now, to))
        to = class_besides(run, now);
    if (to)
        return_one(returning, info->id, now, to, NULL);
    return 0;
}

uint64_t policy_objects_return(struct policy_run *run, unsigned patience, char *why, size_t size) {
    struct returning returning = {.run = run, .why = why, .size = size};
    struct k42_module *module = k42_component_module(run->component);
    returning.deadline_ns = POLICY_PATIENT_NS << (patience < 7 ? patience : 7);
    if (!policy_changes_open(&returning.changes))
        return run->object_count;
    return_known(&returning);
    for (struct k42_class **c = module->classes; c < module->classes_end; c++)
        (void)k42_each_object((*c)->interface, return_other, &returning);
    return_flush(&returning);
    policy_changes_close(&returning.changes);
    return returning.held;
}
