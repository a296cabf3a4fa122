/*
 * Rules of Landlock: which rights a file or directory gives, for itself and all below it.
 *
 * A table by node, open-addressed; it holds its nodes, so a rule is about that very file for as
 * long as there is the table. Counted by the ruleset and the layers that have it, and not changed
 * any more once there are two of them: who wants to add to it copies it first.
 *
 * Who adds keeps others from it (ruleset.c); looking up takes no lock. Fails: -ENOMEM.
 */
#ifndef KERNEL_LANDLOCK_RULES_H
#define KERNEL_LANDLOCK_RULES_H

#include "../../fs/node.h"

struct rules;

/* NULL is a table without rules. */
struct rules *rules_hold(struct rules *rules);
void rules_release(struct rules *rules);

/* Adds rights to what a node gives. *rules may be another one afterwards. Errors: -ENOMEM,
 * -K42_STALE: the node is going. */
K42_MUST_CHECK
k42_result rules_add(struct rules **rules, node_ref node, uint32_t rights);

/* What a node gives, 0: nothing. */
uint32_t rules_of(const struct rules *rules, node_ref node);

#endif
