/*
 * The treap of an FCM's attachments. Recursive, to a depth of some thirty with a million of them.
 */
#include "attachments.h"

static uint64_t end_of(const struct fcm_attachment *what) {
    return what->first + what->pages;
}

/* Negative, zero or positive; the order is total on what makes two attachments equal. */
static int compare(const struct fcm_attachment *a, const struct fcm_attachment *b) {
    uint64_t left[] = {a->first, k42_ref_id(a->hat), a->address, a->pages, a->writable};
    uint64_t right[] = {b->first, k42_ref_id(b->hat), b->address, b->pages, b->writable};
    for (unsigned i = 0; i < sizeof left / sizeof *left; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static uint64_t reach_of(const struct attachment *node) {
    return node ? node->reach : 0;
}

static struct attachment *with_reach(struct attachment *node) {
    uint64_t reach = end_of(&node->what);
    if (reach_of(node->left) > reach)
        reach = node->left->reach;
    if (reach_of(node->right) > reach)
        reach = node->right->reach;
    node->reach = reach;
    return node;
}

/* Parts a tree into those before `what` and the others. */
static void split(struct attachment *node, const struct fcm_attachment *what,
                  struct attachment **before, struct attachment **rest) {
    if (!node) {
        *before = *rest = NULL;
    } else if (compare(&node->what, what) < 0) {
        split(node->right, what, &node->right, rest);
        *before = with_reach(node);
    } else {
        split(node->left, what, before, &node->left);
        *rest = with_reach(node);
    }
}

static struct attachment *join(struct attachment *left, struct attachment *right) {
    if (!left || !right)
        return left ? left : right;
    if (left->priority > right->priority) {
        left->right = join(left->right, right);
        return with_reach(left);
    }
    right->left = join(left, right->left);
    return with_reach(right);
}

static uint64_t next_random(struct attachments *set) {
    set->random = set->random * 6364136223846793005ul + 1442695040888963407ul;
    return set->random ^ set->random >> 29;
}

void attachments_add(struct attachments *set, struct attachment *attachment) {
    struct attachment *before, *rest;
    attachment->left = attachment->right = NULL;
    attachment->priority = next_random(set);
    split(set->root, &attachment->what, &before, &rest);
    set->root = join(join(before, with_reach(attachment)), rest);
    set->count++;
    set->added++;
}

static struct attachment *take(struct attachment **link, const struct fcm_attachment *what) {
    struct attachment *node = *link;
    if (!node)
        return NULL;
    int order = compare(what, &node->what);
    if (!order) {
        *link = join(node->left, node->right);
        return node;
    }
    struct attachment *taken = take(order < 0 ? &node->left : &node->right, what);
    if (taken)
        with_reach(node);
    return taken;
}

struct attachment *attachments_take(struct attachments *set, const struct fcm_attachment *what) {
    struct attachment *taken = take(&set->root, what);
    set->count -= taken != NULL;
    return taken;
}

static const struct attachment *next(const struct attachment *node,
                                     const struct fcm_attachment *after, uint64_t first,
                                     uint64_t end) {
    if (!node || node->reach <= first)
        return NULL;
    bool behind = !after || compare(&node->what, after) > 0;
    const struct attachment *found = behind ? next(node->left, after, first, end) : NULL;
    if (found)
        return found;
    if (behind && node->what.first < end && end_of(&node->what) > first)
        return node;
    return node->what.first < end ? next(node->right, after, first, end) : NULL;
}

/* Equal ones have the same mappings, so that one of them stands for all is as well. */
bool attachments_next(const struct attachments *set, const struct fcm_attachment *after,
                      uint64_t first, uint64_t end, struct fcm_attachment *found) {
    const struct attachment *node = next(set->root, after, first, end);
    if (node)
        *found = node->what;
    return node != NULL;
}

static k42_result each(const struct attachment *node,
                       k42_result (*visit)(const struct fcm_attachment *what, void *context),
                       void *context) {
    if (!node)
        return 0;
    k42_result result = each(node->left, visit, context);
    if (!result)
        result = visit(&node->what, context);
    return result ? result : each(node->right, visit, context);
}

k42_result attachments_each(const struct attachments *set,
                            k42_result (*visit)(const struct fcm_attachment *what, void *context),
                            void *context) {
    return each(set->root, visit, context);
}

struct attachment *attachments_take_any(struct attachments *set) {
    return set->root ? attachments_take(set, &set->root->what) : NULL;
}
