/*
 * Which objects have a policy, whose, and what they were before; giving it to them, and back.
 *
 * Owns: a record of each such object, in a table by its number and in the list of its run. What an
 * object was before is the class it had when the first of the runs that have had it since came to
 * it. Locking: the components' turn guards the table and all lists. A hook is around the object as
 * long as there is a record; the record's memory goes when the runtime gives the hook back.
 *
 * An object that somebody else gives another class meanwhile is his: it is left as it is. What
 * somebody else makes an instance of the policy's class goes back with the others, since the class
 * goes away.
 */
#include "run.h"

#include <errno.h>

enum { BUCKETS = 1024, TOGETHER = 64, BUSY_TRIES = 50, ATTEMPTS = 8 };
#define PATIENT_NS 20000000ul

static struct policy_object *table[BUCKETS];

static struct policy_object **find(k42_id id) {
    struct policy_object **link = &table[id % BUCKETS];
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

/* ---- classes ---- */

struct search {
    const char *name;
    uint32_t version;
    const struct k42_class *from;
    const char *component; /* not of this one */
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

static struct k42_class *class_named(const char *name, uint32_t version) {
    struct search search = {.name = name, .version = version};
    k42_each_class(is_named, &search);
    return search.found;
}

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

struct k42_class *policy_class(const struct policy_run *run, const char *interface_name) {
    struct k42_module *module = k42_component_module(run->component);
    const char *name = run->terms.class_name;
    for (struct k42_class **c = module->classes; c < module->classes_end; c++)
        if (k42_text_equal((*c)->interface->name, interface_name) &&
            (!*name || k42_text_equal((*c)->name, name)))
            return *c;
    return NULL;
}

static bool is_of(const struct k42_object_info *info, const struct k42_class *class_) {
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

static void hook_gone(struct k42_hook *hook) {
    struct policy_object *object = k42_container(hook, struct policy_object, hook);
    struct policy_run *run = object->run;
    k42_platform_free(object);
    if (!__atomic_sub_fetch(&run->hooks, 1, __ATOMIC_ACQ_REL))
        k42_platform_wake(&run->hooks, 1);
}

/* From the table and the list; its memory follows when no call is inside the hook any more. */
static void drop(struct policy_object *object) {
    *find(object->id) = object->next;
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

static k42_result note(struct policy_run *run, k42_id id, const struct k42_object_info *info) {
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
        if (!*find(run->ids[i]) && k42_inspect(k42_id_ref(run->ids[i]), &info) >= 0 &&
            policy_class(run, info.interface_name))
            (void)!note(run, run->ids[i], &info);
}

void policy_objects_each(const struct policy_run *run,
                         void (*visit)(const struct policy_object *object, void *context),
                         void *context) {
    for (const struct policy_object *object = run->objects; object; object = object->after)
        visit(object, context);
}

void policy_objects_forget(struct policy_run *run) {
    while (run->objects)
        drop(run->objects);
}

void policy_objects_prune(struct policy_run *run) {
    struct k42_object_info info;
    for (struct policy_object *object = run->objects, *after; object; object = after) {
        after = object->after;
        if (k42_inspect(k42_id_ref(object->id), &info) < 0 ||
            (object->hooked && !info.interposers)) /* another one, of the same number */
            drop(object);
    }
}

/* ---- swaps ---- */

struct change {
    struct k42_swap swap;
    struct policy_object *object;
    struct policy_run *previous; /* whose it was */
};

struct changes {
    struct change *list;
    struct k42_swap *asked[TOGETHER];
    uint32_t count;
};

static bool changes_open(struct changes *changes) {
    changes->count = 0;
    changes->list = k42_platform_alloc(TOGETHER * sizeof *changes->list);
    return changes->list;
}

static struct change *changes_add(struct changes *changes, k42_id id, struct k42_class *from,
                                  struct k42_class *to) {
    struct change *change = &changes->list[changes->count];
    *change = (struct change){.swap = {.ref = k42_id_ref(id),
                                       .from = from,
                                       .to = to,
                                       .deadline_ns = PATIENT_NS,
                                       .attempts = ATTEMPTS}};
    changes->asked[changes->count++] = &change->swap;
    return change;
}

static bool is_gone(k42_result result) {
    return result == -K42_STALE || result == -ESTALE;
}

/* ---- taking ---- */

struct taking {
    struct policy_run *run;
    struct changes changes;
    k42_result result;
    char *why;
    size_t size;
};

static void take_failed(struct taking *taking, k42_id id, k42_result result, const char *text) {
    if (taking->result || (is_gone(result) && taking->run->terms.scope[0]))
        return;
    taking->result = result;
    if (text && *text)
        k42_copy_text(taking->why, taking->size, text);
    else
        k42_format_text(taking->why, taking->size, "object %u: %s", id, k42_error_name(result));
}

static void take_flush(struct taking *taking) {
    struct changes *changes = &taking->changes;
    if (changes->count && k42_swap_batch(changes->asked, changes->count) < 0)
        k42_platform_panic("a run of a policy is active");
    for (uint32_t i = 0; i < changes->count; i++) {
        struct change *change = &changes->list[i];
        k42_result result = change->swap.report.result;
        if (!result) {
            taking->run->told.taken += change->previous != NULL;
            continue;
        }
        take_failed(taking, change->object->id, result, change->swap.report.text);
        if (change->previous) {
            unlink_from(change->object);
            link_to(change->previous, change->object);
        } else {
            drop(change->object);
        }
    }
    changes->count = 0;
}

/* The record of an object that is to have the policy; 0, or why it cannot. */
static k42_result record_of(struct policy_run *run, k42_id id, const struct k42_object_info *info,
                            struct policy_object **object) {
    struct policy_object *known = *find(id);
    if (known && known->run != run &&
        !is_of(info, policy_class(known->run, info->interface_name))) {
        drop(known); /* somebody else has changed it since */
        known = NULL;
    }
    k42_result result = known ? 0 : note(run, id, info);
    *object = *find(id);
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
    struct change *change =
        changes_add(&taking->changes, id, class_named(info.class_name, info.version), to);
    change->object = object;
    if (object->run != run) {
        change->previous = object->run;
        if (!run->fallback[0])
            k42_copy_text(run->fallback, sizeof run->fallback, object->before);
        unlink_from(object);
        link_to(run, object);
    }
    if (taking->changes.count == TOGETHER)
        take_flush(taking);
}

k42_result policy_objects_take(struct policy_run *run, char *why, size_t size) {
    struct taking taking = {.run = run, .why = why, .size = size};
    if (!changes_open(&taking.changes)) {
        k42_copy_text(why, size, "there is no memory for it");
        return -ENOMEM;
    }
    for (uint32_t i = 0; i < run->id_count; i++)
        take_one(&taking, run->ids[i]);
    take_flush(&taking);
    k42_platform_free(taking.changes.list);
    return taking.result;
}

/* ---- a scope ---- */

struct finding {
    struct policy_run *run;
    uint32_t room;
    k42_result result;
};

static bool in_scope(const struct policy_run *run, const struct k42_object_info *info) {
    struct policy_object *object = *find(info->id);
    if (is_of(info, policy_class(run, info->interface_name)))
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

/* ---- the way back ---- */

struct returning {
    struct policy_run *run;
    struct changes changes;
    uint64_t held;
    uint64_t deadline_ns;
    char *why;
    size_t size;
};

static void return_flush(struct returning *returning) {
    struct changes *changes = &returning->changes;
    struct policy_told *told = &returning->run->told;
    if (changes->count && k42_swap_batch(changes->asked, changes->count) < 0)
        k42_platform_panic("a run of a policy is active");
    for (uint32_t i = 0; i < changes->count; i++) {
        const struct k42_swap_report *report = &changes->list[i].swap.report;
        struct policy_object *object = changes->list[i].object;
        bool gone = is_gone(report->result);
        if (report->result && !gone) {
            returning->held++;
            k42_copy_text(returning->why, returning->size, report->text);
            continue;
        }
        *(gone ? &told->left : &told->returned) += 1;
        if (object)
            drop(object);
    }
    changes->count = 0;
}

static void return_one(struct returning *returning, k42_id id, struct k42_class *from,
                       struct k42_class *to, struct policy_object *object) {
    struct change *change = changes_add(&returning->changes, id, from, to);
    change->object = object;
    change->swap.deadline_ns = returning->deadline_ns;
    change->swap.attempts = 2;
    if (returning->changes.count == TOGETHER)
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
        if (!now || !is_of(&info, now)) {
            run->told.left++;
            drop(object);
            continue;
        }
        if (!(to = class_named(object->before, object->version)) &&
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
    if (!is_of(info, now) || *find(info->id))
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
    returning.deadline_ns = PATIENT_NS << (patience < 7 ? patience : 7);
    if (!changes_open(&returning.changes))
        return run->object_count;
    return_known(&returning);
    for (struct k42_class **c = module->classes; c < module->classes_end; c++)
        (void)k42_each_object((*c)->interface, return_other, &returning);
    return_flush(&returning);
    k42_platform_free(returning.changes.list);
    return returning.held;
}
