/*
 * Files for the tests of page caches (file_test.h). One test runs at a time, in one thread.
 */
#include "file_test.h"

#include <unistd.h>

struct k42_class *file_class;
struct medium file_medium;

static uint64_t used_before;

fcm_ref file_make(pm_ref pm, struct medium *medium, uint64_t size) {
    struct fcm_file file = {.pm = pm, .size = size};
    if (medium)
        file.fr = medium->fr;
    k42_ref ref;
    assert_int_equal(k42_create(file_class, &file, &ref), 0);
    return (fcm_ref)ref;
}

fcm_ref file_make_in_memory(uint64_t size) {
    return file_make(pm_machine, NULL, size);
}

fcm_ref file_make_on_medium(uint64_t size) {
    return file_make(pm_machine, &file_medium, size);
}

void file_end(fcm_ref fcm) {
    assert_int_equal(CALL(fcm, resize, 0), 0);
    assert_int_equal(k42_destroy((k42_ref)fcm), 0);
}

uint64_t file_word(fcm_ref fcm, uint64_t offset) {
    uint64_t word = ~0ul;
    assert_int_equal(stage_read(fcm, offset, &word, sizeof word), sizeof word);
    return word;
}

void file_put_word(fcm_ref fcm, uint64_t offset, uint64_t word) {
    assert_int_equal(stage_write(fcm, offset, &word, sizeof word), sizeof word);
}

struct fcm_usage file_usage(fcm_ref fcm) {
    struct fcm_usage usage;
    assert_int_equal(CALL(fcm, usage, &usage), 0);
    return usage;
}

void file_swap(k42_ref ref, struct k42_class *to, k42_result expected) {
    struct k42_swap request = {.ref = ref, .to = to, .deadline_ns = 60000000000ul, .attempts = 4};
    k42_result result = k42_swap_run(&request);
    if (result != expected)
        print_error("%s\n", request.report.text);
    assert_int_equal(result, expected);
}

int file_test_begin(void **state) {
    (void)state;
    used_before = stage_frames_used();
    file_medium = (struct medium){.late = false};
    medium_open(&file_medium);
    return 0;
}

/* The thread that frees memory may have pages in its hands, and gives them back by and by. */
static bool all_come_back(void) {
    for (unsigned tries = 0; tries < 500; tries++) {
        if (stage_frames_used() == used_before)
            return true;
        usleep(10000);
    }
    print_error("%lu frames are in use, %lu were\n", stage_frames_used(), used_before);
    return false;
}

int file_test_end(void **state) {
    (void)state;
    medium_close(&file_medium);
    return !all_come_back();
}

void file_tests_open(int count, char **arguments) {
    cmocka_set_message_output(CM_OUTPUT_TAP);
    stage_open();
    file_class = count > 1 ? k42_class_find(arguments[1]) : &fcm_shared;
    if (!file_class)
        stage_die("no class has the name given");
}
