/*
 * Carrying an FCM's canonical state: the importer's memory, and filling it.
 */
#include "state.h"

#include "../heap/heap.h"

#include <errno.h>

const struct k42_format fcm_pages_format = {.name = "fcm.pages", .version = 1, .cost = 100};

/* Besides the exporter's nodes: one that a tree grown from the left may need more. */
#define NODES_TO_SPARE 1u

static k42_result make(struct fcm_state *memory, uint64_t nodes, uint64_t attachments) {
    for (uint64_t i = 0; i < nodes + NODES_TO_SPARE; i++) {
        struct page_node *node = page_node_make();
        if (!node)
            return -ENOMEM;
        node->parent = memory->spare;
        memory->spare = node;
    }
    for (uint64_t i = 0; i < attachments; i++) {
        struct attachment *one = heap_allocate(sizeof *one);
        if (!one)
            return -ENOMEM;
        one->left = memory->spare_attachments;
        memory->spare_attachments = one;
    }
    return 0;
}

k42_result fcm_state_prepare(struct k42_state *state, struct fcm_state *memory) {
    fcm_state_free(memory);
    state->word[0] = (uintptr_t)memory;
    return make(memory, k42_state_room(state, (uint32_t)state->measured),
                k42_state_room(state, state->measured >> 32));
}

static void free_attachments(struct attachment *list) {
    while (list) {
        struct attachment *next = list->left;
        heap_free(list);
        list = next;
    }
}

void fcm_state_free(struct fcm_state *memory) {
    page_nodes_free(memory->spare);
    page_nodes_free(memory->leaves);
    free_attachments(memory->spare_attachments);
    free_attachments(memory->attached);
    *memory = (struct fcm_state){.kind = FCM_OF_FILE};
}

/* ---- exporting ---- */

static k42_result put_attachment(const struct fcm_attachment *what, void *context) {
    struct fcm_state *memory = context;
    struct attachment *one = memory->spare_attachments;
    if (!one)
        return -ENOSPC;
    memory->spare_attachments = one->left;
    one->what = *what;
    one->left = memory->attached;
    memory->attached = one;
    return 0;
}

k42_result fcm_state_put_attachments(struct fcm_state *memory, const struct attachments *set) {
    return attachments_each(set, put_attachment, memory);
}

static struct page_node *next_leaf(struct fcm_state *memory, uint64_t base) {
    struct page_node *leaf = memory->spare;
    if (!leaf)
        return NULL;
    memory->spare = leaf->parent;
    leaf->parent = NULL;
    leaf->base = base;
    if (memory->last_leaf)
        memory->last_leaf->parent = leaf;
    else
        memory->leaves = leaf;
    return memory->last_leaf = leaf;
}

k42_result fcm_state_put_pages(struct fcm_state *memory, const struct page_tree *tree) {
    struct page_node *leaf = NULL;
    for (uint64_t *slot, at = 0; (slot = page_tree_next(tree, &at)); at++) {
        uint64_t base = at & ~(uint64_t)(PAGE_TREE_SLOTS - 1);
        if (!leaf || leaf->base != base)
            leaf = next_leaf(memory, base);
        if (!leaf)
            return -ENOSPC;
        leaf->slots[at - base] = page_load(slot);
        leaf->used++;
    }
    return 0;
}
