/*
 * The canonical state of an FCM: what every class of FCM can say of itself, and be made from.
 *
 * The importer brings the memory, as much as the exporter has measured; the exporter writes it.
 * Pages come in leaves of 64 words (page_tree.h says what is in a word), in order, in transit or
 * not: a swap finds no call under way, so nobody is just finding a frame.
 *
 * `measured` is two numbers: in the lower 32 bits how many nodes a tree of all pages has, in the
 * upper how many attachments there are.
 */
#ifndef KERNEL_FCM_STATE_H
#define KERNEL_FCM_STATE_H

#include "attachments.h"
#include "file_pages.h"
#include "page_tree.h"

extern const struct k42_format fcm_pages_format;

enum fcm_kind {
    FCM_OF_FILE,
    FCM_OF_DEVICE,
};

struct fcm_state {
    enum fcm_kind kind;
    struct fcm_file file;           /* FCM_OF_FILE */
    struct fcm_registers registers; /* FCM_OF_DEVICE */
    uint64_t clear_first, clear_end;
    unsigned clear_why; /* as in body.h: 0 a hole, 1 a new size, 2 forgotten */
    uint64_t renewal;
    int32_t failure;
    k42_id enlisted;
    struct page_node *spare, *leaves, *last_leaf;    /* chained by `parent` */
    struct attachment *spare_attachments, *attached; /* chained by `left` */
};

/* In k42_state.word[0]: the importer's struct fcm_state. */
static inline struct fcm_state *fcm_state_of(const struct k42_state *state) {
    return (struct fcm_state *)state->word[0];
}

static inline size_t fcm_state_measure(uint64_t nodes, uint64_t attachments) {
    return nodes | attachments << 32;
}

/* The importer's memory. Prepare: 0 or -ENOMEM. */
K42_MUST_CHECK
k42_result fcm_state_prepare(struct k42_state *state, struct fcm_state *memory);
void fcm_state_free(struct fcm_state *memory);

/* The exporter's: false, or -ENOSPC: more has come since it measured. */
k42_result fcm_state_put_attachments(struct fcm_state *memory, const struct attachments *set);
k42_result fcm_state_put_pages(struct fcm_state *memory, const struct page_tree *tree);

#endif
