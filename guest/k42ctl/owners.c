/*
 * Which process or file an object belongs to: what the kernel tells of all processes, and an index
 * of it by object.
 *
 * Owns: both, for the program's life.
 */
#include "k42ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place {
    uint32_t id;
    uint32_t part;
    const struct k42_control_owned *owned;
};

static struct {
    char *bytes;
    size_t size, count;
    struct place *index; /* by id */
    size_t indexed;
} told;

const struct k42_control_owned *owned_next(const struct k42_control_owned *owned) {
    const char *at = owned ? (const char *)owned + owned->length : told.bytes;
    return at < told.bytes + told.size ? (const struct k42_control_owned *)(const void *)at : NULL;
}

uint32_t owned_part(const struct k42_control_owned *owned, unsigned part, const char **name) {
    static const char *const roles[] = {
        [K42_CONTROL_PROCESS] = "process",         [K42_CONTROL_SPACE] = "address space",
        [K42_CONTROL_DESCRIPTORS] = "descriptors", [K42_CONTROL_OPEN] = "open file",
        [K42_CONTROL_MAPPED] = "mapped file",
    };
    const char *names[OWNED_PARTS] = {roles[owned->role], "node", "page cache", "behind"};
    const uint32_t ids[OWNED_PARTS] = {owned->object, owned->node, owned->cache, owned->medium};
    *name = names[part];
    return ids[part];
}

static int by_id(const void *a, const void *b) {
    const struct place *one = a, *other = b;
    if (one->id != other->id)
        return one->id < other->id ? -1 : 1;
    return one->owned < other->owned ? -1 : one->owned > other->owned;
}

static void make_index(void) {
    const char *name;
    told.index = allocate((told.count * OWNED_PARTS + 1) * sizeof *told.index);
    for (const struct k42_control_owned *owned = NULL; (owned = owned_next(owned));)
        for (unsigned part = 0; part < OWNED_PARTS; part++) {
            uint32_t id = owned_part(owned, part, &name);
            if (id)
                told.index[told.indexed++] = (struct place){id, part, owned};
        }
    qsort(told.index, told.indexed, sizeof *told.index, by_id);
}

void owners_load(int pid) {
    struct k42_control_filter filter = {.pid = pid};
    told.bytes = ask_all(K42_CONTROL_OWNERS, &filter, &told.size, &told.count);
    told.indexed = 0;
    make_index();
}

bool owner_of(uint32_t id, size_t n, struct owner *owner) {
    size_t low = 0, high = told.indexed;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (told.index[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    if (low + n >= told.indexed || told.index[low + n].id != id)
        return false;
    owner->owned = told.index[low + n].owned;
    (void)owned_part(owner->owned, told.index[low + n].part, &owner->part);
    return true;
}

const char *process_name(int pid) {
    for (const struct k42_control_owned *owned = NULL; (owned = owned_next(owned));)
        if (owned->pid == pid && owned->role == K42_CONTROL_PROCESS)
            return owned->name;
    return "?";
}

const char *file_text(const struct k42_control_owned *owned) {
    return owned->flags & K42_CONTROL_HIDDEN ? "(not yours)" : owned->name;
}

const char *owner_text(const struct owner *owner) {
    static char text[4200];
    const struct k42_control_owned *owned = owner->owned;
    const char *process = process_name(owned->pid);
    const char *of = strcmp(owner->part, "behind") ? " of" : "";
    if (owned->role == K42_CONTROL_OPEN)
        snprintf(text, sizeof text, "%s%s %s, descriptor %lu of %s (%d)", owner->part, of,
                 file_text(owned), owned->number, process, owned->pid);
    else if (owned->role == K42_CONTROL_MAPPED)
        snprintf(text, sizeof text, "%s%s %s, mapped by %s (%d)", owner->part, of, file_text(owned),
                 process, owned->pid);
    else
        snprintf(text, sizeof text, "%s of %s (%d)", owner->part, process, owned->pid);
    return text;
}
