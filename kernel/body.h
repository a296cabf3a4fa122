/*
 * Objects whose whole state is one block of memory, their body: nodes, files, pipes, tables of
 * descriptors, processes, address spaces and their page tables, PMs, terminals.
 *
 * The object itself is a root, a representative and a pointer. Exchanging it for one of another
 * class hands the pointer over, whatever the body's size; the format says what the body is. The
 * body belongs to the object that its pointer is in: whoever has it when its root ends, ends it.
 * A class made to take a place over has none yet: its `init` gets NULL.
 */
#ifndef KERNEL_BODY_H
#define KERNEL_BODY_H

#include <k42/class.h>

struct body_object {
    struct k42_root root;
    struct k42_object rep;
    void *body;
};

/* In a method: the body, and the root. */
#define BODY(self)      (k42_container(self, struct body_object, rep)->body)
#define BODY_ROOT(self) (&k42_container(self, struct body_object, rep)->root)

/* For `init`: `args` is the body, which is the maker's again when k42_create() fails. */
k42_result body_init(struct k42_root *root, const void *args);

/* For `fini`: what has to be ended, NULL when it was handed over. */
static inline void *body_of_root(struct k42_root *root) {
    return k42_container(root, struct body_object, root)->body;
}

k42_result body_export(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result body_import(struct k42_root *to, struct k42_state *state, unsigned part);
void body_handed_over(struct k42_root *from, struct k42_state *state);

/* The members of a class of such objects that are the same in all. */
#define BODY_LAYOUT BODY_OBJECT, .init = body_init
/* The same for a class whose `init` makes the body, and ends with body_init(). */
#define BODY_OBJECT                                                                                \
    .kind = &k42_single, .root_size = sizeof(struct body_object),                                  \
    .rep_offset = offsetof(struct body_object, rep)

/* The transfers of a class, in one format: word 0 is the body. */
#define BODY_TRANSFERS(format_) BODY_TRANSFERS_WITH(format_, body_import)
/* With an import of the class's own, which ends with body_import(). */
#define BODY_TRANSFERS_WITH(format_, import_)                                                      \
    {                                                                                              \
        {.format = &(format_),                                                                     \
         .export_state = body_export,                                                              \
         .import_state = (import_),                                                                \
         .handed_over = body_handed_over},                                                         \
            {0},                                                                                   \
    }

#endif
