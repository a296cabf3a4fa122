/*
 * State transfer: which format two classes have in common, and moving the state across in parts.
 *
 * Parts are taken from a counter by whoever is there: the ticket's holder, the swapper, callers
 * that would otherwise sleep. Each part is exported and imported by one thread. Nothing is
 * allocated.
 */
#include "transfer.h"
#include "mediator.h"

#include <k42/class.h>

static bool same_format(const struct k42_format *a, const struct k42_format *b) {
    return a->version == b->version && (a == b || k42_text_equal(a->name, b->name));
}

bool k42_transfer_negotiate(const struct k42_class *from, const struct k42_class *to,
                            const struct k42_transfer **exporter,
                            const struct k42_transfer **importer) {
    *exporter = *importer = NULL;
    for (const struct k42_transfer *e = from->transfers; e && e->format; e++) {
        if (!e->export_state || (*exporter && e->format->cost >= (*exporter)->format->cost))
            continue;
        for (const struct k42_transfer *i = to->transfers; i && i->format; i++) {
            if (i->import_state && same_format(e->format, i->format)) {
                *exporter = e;
                *importer = i;
                break;
            }
        }
    }
    return *exporter != NULL;
}

int k42_class_can_become(const struct k42_class *from, const struct k42_class *to) {
    const struct k42_transfer *exporter, *importer;
    return k42_text_equal(from->interface->name, to->interface->name) &&
           k42_transfer_negotiate(from, to, &exporter, &importer);
}

k42_result k42_transfer_prepare(struct k42_mediator *mediator, uint32_t outgrown) {
    struct k42_state *state = &mediator->state;
    *state = (struct k42_state){.format = mediator->exporter->format,
                                .from = mediator->old,
                                .to = mediator->into,
                                .parts = 1,
                                .outgrown = outgrown};
    if (mediator->exporter->measure)
        state->measured = mediator->exporter->measure(mediator->old);
    return mediator->importer->prepare ? mediator->importer->prepare(mediator->into, state) : 0;
}

static void parts_run(struct k42_mediator *mediator) {
    struct k42_state *state = &mediator->state;
    for (;;) {
        uint32_t part = __atomic_fetch_add(&mediator->part_next, 1, __ATOMIC_ACQ_REL);
        if (part >= state->parts)
            return;
        long error = k42_load_relaxed(&mediator->part_error);
        if (!error)
            error = mediator->exporter->export_state(mediator->old, state, part);
        if (error >= 0)
            error = mediator->importer->import_state(mediator->into, state, part);
        if (error < 0)
            k42_store_relaxed(&mediator->part_error, error);
        __atomic_fetch_add(&mediator->parts_done, 1, __ATOMIC_ACQ_REL);
    }
}

void k42_mediator_help(struct k42_mediator *mediator) {
    if (k42_load_acquire(&mediator->transferring))
        parts_run(mediator);
}

k42_result k42_transfer_run(struct k42_mediator *mediator) {
    if (mediator->state.parts > 1) {
        k42_store_release(&mediator->transferring, 1);
        /* Whoever sleeps until the end may as well help to bring it about. */
        k42_platform_wake(&mediator->ended, ~0u >> 1);
    }
    parts_run(mediator);
    for (unsigned step = 0; k42_load_acquire(&mediator->parts_done) < mediator->state.parts; step++)
        k42_back_off(step);
    return k42_load_acquire(&mediator->part_error);
}
