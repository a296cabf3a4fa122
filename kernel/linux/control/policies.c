/*
 * The policy that a conversation runs (kernel/policy): its component's file, taken in pieces; its
 * run, which ends with the conversation.
 *
 * Owns: the file's bytes until they are the run's; a reference to the run. Locking: none; a
 * conversation is used by one call at a time. A read waits for the run to come as far as was asked
 * for: the run's thread notifies the open file after each change, which it tells by a counter that
 * is read after the reader is in the table of waiters.
 */
#include "control.h"

#include "../../policy/metrics.h"
#include "../../policy/policy.h"
#include "../task.h"

#include <k42/k42.h>
#include <linux/capability.h>

#define USUAL_NS      1000000000ul
#define USUAL_PERCENT 10u

_Static_assert(K42_RUN_OVER == (int)POLICY_OVER && K42_RUN_WORSE == (int)POLICY_WORSE, "the same");
_Static_assert(K42_CONTROL_NAME == POLICY_NAME && K42_CONTROL_TEXT == POLICY_TEXT, "the same");

static void image_forget(struct control_image *image) {
    k42_platform_free(image->bytes);
    *image = (struct control_image){0};
}

k42_result control_component(struct control *control, const struct control_request *request) {
    const struct k42_control_piece *piece = request->body;
    struct control_image *image = &control->image;
    if (!task_capable(task_self(), CAP_SYS_MODULE))
        return -EPERM;
    if (!piece->at) {
        image_forget(image);
        image->bytes = k42_platform_alloc(piece->size);
        if (!image->bytes)
            return -ENOMEM;
        image->size = piece->size;
    }
    if (piece->size != image->size || piece->at != image->got)
        return -EINVAL;
    __builtin_memcpy(image->bytes + piece->at, piece->bytes, piece->length);
    image->got += piece->length;
    return control_begin(control, request->kind, 0);
}

/* ---- beginning, widening ---- */

static void ask_for(struct control *control, enum k42_control_kind kind, enum policy_state state,
                    uint32_t changes) {
    control->run_asked = kind;
    control->run_state = state;
    control->run_changes = changes;
}

static k42_result begin(struct control *control, const struct control_request *request) {
    const struct k42_control_policy *asked = request->body;
    struct policy_terms terms = {
        .window_ns = asked->window_ns ? asked->window_ns : USUAL_NS,
        .stall_ns = asked->stall_ns ? asked->stall_ns : USUAL_NS,
        .error_percent = asked->errors ? asked->errors : USUAL_PERCENT,
        .worse_percent = asked->worse,
    };
    struct control_image image = control->image;
    k42_copy_text(terms.class_name, sizeof terms.class_name, asked->class_);
    k42_copy_text(terms.scope, sizeof terms.scope, asked->scope);
    k42_copy_text(terms.metric, sizeof terms.metric, asked->metric);
    if (!image.size || image.got != image.size || (request->count && asked->scope[0]))
        return -EINVAL;
    if (control->run)
        return -EBUSY;
    control->image = (struct control_image){0};
    return policy_begin(&terms, image.bytes, image.size, request->ids, request->count,
                        k42_id_of(control->opened.self), &control->run);
}

k42_result control_policy(struct control *control, const struct control_request *request) {
    k42_result result;
    if (control->run && !control->image.size)
        result =
            request->count ? policy_widen(control->run, request->ids, request->count) : -EINVAL;
    else
        result = begin(control, request);
    if (!result)
        ask_for(control, request->kind, POLICY_ACTIVE, ~0u);
    return result;
}

k42_result control_end(struct control *control, const struct control_request *request) {
    (void)request;
    if (!control->run)
        return -ENOENT;
    policy_end(control->run);
    ask_for(control, request->kind, POLICY_OVER, ~0u);
    return 0;
}

/* ---- telling ---- */

k42_result control_run(struct control *control, const struct control_request *request) {
    const struct k42_control_one *one = request->body;
    if (!control->run)
        return -ENOENT;
    ask_for(control, request->kind, POLICY_BEGINS, one->number ? (uint32_t)one->number : ~0u);
    return 0;
}

bool control_run_goes_on(const struct control *control) {
    struct policy_told told;
    if (!control->run_asked)
        return false;
    policy_tell(control->run, &told);
    return told.state < (enum policy_state)control->run_state ||
           told.changes == control->run_changes;
}

k42_result control_run_tell(struct control *control) {
    struct policy_told told;
    struct k42_control_run *run;
    k42_result result = control_begin(control, control->run_asked, sizeof *run);
    if (result < 0)
        return result;
    control->run_asked = 0;
    policy_tell(control->run, &told);
    run = control_add(control, sizeof *run);
    *run = (struct k42_control_run){
        .state = told.state,
        .why = told.why,
        .result = (int32_t)control_result(told.result),
        .changes = told.changes,
        .objects = told.objects,
        .taken = told.taken,
        .returned = told.returned,
        .left = told.left,
        .held = told.held,
        .calls = told.calls,
        .failed = told.failed,
        .waits = told.waits,
        .total_ns = told.total_ns,
    };
    k42_copy_text(run->component, sizeof run->component, told.component);
    k42_copy_text(run->class_, sizeof run->class_, told.class_name);
    k42_copy_text(run->text, sizeof run->text, told.text);
    return 0;
}

void control_policy_end(struct control *control) {
    image_forget(&control->image);
    if (control->run)
        policy_forget(control->run);
    control->run = NULL;
}

k42_result control_counters(struct control *control, const struct control_request *request) {
    const struct k42_control_one *one = request->body;
    struct k42_object_info info;
    unsigned count = 0;
    uint64_t value;
    if (one->number > UINT32_MAX || k42_inspect(k42_id_ref((k42_id)one->number), &info) < 0)
        return -ENOENT;
    while (metric_name(count))
        count++;
    k42_result result =
        control_begin(control, request->kind, count * sizeof(struct k42_control_counter));
    for (unsigned number = 0; !result && number < count; number++) {
        if (!metric_read(info.id, number, &value))
            continue;
        struct k42_control_counter *counter = control_add(control, sizeof *counter);
        k42_copy_text(counter->name, sizeof counter->name, metric_name(number));
        counter->value = value;
    }
    return result;
}
