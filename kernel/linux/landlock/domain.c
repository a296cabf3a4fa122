/*
 * Domains: layers of rules, and what they say about a place. See landlock.h.
 *
 * What is asked for is kept by layer: the rights that it handles and that no rule has given yet. On
 * the way up from the place each rule of each layer takes some off, until nothing lacks or there is
 * nothing above.
 *
 * A name that moves must not bring what has it more rights than it had, in any layer; so there all
 * rights are asked for, of both directories, and compared. Below the mount's root each is looked at
 * by itself, from there on both have the same above them.
 *
 * A layer's rules end with it; its own memory a grace period later, for those who compare domains
 * of others.
 */
#include "landlock.h"

#include "../../fs/mount.h"
#include "../../fs/values.h"
#include "platform.h"
#include "rules.h"

#include <errno.h>
#include <k42/k42.h>

struct landlock_domain {
    uint32_t references; /* atomic */
    uint32_t depth;      /* 1: the first */
    uint32_t handled;
    struct landlock_domain *before; /* held */
    struct rules *rules;            /* held */
    struct k42_defer defer;
};

struct landlock_domain *landlock_hold(struct landlock_domain *domain) {
    if (domain)
        __atomic_fetch_add(&domain->references, 1, __ATOMIC_RELAXED);
    return domain;
}

static void free_domain(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct landlock_domain, defer));
}

void landlock_release(struct landlock_domain *domain) {
    while (domain && !__atomic_sub_fetch(&domain->references, 1, __ATOMIC_ACQ_REL)) {
        struct landlock_domain *before = domain->before;
        rules_release(domain->rules);
        k42_defer(&domain->defer, free_domain);
        domain = before;
    }
}

struct landlock_domain *landlock_add_layer(struct landlock_domain *before, struct rules *rules,
                                           uint32_t handled) {
    struct landlock_domain *domain = k42_platform_alloc(sizeof *domain);
    if (!domain)
        return NULL;
    domain->references = 1;
    domain->depth = landlock_layers(before) + 1;
    domain->handled = handled;
    domain->before = before;
    domain->rules = rules;
    return domain;
}

unsigned landlock_layers(const struct landlock_domain *domain) {
    return domain ? domain->depth : 0;
}

bool landlock_contains(const struct landlock_domain *tracer, const struct landlock_domain *tracee) {
    while (tracer && tracee && tracee != tracer)
        tracee = tracee->before;
    return tracee == tracer || !tracer;
}

uint32_t landlock_right_to_make(uint32_t mode) {
    switch (mode & MODE_TYPE) {
    case MODE_DIRECTORY:
        return LANDLOCK_ACCESS_FS_MAKE_DIR;
    case MODE_LINK:
        return LANDLOCK_ACCESS_FS_MAKE_SYM;
    case MODE_CHARACTER:
        return LANDLOCK_ACCESS_FS_MAKE_CHAR;
    case MODE_BLOCK:
        return LANDLOCK_ACCESS_FS_MAKE_BLOCK;
    case MODE_FIFO:
        return LANDLOCK_ACCESS_FS_MAKE_FIFO;
    case MODE_SOCKET:
        return LANDLOCK_ACCESS_FS_MAKE_SOCK;
    default:
        return LANDLOCK_ACCESS_FS_MAKE_REG;
    }
}

/* ---- what is asked for ---- */

struct asked {
    const struct landlock_domain *domain;
    uint16_t lacks[LANDLOCK_LAYERS_MOST]; /* by depth, from 1 */
};

/* To bring something elsewhere is forbidden by every layer, whether it knows of that or not. */
static void ask(struct asked *asked, uint32_t rights) {
    *asked = (struct asked){.domain = task_self()->landlock};
    for (const struct landlock_domain *at = asked->domain; at; at = at->before)
        asked->lacks[at->depth - 1] = (uint16_t)((at->handled | LANDLOCK_ACCESS_FS_REFER) & rights);
}

/* Which of some rights are lacking in any layer. */
static uint32_t lacking(const struct asked *asked, uint32_t rights) {
    uint32_t all = 0;
    for (unsigned n = 0; n < asked->domain->depth; n++)
        all |= asked->lacks[n];
    return all & rights;
}

static void meet(struct asked *asked, node_ref node) {
    for (const struct landlock_domain *at = asked->domain; at; at = at->before)
        asked->lacks[at->depth - 1] &= (uint16_t)~rules_of(at->rules, node);
}

/*
 * Goes to the directory above, `known` or as the node says, past roots of mounts and what they
 * stand on. 1; 0: there is none.
 */
static k42_result climb(struct place *at, node_ref known) {
    char name[NODE_NAME_MAX];
    if (at->node != at->mount->root && known) {
        at->node = known;
        return 1;
    }
    while (at->node == at->mount->root)
        if (!mount_ascend(at))
            return 0;
    struct k42_pair above = k42_call(at->node, name, name, sizeof name);
    if (above.result < 0 && (above.result != -ENOENT || !above.word))
        return above.result == -ENOENT ? 0 : above.result;
    at->node = (node_ref)above.word;
    return 1;
}

k42_result landlock_check(const struct place *place, node_ref above, uint32_t rights) {
    struct place at = *place;
    struct asked asked;
    if (!place->mount) /* a pipe, a memory file: nothing that could be named */
        return 0;
    ask(&asked, rights);
    while (lacking(&asked, rights)) {
        meet(&asked, at.node);
        if (!lacking(&asked, rights))
            return 0;
        k42_result result = climb(&at, above);
        if (result <= 0)
            return result < 0 ? result : -EACCES;
        above = (node_ref)K42_NULL_REF;
    }
    return 0;
}

/* ---- moves ---- */

/* One of what changes its directory: its own rules, and all that is asked of where it comes to. */
struct mover {
    struct asked own;
    bool is_directory;
};

static k42_result look_at(struct mover *mover, node_ref node, uint32_t *mode) {
    struct node_attributes attributes;
    k42_result result = k42_call(node, attributes, &attributes);
    if (result < 0)
        return result;
    *mode = attributes.mode;
    mover->is_directory = (attributes.mode & MODE_TYPE) == MODE_DIRECTORY;
    ask(&mover->own, LANDLOCK_ALL);
    meet(&mover->own, node);
    return 0;
}

/* Whether nothing that it lacks where it comes from, by itself and by its directory, is given where
 * it comes to. */
static bool gains_nothing(const struct mover *mover, const struct asked *from,
                          const struct asked *to) {
    uint32_t which = mover->is_directory ? LANDLOCK_ALL : LANDLOCK_OF_FILES;
    for (unsigned n = 0; n < from->domain->depth; n++)
        if (from->lacks[n] & mover->own.lacks[n] & which & ~(uint32_t)to->lacks[n])
            return false;
    return true;
}

/* From a directory to its mount's root; without one nothing is given. */
static k42_result collect(struct asked *asked, const struct place *directory) {
    struct place at = *directory;
    ask(asked, LANDLOCK_ALL);
    if (at.node)
        meet(asked, at.node);
    while (at.node && at.node != at.mount->root) {
        k42_result result = climb(&at, (node_ref)K42_NULL_REF);
        if (result <= 0)
            return result;
        meet(asked, at.node);
    }
    return 0;
}

struct two_sides {
    struct mover old, displaced;
    struct asked from, to;
    uint32_t of_from, of_to; /* which rights it takes there */
    bool swaps;
};

static bool nobody_gains(const struct two_sides *two) {
    return gains_nothing(&two->old, &two->from, &two->to) &&
           (!two->swaps || gains_nothing(&two->displaced, &two->to, &two->from));
}

static bool all_is_given(const struct two_sides *two) {
    return !lacking(&two->from, two->of_from) && !lacking(&two->to, two->of_to);
}

/* Once nobody gains anything, which rules further up cannot change, what it takes is all that
 * counts; and where a directory gives everything, nothing is gained by leaving it. */
static k42_result compare(struct two_sides *two, struct mount *mount) {
    struct place at = {mount, mount->root};
    bool safe = nobody_gains(two);
    while (!(safe && all_is_given(two))) {
        k42_result result = climb(&at, (node_ref)K42_NULL_REF);
        if (result < 0)
            return result;
        if (!result)
            break;
        meet(&two->from, at.node);
        meet(&two->to, at.node);
        safe = safe || nobody_gains(two);
    }
    uint32_t refer = LANDLOCK_ACCESS_FS_REFER;
    if (safe && all_is_given(two))
        return 0;
    return lacking(&two->from, two->of_from & ~refer) || lacking(&two->to, two->of_to & ~refer)
               ? -EACCES
               : -EXDEV;
}

/* Which rights are needed where it comes from, and where it goes to. */
static k42_result needs(struct two_sides *two, const struct landlock_move *move) {
    uint32_t mode, other = 0;
    k42_result result = look_at(&two->old, move->old, &mode);
    if (result >= 0 && move->displaced)
        result = look_at(&two->displaced, move->displaced, &other);
    if (result < 0)
        return result;
    two->swaps = move->swaps;
    two->of_from = move->swaps ? landlock_right_to_make(other) : 0;
    two->of_to = landlock_right_to_make(mode);
    if (move->removes)
        two->of_from |= landlock_right_to_remove(two->old.is_directory);
    if (move->removes && move->displaced)
        two->of_to |= landlock_right_to_remove(two->displaced.is_directory);
    return 0;
}

/* That of any of its names, for who came by a descriptor. */
static k42_result directory_of(node_ref node, struct place *directory) {
    char name[NODE_NAME_MAX];
    struct k42_pair above = k42_call(node, name, name, sizeof name);
    if (above.result >= 0 || above.result == -ENOENT)
        directory->node = (node_ref)above.word;
    return above.result == -ENOENT ? 0 : above.result;
}

k42_result landlock_check_move(const struct landlock_move *move) {
    struct two_sides two = {0};
    struct place from = move->from;
    k42_result result = needs(&two, move);
    if (result >= 0 && !from.node)
        result = directory_of(move->old, &from);
    if (result < 0)
        return result;
    if (from.node == move->to.node)
        return landlock_check(&move->to, (node_ref)K42_NULL_REF, two.of_from | two.of_to);
    two.of_from |= LANDLOCK_ACCESS_FS_REFER;
    two.of_to |= LANDLOCK_ACCESS_FS_REFER;
    result = collect(&two.from, &from);
    if (result >= 0)
        result = collect(&two.to, &move->to);
    return result < 0 ? result : compare(&two, move->to.mount);
}
