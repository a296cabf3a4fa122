/*
 * The table of a ruleset's rules. See rules.h.
 *
 * At most half of the cells are used. A table that is full, or has others who look at it, is
 * replaced by a copy, which holds the nodes once more.
 */
#include "rules.h"

#include "platform.h"

#include <errno.h>
#include <k42/k42.h>

enum { FIRST_CELLS = 8 };

struct rule {
    node_ref node; /* null: none */
    uint32_t rights;
};

struct rules {
    uint32_t references; /* atomic */
    uint32_t count, cells;
    struct rule cell[];
};

static struct rules *make(uint32_t cells) {
    struct rules *rules = k42_platform_alloc(sizeof *rules + cells * sizeof rules->cell[0]);
    if (!rules)
        return NULL;
    rules->references = 1;
    rules->cells = cells;
    return rules;
}

struct rules *rules_hold(struct rules *rules) {
    if (rules)
        __atomic_fetch_add(&rules->references, 1, __ATOMIC_RELAXED);
    return rules;
}

void rules_release(struct rules *rules) {
    if (!rules || __atomic_sub_fetch(&rules->references, 1, __ATOMIC_ACQ_REL))
        return;
    for (uint32_t n = 0; n < rules->cells; n++)
        if (rules->cell[n].node)
            (void)k42_call(rules->cell[n].node, release);
    k42_platform_free(rules);
}

/* The cell of a node, or the empty one where it would be. */
static uint32_t find(const struct rules *rules, node_ref node) {
    uint64_t hash = (uintptr_t)node * 0x9e3779b97f4a7c15u;
    uint32_t mask = rules->cells - 1, at = (uint32_t)(hash >> 32) & mask;
    while (rules->cell[at].node && rules->cell[at].node != node)
        at = (at + 1) & mask;
    return at;
}

uint32_t rules_of(const struct rules *rules, node_ref node) {
    return rules ? rules->cell[find(rules, node)].rights : 0;
}

/* All of it in a new table, with holds of its own; what is going gives nothing any more. */
static struct rules *copy(const struct rules *rules, uint32_t cells) {
    struct rules *to = make(cells);
    for (uint32_t n = 0; to && n < rules->cells; n++) {
        const struct rule *rule = &rules->cell[n];
        if (rule->node && k42_call(rule->node, hold) >= 0) {
            to->cell[find(to, rule->node)] = *rule;
            to->count++;
        }
    }
    return to;
}

k42_result rules_add(struct rules **rules, node_ref node, uint32_t rights) {
    struct rules *all = *rules;
    if (!all && !(*rules = all = make(FIRST_CELLS)))
        return -ENOMEM;
    bool is_full = 2 * (all->count + 1) > all->cells;
    if (is_full || __atomic_load_n(&all->references, __ATOMIC_RELAXED) > 1) {
        struct rules *more = copy(all, is_full ? 2 * all->cells : all->cells);
        if (!more)
            return -ENOMEM;
        rules_release(all);
        *rules = all = more;
    }
    struct rule *rule = &all->cell[find(all, node)];
    k42_result result = rule->node ? 0 : k42_call(node, hold);
    if (result < 0)
        return result;
    all->count += !rule->node;
    rule->node = node;
    rule->rights |= rights;
    return 0;
}
