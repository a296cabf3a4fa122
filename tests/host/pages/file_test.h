/*
 * What the tests of files' page caches share: files of the class that the program was called with,
 * on a medium that each test finds fresh, and a check that each test ends with the frames it began
 * with.
 */
#ifndef K42_TESTS_FILE_TEST_H
#define K42_TESTS_FILE_TEST_H

#include "stage.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define BYTES(pages) ((uint64_t)(pages)*FRAME_BYTES)

/* What files are made of: the class named by the program's argument, else fcm_shared. */
extern struct k42_class *file_class;
/* Open during a test; answers at once unless the test says otherwise. */
extern struct medium file_medium;

/* A file on a medium, or with NULL in memory alone. */
fcm_ref file_make(pm_ref pm, struct medium *medium, uint64_t size);
fcm_ref file_make_in_memory(uint64_t size);
fcm_ref file_make_on_medium(uint64_t size);
/* Cuts everything off and destroys it. */
void file_end(fcm_ref fcm);

uint64_t file_word(fcm_ref fcm, uint64_t offset);
void file_put_word(fcm_ref fcm, uint64_t offset, uint64_t word);
struct fcm_usage file_usage(fcm_ref fcm);
/* Swaps an object at rest, and checks what comes of it. */
void file_swap(k42_ref ref, struct k42_class *to, k42_result expected);

#define FILE_TEST(statement)                                                                       \
    cmocka_unit_test_setup_teardown(statement, file_test_begin, file_test_end)
int file_test_begin(void **state);
int file_test_end(void **state);

/* For main(): opens the stage, finds the class. */
void file_tests_open(int count, char **arguments);

#endif
