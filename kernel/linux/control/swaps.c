/*
 * Swaps that programs ask for: handed to the runtime's worker all at once, which shares grace
 * periods among them; the conversation waits until the last has ended.
 *
 * Owns: a record of all swaps of one request, counted: by the conversation until it has told the
 * outcomes or is over, and by each swap that has not ended. Who lets go last frees it, so neither
 * side outlives what it uses. Locking: none but the count.
 *
 * What a swap's report points to may be a component's, which can be unloaded once the swap is over;
 * so outcomes are written down by the worker, as the swaps end. Classes are found and swaps handed
 * in within one active section, which unloading waits for, as it does for swaps handed in.
 *
 * Why no end is missed: the count is lowered by an atomic operation before the notification, and
 * read after the reader is in the table of waiters (sched/wait.h).
 */
#include "control.h"

#include "../../advisor/advisor.h"
#include "../../sched/wait.h"

#include <k42/k42.h>

struct control_swaps {
    uint32_t references; /* the conversation's, and one for each that goes on */
    uint32_t count;
    k42_id file; /* whom to notify */
    struct one {
        struct k42_swap swap;
        struct k42_control_outcome outcome;
    } list[];
};

static void let_go(struct control_swaps *swaps) {
    if (!__atomic_sub_fetch(&swaps->references, 1, __ATOMIC_ACQ_REL))
        k42_platform_free(swaps);
}

static void tell(struct one *one) {
    const struct k42_swap_report *report = &one->swap.report;
    struct k42_control_outcome *told = &one->outcome;
    told->id = k42_ref_id(one->swap.ref);
    told->result = (int32_t)control_result(report->result);
    told->phase = report->phase;
    told->attempts = report->attempts;
    told->holder_thread = report->holder_thread;
    told->holder_object = report->holder_object;
    k42_copy_text(told->holder_name, sizeof told->holder_name, report->holder_name);
    k42_copy_text(told->holder_method, sizeof told->holder_method, report->holder_method);
    told->prepare_ns = report->prepare_ns;
    told->forward_ns = report->forward_ns;
    told->block_ns = report->block_ns;
    told->transfer_ns = report->transfer_ns;
    k42_copy_text(told->to, sizeof told->to, one->swap.to ? one->swap.to->name : NULL);
    k42_copy_text(told->format, sizeof told->format, report->format);
    k42_copy_text(told->text, sizeof told->text, report->text);
}

static void note_end(struct k42_swap *swap) {
    struct control_swaps *swaps = swap->context;
    k42_id file = swaps->file;
    tell(k42_container(swap, struct one, swap));
    let_go(swaps);
    wait_notify(file, CONTROL_SWAPS_ENDED, WAIT_READ, WAIT_ALL);
}

bool control_swaps_go_on(const struct control *control) {
    const struct control_swaps *swaps = control->swaps;
    return swaps && __atomic_load_n(&swaps->references, __ATOMIC_ACQUIRE) > 1;
}

void control_swaps_forget(struct control *control) {
    if (control->swaps)
        let_go(control->swaps);
    control->swaps = NULL;
}

/* ---- asking ---- */

/* What one is to become. 0, or why it cannot be, with a sentence. */
static k42_result choose(const struct k42_control_swap *asked, const struct k42_object_info *info,
                         struct k42_swap *swap) {
    struct k42_class *now = k42_class_find(info->class_name);
    const char *to = asked->to[0] ? asked->to : info->class_name;
    char *text = swap->report.text;
    size_t size = sizeof swap->report.text;
    if (asked->from[0] && !k42_text_equal(asked->from, info->class_name)) {
        k42_format_text(text, size, "object %u is a %s, not a %s", info->id, info->class_name,
                        asked->from);
        return -ESTALE;
    }
    if (!now) {
        k42_format_text(text, size, "object %u is a %s, of which no other can be made", info->id,
                        info->class_name);
        return -ENOTSUP;
    }
    k42_result chosen = 0;
    if (asked->traits[0])
        chosen = k42_select(now->interface, asked->traits, &swap->to);
    else
        swap->to = k42_class_find(to);
    if (chosen < 0) {
        k42_format_text(text, size, "object %u: %s '%s'", info->id,
                        chosen == -EINVAL ? "traits are 'KEY=VALUE ...', not"
                                          : "no class of its interface has the traits",
                        asked->traits);
        return chosen;
    }
    if (!swap->to || !k42_text_equal(swap->to->interface->name, info->interface_name)) {
        k42_format_text(text, size, "object %u is a %s, which has interface %s; %s has not",
                        info->id, info->class_name, info->interface_name, to);
        return -ENOTSUP;
    }
    /* Whoever names an object and a class means it whatever it is when its turn comes. */
    if ((asked->from[0] || !asked->to[0]) && now->version == info->version)
        swap->from = now;
    return 0;
}

/* Fills in a swap, and hands it to the worker; one that is refused has its report. */
static void start(struct control_swaps *swaps, struct one *one, k42_id id,
                  const struct k42_control_swap *asked) {
    struct k42_swap *swap = &one->swap;
    struct k42_object_info info;
    swap->ref = k42_id_ref(id);
    swap->deadline_ns = asked->deadline_ns;
    swap->attempts = asked->attempts;
    swap->done = note_end;
    swap->context = swaps;
    k42_result result = k42_inspect(swap->ref, &info);
    if (result < 0)
        k42_format_text(swap->report.text, sizeof swap->report.text, "there is no object %u", id);
    else
        result = choose(asked, &info, swap);
    if (result >= 0 && (result = advisor_chosen(id)) < 0)
        k42_format_text(swap->report.text, sizeof swap->report.text,
                        "object %u: no memory to remember who chose its class", id);
    if (result >= 0) {
        __atomic_fetch_add(&swaps->references, 1, __ATOMIC_RELAXED);
        result = k42_swap_submit(swap);
        if (result >= 0)
            return;
        __atomic_fetch_sub(&swaps->references, 1, __ATOMIC_RELAXED);
        k42_format_text(swap->report.text, sizeof swap->report.text, "object %u: %s", id,
                        k42_error_name(result));
    }
    swap->report.result = result;
    tell(one);
}

k42_result control_swap(struct control *control, const struct control_request *request) {
    const struct k42_control_swap *asked = request->body;
    if (asked->to[0] && !k42_class_find(asked->to))
        return -ENOENT;
    struct control_swaps *swaps =
        k42_platform_alloc(sizeof *swaps + request->count * sizeof *swaps->list);
    if (!swaps)
        return -ENOMEM;
    swaps->references = 1;
    swaps->count = request->count;
    swaps->file = k42_id_of(control->opened.self);
    control->swaps = swaps;
    for (uint32_t i = 0; i < request->count; i++)
        start(swaps, &swaps->list[i], request->ids[i], asked);
    return 0;
}

/* ---- telling ---- */

k42_result control_swaps_tell(struct control *control) {
    struct control_swaps *swaps = control->swaps;
    k42_result result =
        control_begin(control, K42_CONTROL_SWAP, swaps->count * sizeof(struct k42_control_outcome));
    for (uint32_t i = 0; !result && i < swaps->count; i++)
        *(struct k42_control_outcome *)control_add(control, sizeof(struct k42_control_outcome)) =
            swaps->list[i].outcome;
    if (!result)
        control_swaps_forget(control);
    return result;
}
