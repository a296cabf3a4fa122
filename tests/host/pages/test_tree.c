/*
 * The tree of an FCM's pages and the tree of its attachments, each against a plain model.
 */
#include "stage.h"

#include "../../../kernel/mem/fcm/attachments.h"
#include "../../../kernel/mem/fcm/page_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t seed;

static uint64_t random_number(void) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return seed >> 20;
}

/* ---- pages ---- */

#define PAGES 400u

/* Dense, sparse and far apart. */
static uint64_t page_number(unsigned i) {
    return i < 200 ? i : i < 300 ? i * 977ul : (uint64_t)i << 40;
}

static bool present[PAGES];

static void add(struct page_tree *tree, unsigned i) {
    uint64_t *slot = page_tree_place(tree, page_number(i));
    assert_non_null(slot);
    if (!present[i])
        page_tree_add(tree, slot, page_number(i), i + 1);
    present[i] = true;
}

static void tree_agrees(const struct page_tree *tree) {
    uint64_t at = 0, count = 0;
    for (unsigned i = 0; i < PAGES; i++) {
        uint64_t *slot = page_tree_find(tree, page_number(i));
        assert_int_equal(slot ? page_load(slot) : 0, present[i] ? i + 1 : 0);
        if (!present[i])
            continue;
        count++;
        slot = page_tree_next(tree, &at);
        assert_non_null(slot);
        assert_int_equal(at, page_number(i));
        assert_int_equal(page_load(slot), i + 1);
        at++;
    }
    assert_null(page_tree_next(tree, &at));
    assert_int_equal(tree->pages, count);
}

static void the_tree_has_the_pages_that_were_added(void **state) {
    (void)state;
    struct page_tree tree = {NULL, 0, 0};
    memset(present, 0, sizeof present);
    seed = 1;
    for (unsigned step = 0; step < 4000; step++) {
        unsigned i = random_number() % PAGES;
        if (present[i] && random_number() % 3) {
            page_tree_remove(&tree, page_number(i));
            present[i] = false;
        } else if (step < 3000) {
            add(&tree, i);
        }
        if (step % 97 == 0)
            tree_agrees(&tree);
    }
    tree_agrees(&tree);
    page_tree_discard(&tree);
    assert_int_equal(k42_defer_flush(), 0);
}

static void a_tree_without_pages_has_no_nodes(void **state) {
    (void)state;
    struct page_tree tree = {NULL, 0, 0};
    memset(present, 0, sizeof present);
    for (unsigned i = 0; i < PAGES; i++)
        add(&tree, i);
    for (unsigned i = 0; i < PAGES; i++)
        page_tree_remove(&tree, page_number(i * 7 % PAGES));
    assert_null(tree.root);
    assert_int_equal(tree.nodes, 0);
    assert_int_equal(k42_defer_flush(), 0);
}

static void leaves_make_a_tree_again_with_as_many_nodes_and_one(void **state) {
    (void)state;
    struct page_tree from = {NULL, 0, 0}, to = {NULL, 0, 0};
    memset(present, 0, sizeof present);
    for (unsigned i = 0; i < PAGES; i += 3)
        add(&from, i);
    struct page_node *spare = NULL, *leaf = NULL;
    for (uint64_t i = 0; i < from.nodes + 1; i++) {
        struct page_node *node = page_node_make();
        node->parent = spare;
        spare = node;
    }
    for (uint64_t *slot, at = 0; (slot = page_tree_next(&from, &at));) {
        leaf = spare;
        spare = leaf->parent;
        leaf->parent = NULL;
        leaf->base = at & ~63ul;
        for (; slot && at - leaf->base < 64; at++, slot = page_tree_next(&from, &at)) {
            leaf->slots[at - leaf->base] = page_load(slot);
            leaf->used++;
        }
        assert_true(page_tree_adopt(&to, leaf, &spare));
    }
    tree_agrees(&to);
    page_nodes_free(spare);
    page_tree_discard(&from);
    page_tree_discard(&to);
}

static void a_tree_that_cannot_be_made_leaves_the_other_leaves_alone(void **state) {
    (void)state;
    struct page_tree tree = {NULL, 0, 0};
    struct page_node *spare = NULL, *first = page_node_make(), *second = page_node_make();
    first->slots[0] = second->slots[0] = first->used = second->used = 1;
    first->parent = second; /* as in a list */
    second->base = 64;
    assert_true(page_tree_adopt(&tree, first, &spare));
    assert_false(page_tree_adopt(&tree, second, &spare));
    page_tree_discard(&tree);
    assert_int_equal(second->slots[0], 1);
    page_nodes_free(second);
}

/* ---- attachments ---- */

#define ATTACHMENTS 300u

static struct fcm_attachment model[ATTACHMENTS];
static bool attached[ATTACHMENTS];

static struct fcm_attachment some_attachment(void) {
    return (struct fcm_attachment){.hat = k42_id_ref((k42_id)(random_number() % 5)),
                                   .address = random_number() % 4 << 12,
                                   .first = random_number() % 1000,
                                   .pages = 1 + random_number() % 100};
}

static unsigned count_covering(uint64_t first, uint64_t end) {
    unsigned count = 0;
    for (unsigned i = 0; i < ATTACHMENTS; i++) {
        count += attached[i] && model[i].first < end && model[i].first + model[i].pages > first;
    }
    return count;
}

static void attachments_agree(const struct attachments *set) {
    for (unsigned look = 0; look < 20; look++) {
        uint64_t first = random_number() % 1100, end = first + 1 + random_number() % 50;
        struct attachments_found found;
        uint64_t after = 0;
        unsigned count = 0;
        do {
            attachments_next(set, after, first, end, &found);
            for (unsigned n = 0; n < found.count; n++, count++) {
                const struct fcm_attachment *what = &found.what[n];
                assert_true(what->first < end && what->first + what->pages > first);
                assert_true(found.numbers[n] > after);
                after = found.numbers[n];
            }
        } while (found.count);
        assert_int_equal(count, count_covering(first, end));
    }
}

static void attachments_that_cover_a_page_are_found(void **state) {
    (void)state;
    struct attachments set = {.random = 1};
    seed = 2;
    for (unsigned step = 0; step < 5000; step++) {
        unsigned i = random_number() % ATTACHMENTS;
        if (attached[i]) {
            struct attachment *taken = attachments_take(&set, &model[i]);
            assert_non_null(taken);
            free(taken);
        } else {
            model[i] = some_attachment();
            struct attachment *one = calloc(1, sizeof *one);
            one->what = model[i];
            attachments_add(&set, one);
        }
        attached[i] = !attached[i];
        if (step % 101 == 0)
            attachments_agree(&set);
    }
    attachments_agree(&set);
    for (struct attachment *one; (one = attachments_take_any(&set));)
        free(one);
    assert_int_equal(set.count, 0);
}

static void what_is_not_attached_is_not_taken(void **state) {
    (void)state;
    struct attachments set = {.random = 1};
    struct fcm_attachment what = {.first = 3, .pages = 4};
    assert_null(attachments_take(&set, &what));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_has_the_pages_that_were_added),
        cmocka_unit_test(a_tree_without_pages_has_no_nodes),
        cmocka_unit_test(leaves_make_a_tree_again_with_as_many_nodes_and_one),
        cmocka_unit_test(a_tree_that_cannot_be_made_leaves_the_other_leaves_alone),
        cmocka_unit_test(attachments_that_cover_a_page_are_found),
        cmocka_unit_test(what_is_not_attached_is_not_taken),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    stage_open();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
