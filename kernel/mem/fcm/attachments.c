/*
 * The treap of an FCM's attachments. Recursive, to a depth of some thirty with a million of them.
 */
#include "attachments.h"

static uint64_t end_of(const struct fcm_attachment *what) {
    return what->first + what->pages;
}

/* Negative, zero or positive; the order is total on what makes two attachments equal. */
static int compare(const struct fcm_attachment *a, const struct fcm_attachment *b) {
    uint64_t left[] = {a->first, k42_ref_id(a->hat), a->address, a->pages, a->writable, a->stays};
    uint64_t right[] = {b->first, k42_ref_id(b->hat), b->address, b->pages, b->writable, b->stays};
    for (unsigned i = 0; i < sizeof left / sizeof *left; i++)
        if (left[i] != right[i])
            return left[i] < right[i] ? -1 : 1;
    return 0;
}

static uint64_t reach_of(const struct attachment *node) {
    return node ? node->reach : 0;
}

static uint64_t own_stay_reach(const struct attachment *node, enum fcm_stays how) {
    return node->what.stays && node->what.stays <= how ? end_of(&node->what) : 0;
}

static uint64_t stay_reach_of(const struct attachment *node, enum fcm_stays how) {
    return node ? node->stay_reach[how - 1] : 0;
}

static uint64_t largest(uint64_t a, uint64_t b, uint64_t c) {
    uint64_t larger = a > b ? a : b;
    return larger > c ? larger : c;
}

static struct attachment *with_reach(struct attachment *node) {
    node->reach = largest(end_of(&node->what), reach_of(node->left), reach_of(node->right));
    for (enum fcm_stays how = FCM_ALL_STAY; how <= FCM_MAPPED_STAY; how++)
        node->stay_reach[how - 1] =
            largest(own_stay_reach(node, how), stay_reach_of(node->left, how),
                    stay_reach_of(node->right, how));
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
    attachment->number = ++set->added;
    split(set->root, &attachment->what, &before, &rest);
    set->root = join(join(before, with_reach(attachment)), rest);
    set->count++;
    set->staying += attachment->what.stays != 0;
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
    set->staying -= taken && taken->what.stays;
    return taken;
}

/* Puts one where it belongs by its number; the youngest gives way when there is no room. */
static void enter(struct attachments_found *found, const struct attachment *node) {
    unsigned at = found->count;
    while (at > 0 && found->numbers[at - 1] > node->number)
        at--;
    if (at == ATTACHMENTS_AT_ONCE)
        return;
    unsigned last = found->count < ATTACHMENTS_AT_ONCE ? found->count++ : found->count - 1;
    for (; last > at; last--) {
        found->numbers[last] = found->numbers[last - 1];
        found->what[last] = found->what[last - 1];
    }
    found->numbers[at] = node->number;
    found->what[at] = node->what;
}

static void next(const struct attachment *node, uint64_t after, uint64_t first, uint64_t end,
                 struct attachments_found *found) {
    if (!node || node->reach <= first)
        return;
    next(node->left, after, first, end, found);
    if (node->number > after && node->what.first < end && end_of(&node->what) > first)
        enter(found, node);
    if (node->what.first < end)
        next(node->right, after, first, end, found);
}

void attachments_next(const struct attachments *set, uint64_t after, uint64_t first, uint64_t end,
                      struct attachments_found *found) {
    found->count = 0;
    next(set->root, after, first, end, found);
}

/* All to the left of one that begins at the page or before it do so as well. */
uint64_t attachments_stay_until(const struct attachments *set, uint64_t page, enum fcm_stays how) {
    uint64_t until = 0;
    for (const struct attachment *node = set->root; node;) {
        if (node->what.first > page) {
            node = node->left;
            continue;
        }
        uint64_t left = stay_reach_of(node->left, how), own = own_stay_reach(node, how);
        until = left > until ? left : until;
        until = own > until ? own : until;
        node = node->right;
    }
    return until > page ? until : 0;
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
