/*
 * A table of things by small numbers: what is in is found, however it grew, and all memory comes
 * back.
 */
#include "../../kernel/linux/events/epoll/number_table.h"

#include "runtime.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NUMBERS = 5000, MOST_OF_ONE = 4 };

static unsigned ended;

static void end(struct number_entry *entry) {
    ended++;
    free(entry);
}

static struct number_entry *add(struct number_table *table, uint32_t number) {
    struct number_entry *entry = calloc(1, sizeof *entry);
    entry->number = number;
    assert_int_equal(number_table_add(table, entry), 0);
    return entry;
}

static void what_is_not_in_is_not_found(void **state) {
    struct number_table table = {0};
    (void)state;
    assert_null(number_table_find(&table, 0));
    assert_null(number_table_find(&table, ~0u));
    add(&table, 700);
    assert_null(number_table_find(&table, 0));
    assert_null(number_table_find(&table, 699));
    assert_null(number_table_find(&table, 701));
    assert_null(number_table_find(&table, 700000));
    ended = 0;
    number_table_end(&table, end);
    assert_int_equal(ended, 1);
    assert_null(number_table_find(&table, 700));
}

static void several_things_of_one_number_are_chained(void **state) {
    struct number_table table = {0};
    struct number_entry *entries[MOST_OF_ONE];
    (void)state;
    for (int i = 0; i < MOST_OF_ONE; i++)
        entries[i] = add(&table, 9);
    unsigned seen = 0;
    for (struct number_entry *one = number_table_find(&table, 9); one; one = one->next)
        seen++;
    assert_int_equal(seen, MOST_OF_ONE);
    number_table_remove(&table, entries[1]);
    number_table_remove(&table, entries[3]);
    free(entries[1]);
    free(entries[3]);
    struct number_entry *first = number_table_find(&table, 9);
    assert_true(first == entries[2] && first->next == entries[0] && !first->next->next);
    ended = 0;
    number_table_end(&table, end);
    assert_int_equal(ended, 2);
}

/* Against an array that says how many there are of each number. */
static void a_long_walk_leaves_what_was_put_and_not_taken(void **state) {
    struct number_table table = {0};
    static unsigned counts[NUMBERS];
    unsigned total = 0;
    (void)state;
    srand(7);
    for (int step = 0; step < 200000; step++) {
        uint32_t number = (uint32_t)rand() % NUMBERS;
        struct number_entry *first = number_table_find(&table, number);
        assert_int_equal(first != NULL, counts[number] != 0);
        if (counts[number] < MOST_OF_ONE && rand() % 2) {
            add(&table, number);
            counts[number]++;
            total++;
        } else if (first) {
            number_table_remove(&table, first);
            free(first);
            counts[number]--;
            total--;
        }
    }
    for (uint32_t number = 0; number < NUMBERS; number++) {
        unsigned count = 0;
        for (struct number_entry *one = number_table_find(&table, number); one; one = one->next) {
            assert_int_equal(one->number, number);
            count++;
        }
        assert_int_equal(count, counts[number]);
    }
    ended = 0;
    number_table_end(&table, end);
    assert_int_equal(ended, total);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_in_is_not_found),
        cmocka_unit_test(several_things_of_one_number_are_chained),
        cmocka_unit_test(a_long_walk_leaves_what_was_put_and_not_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
