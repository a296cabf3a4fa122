/*
 * Objects of runs, as the files that give them policies and take those away share them: the record
 * of each, and swaps that are asked for together. All with the components' turn.
 */
#ifndef KERNEL_POLICY_OBJECTS_H
#define KERNEL_POLICY_OBJECTS_H

#include "run.h"

#include <errno.h>

enum { POLICY_TOGETHER = 64 };
#define POLICY_PATIENT_NS 20000000ul

/* ---- objects.c ---- */

/* Where the record of an object is, or would be. */
struct policy_object **policy_object_find(k42_id id);
/* Makes one, with a hook around the object. Errors: -ENOMEM, or why it takes no hook. */
K42_MUST_CHECK
k42_result policy_object_note(struct policy_run *run, k42_id id,
                              const struct k42_object_info *info);
/* From the table and the list; its memory follows when no call is inside the hook any more. */
void policy_object_drop(struct policy_object *object);
/* It is another run's from now on. */
void policy_object_move(struct policy_object *object, struct policy_run *run);

/* A registered class; NULL: there is none. */
struct k42_class *policy_class_named(const char *name, uint32_t version);
/* Whether an object is of that class and version; no object is of NULL. */
bool policy_is_of(const struct k42_object_info *info, const struct k42_class *class_);

/* ---- swaps that are asked for together ---- */

struct policy_change {
    struct k42_swap swap;
    struct policy_object *object;
    struct policy_run *previous; /* whose it was */
};

struct policy_changes {
    struct policy_change *list;
    struct k42_swap *asked[POLICY_TOGETHER];
    uint32_t count;
};

/* False: no memory. */
bool policy_changes_open(struct policy_changes *changes);
struct policy_change *policy_changes_add(struct policy_changes *changes, k42_id id,
                                         struct k42_class *from, struct k42_class *to);
/* Makes them all; each has its report then. */
void policy_changes_make(const struct policy_changes *changes);
void policy_changes_close(struct policy_changes *changes);

static inline bool policy_is_gone(k42_result result) {
    return result == -K42_STALE || result == -ESTALE;
}

#endif
