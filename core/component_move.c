/*
 * The instances of a component that is to go become of another class: while no swap that leads to
 * its classes begins, whoever asks for one, so that their number only falls.
 *
 * Owns: nothing. Locking: the caller's, which serialises load and unload; the caller inactive.
 * Fails: with a sentence about the instance that does not become of that class; those that did stay
 * what they are.
 */
#include "component.h"

enum { BATCH = 64, ATTEMPTS = 16, ROUNDS = 64, RESTS = 10000 };
#define REST_NS    1000000ul
#define PATIENT_NS 100000000ul /* nobody waits for it but who asked */

struct batch {
    const struct k42_class *from;
    struct k42_class *to;
    struct k42_swap swaps[BATCH];
    struct k42_swap *requests[BATCH];
    uint32_t count;
};

static long collect(const struct k42_object_info *info, void *context) {
    struct batch *batch = context;
    if (!k42_text_equal(info->class_name, batch->from->name) ||
        info->version != batch->from->version)
        return 0;
    batch->requests[batch->count] = &batch->swaps[batch->count];
    batch->swaps[batch->count++] = (struct k42_swap){.ref = k42_id_ref(info->id),
                                                     .to = batch->to,
                                                     .attempts = ATTEMPTS,
                                                     .deadline_ns = PATIENT_NS};
    return batch->count == BATCH;
}

/* One that is gone is no instance; one that others are swapping is seen again. */
static k42_result outcome(const struct k42_swap *swap, char *why, size_t why_size) {
    const struct k42_swap_report *report = &swap->report;
    if (!report->result || report->result == -K42_STALE || report->result == -EBUSY)
        return 0;
    k42_format_text(why, why_size, "object %u does not become of class %s: %s",
                    k42_ref_id(swap->ref), swap->to->name,
                    report->text[0] ? report->text : k42_error_name(report->result));
    return report->result;
}

static k42_result move_some(struct batch *batch, char *why, size_t why_size) {
    batch->count = 0;
    (void)k42_each_object(batch->from->interface, collect, batch);
    k42_result result = batch->count ? k42_swap_batch(batch->requests, batch->count) : 0;
    for (uint32_t i = 0; result >= 0 && i < batch->count; i++) {
        k42_result one = outcome(&batch->swaps[i], why, why_size);
        result = one < 0 ? one : result;
    }
    return result;
}

static k42_result move_all(const struct k42_module *module, struct batch *batch, char *why,
                           size_t why_size) {
    for (struct k42_class **c = module->classes; c < module->classes_end; c++) {
        batch->from = *c;
        k42_result result = 0;
        for (unsigned round = 0; round < ROUNDS && k42_class_instances(*c, NULL); round++)
            if ((result = move_some(batch, why, why_size)) < 0)
                return result;
    }
    return 0;
}

static bool is_being_swapped(const struct k42_component *component) {
    return k42_load_acquire(&component->counts[K42_LEDGER_SWAPS]) != 0;
}

k42_result k42_component_move(struct k42_component *component, struct k42_class *to, char *why,
                              size_t why_size) {
    struct batch *batch = k42_platform_alloc(sizeof *batch);
    if (!batch) {
        k42_format_text(why, why_size, "out of memory");
        return -ENOMEM;
    }
    batch->to = to;
    k42_classes_set_leaving(component, 1);
    /* Those that began before may still bring one; each ends by its own deadline. */
    k42_result result = k42_swap_flush();
    if (!result)
        result = move_all(component->module, batch, why, why_size);
    for (unsigned rest = 0; !result && rest < RESTS && is_being_swapped(component); rest++) {
        uint32_t never = 0;
        k42_platform_park(&never, 0, REST_NS);
        result = move_all(component->module, batch, why, why_size);
    }
    k42_platform_free(batch);
    return result;
}
