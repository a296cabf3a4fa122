/*
 * What the tests of classes, upgrade, adaptors and components share: classes of the interface
 * `tally` (components/tally.h) that a test registers by hand, and single steps on their objects.
 *
 * Every test has a runtime of its own: registering lasts until its teardown, which also fails the
 * test when it leaves an object, a mediator or a root behind. What is registered must outlive the
 * test, so it is static.
 */
#ifndef K42_TESTS_CLASS_FIXTURE_H
#define K42_TESTS_CLASS_FIXTURE_H

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../components/tally.h"

extern struct k42_class tally_1;     /* "tally.plain" version 1 */
extern struct k42_class tally_2;     /* version 2: larger, its total in eight pieces */
extern struct k42_class tally_picky; /* version 3: its import refuses odd totals with -EIO */
extern struct k42_class tally_alien; /* version 4: no format in common with the others */
extern struct k42_class tally_other; /* "tally.other" version 1: another family, same interface */

extern char why[512];

/* ---- setup and teardown of one test ---- */

int classes_open(void **state);
int classes_close(void **state);
#define CLASS_TEST(test) cmocka_unit_test_setup_teardown(test, classes_open, classes_close)

/* ---- registering ---- */

void must_register(struct k42_class *class_);
/*
 * Asserts that registering is refused with this error, that the reason contains `says`, and that
 * nothing has been registered.
 */
void assert_refused(struct k42_class *class_, k42_result error, const char *says);
/* How many classes k42_each_class() visits. */
long classes_listed(void);
/* Asserts that a class is listed, and returns what is said of it. */
struct k42_class_info class_info(const struct k42_class *class_);

/* ---- objects, each step entering and leaving ---- */

k42_ref make(struct k42_class *class_, long total);
/* By the factory of a name, as a caller of the interface's first version. */
k42_result make_by_name(const char *name, k42_ref *ref);
k42_result make_by_factory(k42_factory_ref factory, const struct k42_interface *interface_,
                           k42_ref *ref);
void destroy(k42_ref ref);
k42_result add(k42_ref ref, long amount);
k42_result value(k42_ref ref);
k42_result version(k42_ref ref); /* as the object itself says: a use of it */
uint32_t inspected_version(k42_ref ref);
struct k42_stats stats_now(void);

/* ---- upgrade ---- */

/* Upgrades eagerly and asserts the outcome; returns the counts. */
struct k42_upgrade upgrade_to(struct k42_class *to, k42_result expected);

/* ---- components, found beside the test program ---- */

const char *component_path(const char *name);
struct k42_component *must_load(const char *name);
void must_unload(struct k42_component *component);
/* Asserts that unloading is refused as busy, and that the reason contains `says`. */
void assert_busy(struct k42_component *component, const char *says);

/* ---- words that threads tell one another ---- */

static inline uint32_t word_load(const uint32_t *word) {
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}
static inline void word_store(uint32_t *word, uint32_t value_) {
    __atomic_store_n(word, value_, __ATOMIC_RELEASE);
}
void word_await(const uint32_t *word, uint32_t at_least);

/* Runs as a thread of the runtime's own kind: attached and inactive. */
pthread_t begin_thread(void *(*fn)(void *), void *argument);
void end_thread(pthread_t thread);

#endif
