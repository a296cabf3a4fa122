/*
 * Which objects have a policy, whose, and what they were before. take.c gives it to them, back.c
 * has them be what they were.
 *
 * Owns: a record of each such object, in a table by its number and in the list of its run. What an
 * object was before is the class it had when the first of the runs that have had it since came to
 * it. Locking: the components' turn guards the table and all lists. A hook is around the object as
 * long as there is a record; the record's memory goes when the runtime gives the hook back.
 */
#include "objects.h"

enum { BUCKETS = 1024, BUSY_TRIES = 50, ATTEMPTS = 8 };

static struct policy_object *table[BUCKETS];

struct policy_object **policy_object_find(k42_id id) {
    struct policy_object **link = &table[id % BUCKETS];
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

/* ---- classes ---- */

struct search {
    const char *name;
    uint32_t version;
    struct k42_class *found;
};

static long is_named(const struct k42_class_info *info, void *context) {
    struct search *search = context;
    if (!k42_text_equal(info->class_->name, search->name) ||
        info->class_->version != search->version)
        return 0;
    search->found = info->class_;
    return 1;
}

struct k42_class *policy_class_named(const char *name, uint32_t version) {
    struct search search = {.name = name, .version = version};
    k42_each_class(is_named, &search);
    return search.found;
}

struct k42_class *policy_class(const struct policy_run *run, const char *interface_name) {
    struct k42_module *module = k42_component_module(run->component);
    const char *name = run->terms.class_name;
    for (struct k42_class **c = module->classes; c < module->classes_end; c++)
        if (k42_text_equal((*c)->interface->name, interface_name) &&
            (!*name || k42_text_equal((*c)->name, name)))
            return *c;
    return NULL;
}

bool policy_is_of(const struct k42_object_info *info, const struct k42_class *class_) {
    return class_ && info->version == class_->version &&
           k42_text_equal(info->class_name, class_->name);
}

/* ---- records ---- */

static void link_to(struct policy_run *run, struct policy_object *object) {
    object->after = run->objects;
    object->link = &run->objects;
    if (run->objects)
        run->objects->link = &object->after;
    run->objects = object;
    k42_store_release(&object->run, run);
    __atomic_fetch_add(&run->object_count, 1, __ATOMIC_RELAXED);
}

static void unlink_from(struct policy_object *object) {
    *object->link = object->after;
    if (object->after)
        object->after->link = object->link;
    __atomic_fetch_sub(&object->run->object_count, 1, __ATOMIC_RELAXED);
}

void policy_object_move(struct policy_object *object, struct policy_run *run) {
    unlink_from(object);
    link_to(run, object);
}

static void hook_gone(struct k42_hook *hook) {
    struct policy_object *object = k42_container(hook, struct policy_object, hook);
    struct policy_run *run = object->run;
    k42_platform_free(object);
    if (!__atomic_sub_fetch(&run->hooks, 1, __ATOMIC_ACQ_REL))
        k42_platform_wake(&run->hooks, 1);
}

void policy_object_drop(struct policy_object *object) {
    *policy_object_find(object->id) = object->next;
    unlink_from(object);
    if (!object->hooked) {
        k42_platform_free(object);
        return;
    }
    __atomic_fetch_add(&object->run->hooks, 1, __ATOMIC_RELAXED);
    if (k42_release_later(&object->hook, hook_gone) < 0)
        hook_gone(&object->hook);
}

/* 0, or why the object takes no hook. One that is being swapped does in a moment. */
static k42_result put_hook(struct policy_object *object) {
    uint32_t never = 0;
    policy_hook_fill(&object->hook);
    k42_result result = k42_interpose(k42_id_ref(object->id), &object->hook);
    for (unsigned i = 0; result == -EBUSY && i < BUSY_TRIES; i++) {
        k42_platform_park(&never, 0, 1000000);
        result = k42_interpose(k42_id_ref(object->id), &object->hook);
    }
    object->hooked = result >= 0;
    return result == -ENOTSUP ? 0 : result;
}

k42_result policy_object_note(struct policy_run *run, k42_id id,
                              const struct k42_object_info *info) {
    struct policy_object *object = k42_platform_alloc(sizeof *object);
    if (!object)
        return -ENOMEM;
    object->id = id;
    object->version = info->version;
    k42_copy_text(object->before, sizeof object->before, info->class_name);
    k42_store_release(&object->run, run);
    k42_result result = put_hook(object);
    if (result < 0) {
        k42_platform_free(object);
        return result;
    }
    if (!run->fallback[0])
        k42_copy_text(run->fallback, sizeof run->fallback, info->class_name);
    object->next = table[id % BUCKETS];
    table[id % BUCKETS] = object;
    link_to(run, object);
    return 0;
}

void policy_objects_note(struct policy_run *run) {
    struct k42_object_info info;
    for (uint32_t i = 0; i < run->id_count; i++)
        if (!*policy_object_find(run->ids[i]) && k42_inspect(k42_id_ref(run->ids[i]), &info) >= 0 &&
            policy_class(run, info.interface_name))
            (void)!policy_object_note(run, run->ids[i], &info);
}

void policy_objects_each(const struct policy_run *run,
                         void (*visit)(const struct policy_object *object, void *context),
                         void *context) {
    for (const struct policy_object *object = run->objects; object; object = object->after)
        visit(object, context);
}

void policy_objects_forget(struct policy_run *run) {
    while (run->objects)
        policy_object_drop(run->objects);
}

void policy_objects_prune(struct policy_run *run) {
    struct k42_object_info info;
    for (struct policy_object *object = run->objects, *after; object; object = after) {
        after = object->after;
        if (k42_inspect(k42_id_ref(object->id), &info) < 0 ||
            (object->hooked && !info.interposers)) /* another one, of the same number */
            policy_object_drop(object);
    }
}

/* ---- swaps ---- */

bool policy_changes_open(struct policy_changes *changes) {
    changes->count = 0;
    changes->list = k42_platform_alloc(POLICY_TOGETHER * sizeof *changes->list);
    return changes->list;
}

struct policy_change *policy_changes_add(struct policy_changes *changes, k42_id id,
                                         struct k42_class *from, struct k42_class *to) {
    struct policy_change *change = &changes->list[changes->count];
    *change = (struct policy_change){.swap = {.ref = k42_id_ref(id),
                                              .from = from,
                                              .to = to,
                                              .deadline_ns = POLICY_PATIENT_NS,
                                              .attempts = ATTEMPTS}};
    changes->asked[changes->count++] = &change->swap;
    return change;
}

void policy_changes_make(const struct policy_changes *changes) {
    if (changes->count && k42_swap_batch(changes->asked, changes->count) < 0)
        k42_platform_panic("a run of a policy is active");
}

void policy_changes_close(struct policy_changes *changes) {
    k42_platform_free(changes->list);
}
