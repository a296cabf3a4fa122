/*
 * Giving a policy to objects: to those that were named, or to a scope's.
 *
 * An object that somebody else gives another class meanwhile is his, and known no more. Owns and
 * locks nothing; see objects.c.
 */
#include "objects.h"

/* ---- taking ---- */

struct taking {
    struct policy_run *run;
    struct policy_changes changes;
    k42_result result;
    char *why;
    size_t size;
};

static void take_failed(struct taking *taking, k42_id id, k42_result result, const char *text) {
    if (taking->result || (policy_is_gone(result) && taking->run->terms.scope[0]))
        return;
    taking->result = result;
    if (text && *text)
        k42_copy_text(taking->why, taking->size, text);
    else
        k42_format_text(taking->why, taking->size, "object %u: %s", id, k42_error_name(result));
}

static void take_flush(struct taking *taking) {
    struct policy_changes *changes = &taking->changes;
    policy_changes_make(changes);
    for (uint32_t i = 0; i < changes->count; i++) {
        struct policy_change *change = &changes->list[i];
        k42_result result = change->swap.report.result;
        if (!result) {
            taking->run->told.taken += change->previous != NULL;
            continue;
        }
        take_failed(taking, change->object->id, result, change->swap.report.text);
        if (change->previous) {
            policy_object_move(change->object, change->previous);
        } else {
            policy_object_drop(change->object);
        }
    }
    changes->count = 0;
}

/* The record of an object that is to have the policy; 0, or why it cannot. */
static k42_result record_of(struct policy_run *run, k42_id id, const struct k42_object_info *info,
                            struct policy_object **object) {
    struct policy_object *known = *policy_object_find(id);
    if (known && known->run != run &&
        !policy_is_of(info, policy_class(known->run, info->interface_name))) {
        policy_object_drop(known); /* somebody else has changed it since */
        known = NULL;
    }
    k42_result result = known ? 0 : policy_object_note(run, id, info);
    *object = *policy_object_find(id);
    return result;
}

static void take_one(struct taking *taking, k42_id id) {
    struct policy_run *run = taking->run;
    struct policy_object *object = NULL;
    struct k42_object_info info;
    k42_result result = k42_inspect(k42_id_ref(id), &info);
    struct k42_class *to = result < 0 ? NULL : policy_class(run, info.interface_name);
    if (!result && !to) {
        char text[POLICY_TEXT];
        k42_format_text(text, sizeof text,
                        "object %u is a %s, and component %s has no class of its interface, %s%s%s",
                        id, info.class_name, run->told.component, info.interface_name,
                        *run->terms.class_name ? ", called " : "", run->terms.class_name);
        take_failed(taking, id, -ENOTSUP, text);
        return;
    }
    if (!result)
        result = record_of(run, id, &info, &object);
    if (result < 0) {
        take_failed(taking, id, result, NULL);
        return;
    }
    struct policy_change *change = policy_changes_add(
        &taking->changes, id, policy_class_named(info.class_name, info.version), to);
    change->object = object;
    if (object->run != run) {
        change->previous = object->run;
        if (!run->fallback[0])
            k42_copy_text(run->fallback, sizeof run->fallback, object->before);
        policy_object_move(object, run);
    }
    if (taking->changes.count == POLICY_TOGETHER)
        take_flush(taking);
}

k42_result policy_objects_take(struct policy_run *run, char *why, size_t size) {
    struct taking taking = {.run = run, .why = why, .size = size};
    if (!policy_changes_open(&taking.changes)) {
        k42_copy_text(why, size, "there is no memory for it");
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < run->id_count; i++)
        take_one(&taking, run->ids[i]);
    take_flush(&taking);
    policy_changes_close(&taking.changes);
    return taking.result;
}

/* ---- a scope ---- */

struct finding {
    struct policy_run *run;
    uint32_t room;
    k42_result result;
};

static bool in_scope(const struct policy_run *run, const struct k42_object_info *info) {
    struct policy_object *object = *policy_object_find(info->id);
    if (policy_is_of(info, policy_class(run, info->interface_name)))
        return false;
    return k42_text_equal(info->class_name, run->terms.scope) ||
           (object && object->run != run &&
            k42_text_equal(object->run->terms.scope, run->terms.scope));
}

static long find_one(const struct k42_object_info *info, void *context) {
    struct finding *finding = context;
    struct policy_run *run = finding->run;
    if (!in_scope(run, info))
        return 0;
    if (run->id_count == finding->room) {
        uint32_t room = finding->room ? 2 * finding->room : 64;
        k42_id *larger = k42_platform_alloc(room * sizeof *larger);
        if (!larger) {
            finding->result = -ENOMEM;
            return 1;
        }
        if (run->id_count)
            __builtin_memcpy(larger, run->ids, run->id_count * sizeof *larger);
        k42_platform_free(run->ids);
        run->ids = larger;
        finding->room = room;
    }
    run->ids[run->id_count++] = info->id;
    return 0;
}

k42_result policy_objects_find(struct policy_run *run) {
    struct finding finding = {.run = run};
    const struct k42_class *class_ = k42_class_find(run->terms.scope);
    k42_platform_free(run->ids);
    run->ids = NULL;
    run->id_count = 0;
    if (class_)
        (void)k42_each_object(class_->interface, find_one, &finding);
    return finding.result;
}
