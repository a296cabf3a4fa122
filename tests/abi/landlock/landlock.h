/*
 * What the cases of Landlock share: a ruleset, and what it allows.
 */
#ifndef ABI_LANDLOCK_H
#define ABI_LANDLOCK_H

#include "../abi.h"

#include <linux/landlock.h>

static inline int ruleset_of(uint64_t handled) {
    return (int)abi_call(landlock_create_ruleset, &handled, sizeof handled, 0);
}

static inline void allow(int ruleset, uint64_t rights, const char *path) {
    struct landlock_path_beneath_attr rule = {rights, open(path, O_PATH)};
    if (abi_call(landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0))
        give_up("rule");
    close(rule.parent_fd);
}

#endif
