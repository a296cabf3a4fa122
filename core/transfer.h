/*
 * Choosing a format for a swap and getting ready for it (transfer.c).
 */
#ifndef K42_CORE_TRANSFER_H
#define K42_CORE_TRANSFER_H

#include "mediator.h"

/* The cheapest format that `from` exports and `to` imports; false: there is none. */
bool k42_transfer_negotiate(const struct k42_class *from, const struct k42_class *to,
                            const struct k42_transfer **exporter,
                            const struct k42_transfer **importer);
/*
 * Measures and lets the importer allocate, the more the oftener the state has outgrown it in this
 * swap. May wait; calls in the old object continue.
 */
k42_result k42_transfer_prepare(struct k42_mediator *mediator, uint32_t outgrown);

#endif
