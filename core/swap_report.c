/*
 * Reports of swaps: numbers for programs, a sentence for people.
 */
#include "swap_report.h"

/* Without the class's name where there may be none any more. */
static void explain_untouched(struct k42_swap *request, k42_result result) {
    struct k42_swap_report *report = &request->report;
    k42_id id = k42_ref_id(request->ref);
    if (result == -EBUSY)
        k42_format_text(report->text, sizeof report->text,
                        "object %u is being swapped already, so not to %s; try again later", id,
                        request->to->name);
    else if (result == -ENOENT)
        k42_format_text(report->text, sizeof report->text,
                        "object %u: the class it is to become is not registered, or its component "
                        "is being unloaded",
                        id);
    else
        k42_format_text(report->text, sizeof report->text,
                        "object %u is dead, or of another class by now", id);
}

void k42_swap_explain_refusal(struct k42_swap *request, const struct k42_class *from,
                              k42_result result) {
    struct k42_swap_report *report = &request->report;
    k42_id id = k42_ref_id(request->ref);
    if (!from) {
        explain_untouched(request, result);
        return;
    }
    switch (result) {
    case -ENOTSUP:
        k42_format_text(report->text, sizeof report->text,
                        "object %u: no format that %s exports and %s imports, or no adaptor "
                        "between their interfaces",
                        id, from->name, request->to->name);
        break;
    case -ESTALE:
        k42_format_text(report->text, sizeof report->text,
                        "object %u is of another class by now: %s", id, from->name);
        break;
    default:
        k42_format_text(report->text, sizeof report->text, "object %u: making a %s failed: %s", id,
                        request->to->name, k42_error_name(result));
    }
}

static void explain_holder(struct k42_swap_report *report, const struct k42_suspect *holder) {
    report->holder_thread = holder->thread;
    report->holder_object = holder->object;
    k42_copy_text(report->holder_name, sizeof report->holder_name, holder->name);
    k42_copy_text(report->holder_method, sizeof report->holder_method, holder->method);
}

void k42_swap_explain(struct k42_swap *request, const struct k42_mediator *mediator,
                      k42_result result) {
    struct k42_swap_report *report = &request->report;
    report->calls = k42_load_relaxed(&mediator->calls);
    report->prepare_ns = mediator->placed_ns - mediator->begun_ns;
    if (mediator->blocked_ns) {
        report->forward_ns = mediator->blocked_ns - mediator->placed_ns;
        if (mediator->closed_ns) {
            report->block_ns = mediator->closed_ns - mediator->blocked_ns;
            report->transfer_ns = mediator->ended_ns - mediator->closed_ns;
        }
    }
    if (!result) {
        report->phase = K42_SWAP_DONE;
        k42_format_text(report->text, sizeof report->text, "object %u is a %s now, by format %s",
                        mediator->id, request->to->name, report->format);
    } else if (result == -ETIMEDOUT && mediator->holder.thread) {
        explain_holder(report, &mediator->holder);
        k42_format_text(report->text, sizeof report->text,
                        "object %u: deadline passed while %s, held up by thread %u (%s)%s%s",
                        mediator->id,
                        report->phase == K42_SWAP_FORWARD ? "older calls went on"
                                                          : "calls were being waited for",
                        report->holder_thread, report->holder_name,
                        report->holder_method[0] ? " in " : "", report->holder_method);
    } else {
        if (result != -ETIMEDOUT)
            report->phase = K42_SWAP_TRANSFER;
        k42_format_text(report->text, sizeof report->text,
                        "object %u goes on as it was: the swap to %s failed with %s", mediator->id,
                        request->to->name, k42_error_name(result));
    }
}
