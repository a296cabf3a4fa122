/*
 * Inodes by number: given in order, found as long as they have it, by several threads at once.
 */
#include "file_test.h"
#include "ramfs/ramfs.h"

#include <k42/k42.h>

enum { THREADS = 4, ROUNDS = 4000, LIVING = 37 };

static struct numbers numbers;

static void numbers_are_given_in_order_and_never_again(void **unused) {
    (void)unused;
    static struct inode inodes[300];
    k42_enter();
    for (unsigned i = 0; i < 300; i++) {
        assert_int_equal(numbers_add(&numbers, &inodes[i]), 0);
        assert_int_equal(inodes[i].number, i + 1);
    }
    for (unsigned i = 0; i < 300; i++)
        assert_ptr_equal(numbers_find(&numbers, i + 1), &inodes[i]);
    assert_null(numbers_find(&numbers, 0));
    assert_null(numbers_find(&numbers, 301));
    assert_null(numbers_find(&numbers, ~0ul));
    for (unsigned i = 0; i < 300; i++) {
        numbers_remove(&numbers, i + 1);
        assert_null(numbers_find(&numbers, i + 1));
    }
    assert_int_equal(numbers_add(&numbers, &inodes[0]), 0);
    assert_int_equal(inodes[0].number, 301);
    numbers_remove(&numbers, 301);
    k42_exit();
}

static void old_ones_are_found_when_the_tree_has_grown(void **unused) {
    (void)unused;
    static struct inode old, passing;
    assert_int_equal(numbers_add(&numbers, &old), 0);
    for (unsigned i = 0; i < 10000; i++) {
        k42_enter();
        assert_int_equal(numbers_add(&numbers, &passing), 0);
        assert_ptr_equal(numbers_find(&numbers, old.number), &old);
        numbers_remove(&numbers, passing.number);
        assert_null(numbers_find(&numbers, passing.number));
        k42_exit();
    }
    k42_enter();
    numbers_remove(&numbers, old.number);
    k42_exit();
}

static void *come_and_go(void *unused) {
    struct inode inodes[LIVING] = {{.number = 0}};
    (void)unused;
    calls_expect(k42_attach("numbers") == 0, "not attached");
    for (unsigned i = 0; i < ROUNDS + LIVING; i++) {
        struct inode *inode = &inodes[i % LIVING];
        k42_enter();
        if (inode->number) {
            calls_expect(numbers_find(&numbers, inode->number) == inode, "not found");
            numbers_remove(&numbers, inode->number);
            calls_expect(!numbers_find(&numbers, inode->number), "found");
        }
        if (i < ROUNDS)
            calls_expect(numbers_add(&numbers, inode) == 0, "no number");
        k42_exit();
    }
    calls_expect(k42_detach() == 0, "not detached");
    return NULL;
}

static void threads_find_their_own(void **unused) {
    (void)unused;
    pthread_t threads[THREADS];
    uint64_t before = numbers.last;
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(numbers.last, before + THREADS * ROUNDS);
    numbers_end(&numbers);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_given_in_order_and_never_again),
        cmocka_unit_test(old_ones_are_found_when_the_tree_has_grown),
        cmocka_unit_test(threads_find_their_own),
    };
    return file_tests_run(tests);
}
