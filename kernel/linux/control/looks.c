/*
 * What programs see of objects and classes: answers to requests that change nothing.
 *
 * Objects are found by walking the pages of slots, some thousand slots in a request: whoever asks
 * goes on with another one, and grace periods pass in between. Each object is seen at one moment,
 * all of them at many; those that come or go meanwhile may be missed or be gone already.
 */
#include "control.h"

#include "../../mem/fcm/fcm.h"
#include "../../mem/frame/frame.h"
#include "../../mem/space/space.h"

#include <k42/k42.h>

enum { ROOM = 64 * 1024 - sizeof(struct k42_control_head), SLOTS = 8192 };

/* ---- objects ---- */

static uint64_t pages_of(const struct k42_object_info *info) {
    struct fcm_usage cache;
    struct space_usage space;
    k42_ref ref = k42_id_ref(info->id);
    if (k42_text_equal(info->interface_name, fcm_interface.name) &&
        k42_call((fcm_ref)ref, usage, &cache) >= 0)
        return cache.frames;
    if (k42_text_equal(info->interface_name, space_interface.name) &&
        k42_call((space_ref)ref, usage, &space) >= 0)
        return space.resident + space.tables;
    return 0;
}

static void tell_object(const struct k42_object_info *info, struct k42_control_object *object) {
    object->id = info->id;
    object->version = info->version;
    object->interposers = info->interposers;
    object->flags = (info->swapping ? K42_CONTROL_SWAPPING : 0u) |
                    (info->clustered ? K42_CONTROL_CLUSTERED : 0u);
    object->cpus = info->cpus;
    object->bytes = info->bytes;
    object->pages = pages_of(info);
    k42_copy_text(object->class_, sizeof object->class_, info->class_name);
    k42_copy_text(object->interface_, sizeof object->interface_, info->interface_name);
}

struct walk {
    struct control *control;
    const char *name; /* of a class or an interface; "": any */
};

static long add_object(const struct k42_object_info *info, void *context) {
    struct walk *walk = context;
    if (*walk->name && !k42_text_equal(walk->name, info->class_name) &&
        !k42_text_equal(walk->name, info->interface_name))
        return 0;
    struct k42_control_object *object = control_add(walk->control, sizeof *object);
    if (!object)
        return 1;
    tell_object(info, object);
    return 0;
}

k42_result control_objects(struct control *control, const struct control_request *request) {
    const struct k42_control_filter *filter = request->body;
    struct walk walk = {control, filter->name};
    k42_result result = control_begin(control, request->kind, ROOM);
    if (!result && filter->from <= UINT32_MAX)
        control_go_on(control, k42_objects_from((k42_id)filter->from, SLOTS, add_object, &walk));
    return result;
}

k42_result control_describe(struct control *control, const struct control_request *request) {
    const struct k42_control_one *one = request->body;
    struct k42_object_info info;
    if (one->number > UINT32_MAX)
        return -ENOENT;
    k42_ref ref = k42_id_ref((k42_id)one->number);
    k42_result result = k42_inspect(ref, &info);
    if (!result)
        result = control_begin(control, request->kind, sizeof(struct k42_control_description));
    if (result)
        return result;
    struct k42_control_description *told = control_add(control, sizeof *told);
    tell_object(&info, &told->object);
    if (k42_call_object(ref, describe, told->text, sizeof told->text) < 0)
        told->text[0] = 0;
    told->text[sizeof told->text - 1] = 0;
    return 0;
}

/* ---- classes ---- */

struct class_walk {
    struct control *control;
    uint64_t at, from;
    bool full;
};

static long add_class(const struct k42_class_info *info, void *context) {
    struct class_walk *walk = context;
    const struct k42_class *class_ = info->class_;
    if (walk->at++ < walk->from)
        return 0;
    struct k42_control_class *told = control_add(walk->control, sizeof *told);
    if (!told) {
        walk->full = true;
        return 1;
    }
    told->version = class_->version;
    told->interface_version = class_->interface->version;
    told->methods = class_->interface->methods;
    told->flags = (info->current ? K42_CONTROL_CURRENT : 0u) |
                  (class_->transfers ? K42_CONTROL_CAN_SWAP : 0u) |
                  (class_->kind == &k42_clustered ? K42_CONTROL_CLUSTERED : 0u) |
                  (class_->interface->flags & K42_INTERFACE_ATOMIC ? K42_CONTROL_ATOMIC : 0u);
    told->instances = info->instances;
    told->swaps = info->swaps;
    k42_copy_text(told->name, sizeof told->name, class_->name);
    k42_copy_text(told->interface_, sizeof told->interface_, class_->interface->name);
    k42_copy_text(told->component, sizeof told->component, info->component);
    k42_copy_text(told->traits, sizeof told->traits, class_->traits);
    return 0;
}

k42_result control_classes(struct control *control, const struct control_request *request) {
    const struct k42_control_filter *filter = request->body;
    struct class_walk walk = {.control = control, .from = filter->from};
    k42_result result = control_begin(control, request->kind, ROOM);
    if (result)
        return result;
    k42_each_class(add_class, &walk);
    if (walk.full)
        control_go_on(control, walk.at - 1);
    return 0;
}

/* ---- counters ---- */

k42_result control_stats(struct control *control, const struct control_request *request) {
    struct k42_stats runtime;
    struct frame_statistics frames;
    k42_result result = control_begin(control, request->kind, sizeof(struct k42_control_stats));
    if (result)
        return result;
    struct k42_control_stats *told = control_add(control, sizeof *told);
    k42_stats(&runtime);
    frames_count(&frames);
    *told = (struct k42_control_stats){
        .objects = runtime.objects,
        .created = runtime.created,
        .destroyed = runtime.destroyed,
        .misses = runtime.misses,
        .swaps = runtime.swaps,
        .aborts = runtime.swap_aborts,
        .grace_periods = runtime.grace_periods,
        .deferred = runtime.defers_pending,
        .interposers = runtime.interposers_live,
        .mediators = runtime.mediators_live,
        .frames = frames.present,
        .frames_used = frames.used,
        .cpus = k42_cpu_limit(),
    };
    return 0;
}
