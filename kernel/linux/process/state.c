/*
 * Handing a process over to another class: by pointer, or in the canonical format (body.h).
 *
 * In the canonical format the importer brings all memory, for as many children as were measured and
 * a few more; until the import its records wait in the list of children. More have come since:
 * -ENOSPC, and it is measured again. From the import on signals that are queued are the importer's;
 * the exporter keeps its own block and records, and ends with them.
 *
 * Owns nothing. No locks but to measure: no call is inside.
 */
#include "body.h"

#include "../../mem/heap/heap.h"

#include <errno.h>

enum { TO_SPARE = 4 };

const struct k42_format process_format = {"process.body", 1, 1};
const struct k42_format process_state_format = {"process.state", 1, 100};

size_t process_measure(struct k42_root *from) {
    struct process_body *body = body_of_root(from);
    size_t count = 0;
    k42_lock(&body->lock);
    for (const struct child_record *record = body->children; record; record = record->next)
        count++;
    k42_unlock(&body->lock);
    return count;
}

k42_result process_prepare_sized(struct k42_root *to, struct k42_state *state, size_t size,
                                 const struct family *family) {
    struct process_body *body = heap_allocate_zeroed(size);
    if (!body)
        return -ENOMEM;
    for (size_t n = 0; n < k42_state_room(state, state->measured) + TO_SPARE; n++) {
        struct child_record *record = heap_allocate_zeroed(family->record_size);
        if (!record) {
            process_free(body);
            return -ENOMEM;
        }
        record->next = body->children;
        body->children = record;
    }
    return body_init(to, body);
}

static bool is_enough(const struct child_record *records, const struct child_record *wanted) {
    for (; wanted && records; wanted = wanted->next)
        records = records->next;
    return !wanted;
}

k42_result process_import_family(struct k42_root *to, struct k42_state *state,
                                 const struct family *family) {
    const struct process_body *from = (const struct process_body *)state->word[0];
    struct process_body *body = body_of_root(to);
    struct child_record *mine = body->children;
    if (!is_enough(mine, from->children))
        return -ENOSPC;
    *body = *from;
    body->lock = (struct k42_lock){0};
    body->children = body->last_child = NULL;
    body->news = 0;
    for (const struct child_record *record = from->children; record; record = record->next) {
        struct child_record *next = mine->next;
        mine->child = record->child;
        process_add_record(body, mine, family);
        mine = next;
    }
    process_free_records(mine);
    return 0;
}

void process_given(struct k42_root *from, struct k42_state *state) {
    struct process_body *body = body_of_root(from);
    (void)state;
    body->pending = (struct signal_queue){0};
}

/* ---- of a class without state of its own ---- */

k42_result process_prepare(struct k42_root *to, struct k42_state *state) {
    return process_prepare_sized(to, state, sizeof(struct process_body), &process_family);
}

k42_result process_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    return process_import_family(to, state, &process_family);
}
