/*
 * Telling people how a swap went (swap_report.c).
 */
#ifndef K42_CORE_SWAP_REPORT_H
#define K42_CORE_SWAP_REPORT_H

#include "mediator.h"

/* A request that was refused before anything was put in place; `from` is NULL when the object was
 * dead or another swap's. */
void k42_swap_explain_refusal(struct k42_swap *request, const struct k42_class *from,
                              k42_result result);
/* One that came to an end. */
void k42_swap_explain(struct k42_swap *request, const struct k42_mediator *mediator,
                      k42_result result);

#endif
