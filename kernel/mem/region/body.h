/*
 * What the classes of regions have in common: state, how it is read and changed, and most methods.
 *
 * The state is changed by one thread at a time (region.h) and read by many. `lease` counts changes
 * and is odd during one: who reads takes it first, and again when the state has been read; what is
 * then entered into the HAT is entered under that lease.
 */
#ifndef KERNEL_REGION_BODY_H
#define KERNEL_REGION_BODY_H

#include <errno.h>
#include <k42/k42.h>
#include <stdbool.h>

#include "../../copy.h"
#include "../fcm/fcm.h"
#include "../hat/hat.h"
#include "../machine.h"
#include "../pm/pm.h"
#include "region.h"

#define PAGE_BYTES  MACHINE_PAGE_SIZE
#define LARGE_BYTES MACHINE_TABLE_SPAN

struct region_body {
    struct k42_root root;
    struct region rep;
    uint32_t lease;
    struct region_new state;
};

/* What a fault needs to know. */
struct region_view {
    struct hat_lease lease;
    unsigned protection, flags;
    uint64_t index; /* of the page in the FCM */
    uintptr_t page; /* its address */
    uintptr_t start, end;
    hat_ref hat;
    pm_ref pm;
    fcm_ref fcm; /* null: none */
    k42_ref watcher;
    uintptr_t address; /* what was touched, */
    unsigned access;   /* and how */
};

static inline struct region_body *region_body(struct region *self) {
    return k42_container(self, struct region_body, rep);
}

/* Reads the state and checks the access. Errors: -EACCES; -K42_RETRY, also when the address is not
 * the region's any more. */
K42_MUST_CHECK
k42_result region_look(struct region_body *body, uintptr_t address, unsigned access,
                       struct region_view *view);

/* Brackets a change: nothing is entered under the old state from the first one's return on. */
void region_change_begin(struct region_body *body);
void region_change_end(struct region_body *body);

/* Whether the 2 MiB around the page are all the region's, and large pages may be used. */
bool region_has_block(const struct region_view *view);

/* Gets the FCM's page for a fault, held. Errors: those of get_page. */
K42_MUST_CHECK
k42_result region_get_page(const struct region_view *view, unsigned flags, struct fcm_page *page);
/* The same for one that is only read: with the block it lies in, where the region can map that. */
K42_MUST_CHECK
k42_result region_get_to_read(const struct region_view *view, struct fcm_page *page);

/* Maps an object's page that is held, and lets it go. Errors: those of hat.map. */
K42_MUST_CHECK
k42_result region_map_page(const struct region_view *view, const struct fcm_page *page,
                           unsigned protection);
/* The same; of one that is no block, those of its neighbours that are there, too. */
K42_MUST_CHECK
k42_result region_map_to_read(const struct region_view *view, const struct fcm_page *page);

/* A page is lacking. 0: it is to be made as anywhere, since nobody watches. Else an error: most
 * often -K42_WAIT. */
K42_MUST_CHECK
k42_result region_missing(const struct region_view *view);
/* The page of a copy, or zeros. Moves the cursor only when all of it was copied. */
K42_MUST_CHECK
k42_result region_fill(uint64_t physical, struct copy *copy);

/* ---- methods that all classes have in this form ---- */

k42_result region_init(struct k42_root *root, const void *args);
k42_result region_describe(struct k42_object *self, char *text, size_t size);
k42_result region_mapping(struct region *self, struct space_mapping *mapping);
k42_result region_divide(struct region *self, uintptr_t at, k42_ref *upper);
k42_result region_resize(struct region *self, uintptr_t start, uintptr_t end, enum region_end what);
k42_result region_move(struct region *self, uintptr_t to);
k42_result region_protect(struct region *self, unsigned protection);
k42_result region_set_flags(struct region *self, unsigned set, unsigned clear);
k42_result region_watch(struct region *self, k42_ref watcher);
k42_result region_rename(struct region *self, k42_ref name);
k42_result region_fork(struct region *self, const struct region_heir *heir, k42_ref *child);
k42_result region_close(struct region *self, enum region_end what);

/*
 * The state of a region is its struct region_new, by value. Each class has a format of its own:
 * whether what is written there is seen by others is what a class of regions is, not how it does
 * it.
 */
size_t region_measure(struct k42_root *from);
k42_result region_export(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result region_import(struct k42_root *to, struct k42_state *state, unsigned part);
#define REGION_TRANSFERS(format_)                                                                  \
    {                                                                                              \
        {.format = &(format_),                                                                     \
         .measure = region_measure,                                                                \
         .export_state = region_export,                                                            \
         .import_state = region_import},                                                           \
            {0},                                                                                   \
    }

extern struct k42_class region_private, region_shared;

#endif
