/*
 * What programs see of the advisors, and how they are told what to do.
 *
 * No state. Fails: EOPNOTSUPP in a kernel that is built without advisors.
 */
#include "control.h"

#include "../../advisor/advisor.h"

#include <k42/k42.h>

enum { ADVISORS_ROOM = 16, DECISIONS_ROOM = 128 };

static void tell(const struct advisor_told *from, struct k42_control_advisor *told) {
    k42_copy_text(told->name, sizeof told->name, from->name);
    k42_copy_text(told->about, sizeof told->about, from->about);
    k42_copy_text(told->unit, sizeof told->unit, from->unit);
    told->mode = from->mode;
    told->saw = from->saw;
    told->watched = from->watched;
    told->advised = from->advised;
    told->changed = from->changed;
    told->settled = from->settled;
    told->undone = from->undone;
    told->returned = from->returned;
    told->failed = from->failed;
    told->measured = from->measured;
    told->before = from->before;
    told->after = from->after;
}

k42_result control_advisors(struct control *control, const struct control_request *request) {
    struct advisor_told from;
    struct k42_control_advisor *told;
    if (!advisor_tell(0, &from))
        return -EOPNOTSUPP;
    k42_result result = control_begin(control, request->kind, ADVISORS_ROOM * sizeof *told);
    for (unsigned n = 0; !result && advisor_tell(n, &from); n++)
        if ((told = control_add(control, sizeof *told)))
            tell(&from, told);
    return result;
}

static void tell_decision(const struct advisor_decision *from, struct k42_control_decision *told) {
    uint64_t now = k42_platform_now_ns();
    told->number = from->number;
    told->age_ns = now > from->ns ? now - from->ns : 0;
    told->object = from->id;
    told->deed = from->deed;
    told->result = (int32_t)control_result(from->result);
    told->times = from->times;
    told->before = from->before;
    told->after = from->after;
    k42_copy_text(told->advisor, sizeof told->advisor, from->advisor);
    k42_copy_text(told->from, sizeof told->from, from->from);
    k42_copy_text(told->to, sizeof told->to, from->to);
    k42_copy_text(told->reason, sizeof told->reason, from->reason);
}

k42_result control_decisions(struct control *control, const struct control_request *request) {
    const struct k42_control_filter *filter = request->body;
    struct advisor_decision from;
    struct k42_control_decision *told;
    uint64_t next = filter->from;
    if (!advisor_tell(0, &(struct advisor_told){0}))
        return -EOPNOTSUPP;
    k42_result result = control_begin(control, request->kind, DECISIONS_ROOM * sizeof *told);
    for (; !result && (next = advisor_decision(next, &from)); next++)
        if ((told = control_add(control, sizeof *told)))
            tell_decision(&from, told);
    return result;
}

k42_result control_advise(struct control *control, const struct control_request *request) {
    const struct k42_control_advise *asked = request->body;
    if (!advisor_tell(0, &(struct advisor_told){0}))
        return -EOPNOTSUPP;
    k42_result result = advisor_set(asked->name, (enum advisor_mode)asked->mode);
    return result < 0 ? result : control_advisors(control, request);
}
