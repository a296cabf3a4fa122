/*
 * State transfer of the FCMs of files: by pointer among themselves, and in the canonical format.
 *
 * By pointer the whole contents change hands at once, in constant time however many pages there
 * are.
 *
 * Who gives the frames back in the end: the importer from the moment its import has succeeded,
 * which is the last that can fail. Calls may come to it before the exporter is told to forget them;
 * the exporter is not ended before that.
 */
#include "body.h"

struct body_incoming {
    struct fcm_state state;
};

const struct k42_format fcm_contents_format = {.name = "fcm.contents", .version = 1, .cost = 1};

static struct body *body_of(struct k42_root *root) {
    return k42_container(root, struct body, root);
}

void fcm_body_incoming_free(struct body_incoming *incoming) {
    if (incoming)
        fcm_state_free(&incoming->state);
    heap_free(incoming);
}

/* ---- by pointer ---- */

k42_result fcm_body_export_contents(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)&body_of(from)->its;
    return 0;
}

k42_result fcm_body_import_contents(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    body_of(to)->its = *(const struct body_contents *)state->word[0];
    body_of(to)->owns = true;
    return 0;
}

void fcm_body_contents_given(struct k42_root *from, struct k42_state *state) {
    (void)state;
    body_of(from)->owns = false;
}

/* ---- canonical ---- */

size_t fcm_body_measure(struct k42_root *from) {
    struct body *body = body_of(from);
    k42_lock(&body->lock);
    size_t measured = fcm_state_measure(body->its.tree.nodes, body->its.attachments.count);
    k42_unlock(&body->lock);
    return measured;
}

k42_result fcm_body_prepare(struct k42_root *to, struct k42_state *state) {
    struct body *body = body_of(to);
    if (!body->incoming)
        body->incoming = heap_allocate_zeroed(sizeof *body->incoming);
    if (!body->incoming)
        return -ENOMEM;
    return fcm_state_prepare(state, &body->incoming->state);
}

k42_result fcm_body_export_pages(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    struct fcm_state *to = fcm_state_of(state);
    const struct body_contents *its = &body_of(from)->its;
    to->kind = FCM_OF_FILE;
    to->file = (struct fcm_file){.pm = its->pm, .fr = its->fr, .size = its->size};
    to->clear_first = its->clear.first;
    to->clear_end = its->clear.end;
    to->clear_why = its->clear.why;
    to->renewal = its->renewal;
    to->failure = its->failure;
    to->enlisted = its->enlisted;
    k42_result result = fcm_state_put_attachments(to, &its->attachments);
    return result ? result : fcm_state_put_pages(to, &its->tree);
}

static k42_result adopt_pages(struct body_contents *its, struct fcm_state *from) {
    while (from->leaves) {
        struct page_node *leaf = from->leaves;
        from->leaves = leaf->parent;
        if (!page_tree_adopt(&its->tree, leaf, &from->spare)) {
            leaf->parent = from->leaves;
            from->leaves = leaf;
            return -ENOSPC;
        }
    }
    from->last_leaf = NULL;
    return 0;
}

/* What was measured too much is given back at once, not when the object ends. */
k42_result fcm_body_import_pages(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    struct fcm_state *from = fcm_state_of(state);
    struct body_contents *its = &body_of(to)->its;
    if (from->kind != FCM_OF_FILE)
        return -EINVAL;
    *its = (struct body_contents){
        .pm = from->file.pm,
        .fr = from->file.fr,
        .size = from->file.size,
        .attachments.random = 1,
        .clear = {from->clear_first, from->clear_end, from->clear_why},
        .renewal = from->renewal,
        .failure = from->failure,
        .dirtied = 1,
        .enlisted = from->enlisted,
    };
    while (from->attached) {
        struct attachment *one = from->attached;
        from->attached = one->left;
        attachments_add(&its->attachments, one);
    }
    k42_result result = adopt_pages(its, from);
    if (result)
        fcm_body_release(its);
    body_of(to)->owns = !result;
    fcm_body_incoming_free(body_of(to)->incoming);
    body_of(to)->incoming = NULL;
    return result;
}

void fcm_body_pages_given(struct k42_root *from, struct k42_state *state) {
    (void)state;
    body_of(from)->owns = false;
    fcm_body_release(&body_of(from)->its);
}

const struct k42_transfer fcm_body_transfers[] = {
    FCM_BODY_TRANSFERS(fcm_body_export_contents, fcm_body_export_pages),
    {.format = NULL},
};
