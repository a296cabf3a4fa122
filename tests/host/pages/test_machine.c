/*
 * What is not a caching class's: the machine's memory and its end, zeros, a device's registers.
 */
#include "file_test.h"

#include "../../../kernel/mem/fr/fr_zero.h"

static void frames_taken_in_a_row_are_zero_and_too_many_are_refused(void **state) {
    (void)state;
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, ~0ul, &below), 0);
    k42_enter();
    struct k42_pair taken = k42_call((pm_ref)below, take, 3, PM_ZERO | PM_TRY);
    assert_int_equal(taken.result, 0);
    for (unsigned i = 0; i < 8 * 512; i++)
        assert_int_equal(((uint64_t *)machine_memory(taken.word))[i], 0);
    assert_int_equal(k42_call((pm_ref)below, give, taken.word, 3, 0), 0);
    assert_int_equal(k42_call((pm_ref)below, take, 30, PM_TRY).result, -EINVAL);
    k42_exit();
    assert_int_equal(k42_destroy(below), 0);
}

static void a_device_maps_what_it_is_and_swaps_with_nothing_else(void **state) {
    (void)state;
    struct fcm_registers registers = {.physical = 0xfe000000, .pages = 4};
    struct fcm_page page;
    struct space space;
    k42_ref ref;
    assert_int_equal(k42_create(&fcm_device, &registers, &ref), 0);
    fcm_ref fcm = (fcm_ref)ref;
    space_open(&space, fcm);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(TRY(fcm, get_page, 3, FCM_WRITE, &page), 0);
        assert_int_equal(page.physical, 0xfe003000);
        assert_true(page.writable);
        assert_int_equal(TRY(fcm, mapped, 3, 1), 0);
        assert_int_equal(TRY(fcm, get_page, 4, 0, &page), -ENXIO);
        assert_int_equal(TRY(fcm, size), BYTES(4));
        assert_int_equal(file_usage(fcm).attachments, 1);
        file_swap((k42_ref)fcm, &fcm_device, 0);
    }
    file_swap((k42_ref)fcm, &fcm_shared, -ENOTSUP);
    fcm_ref file = file_make_in_memory(BYTES(1));
    file_swap((k42_ref)file, &fcm_device, -ENOTSUP);
    assert_int_equal(file_word(file, 0), 0);
    file_end(file);
    space_close(&space);
    assert_int_equal(k42_destroy(ref), 0);
}

static void zeros_stay_zeros_whatever_is_written_back(void **state) {
    (void)state;
    k42_ref fr;
    assert_int_equal(k42_create(&fr_zero, NULL, &fr), 0);
    struct fcm_file file = {.pm = pm_machine, .fr = (fr_ref)fr, .size = BYTES(4)};
    k42_ref ref;
    assert_int_equal(k42_create(file_class, &file, &ref), 0);
    fcm_ref fcm = (fcm_ref)ref;
    file_put_word(fcm, BYTES(1), 7);
    assert_int_equal(CALL(fcm, sync, 0, 4, 1), 0);
    file_swap(fr, &fr_zero, 0);
    assert_int_equal(file_word(fcm, BYTES(1)), 7);
    for (unsigned round = 0; round < 3; round++)
        assert_true(CALL(fcm, give_back, 10) >= 0);
    assert_int_equal(file_word(fcm, BYTES(1)), 0);
    assert_int_equal(CALL(fcm, punch, 0, BYTES(4)), 0);
    file_end(fcm);
    assert_int_equal(k42_destroy(fr), 0);
}

static uint32_t killed;
static fcm_ref victim;

static bool kill_victim(void) {
    if (!victim)
        return false;
    assert_int_equal(CALL(victim, resize, 0), 0);
    victim = (fcm_ref)K42_NULL_REF;
    killed++;
    return true;
}

static void when_memory_is_out_somebody_is_ended_and_then_there_is_none(void **state) {
    (void)state;
    struct fcm_page page;
    pm_out_of_memory = kill_victim;
    killed = 0;
    file_class = &fcm_pinned; /* which gives nothing back */
    victim = file_make_in_memory(BYTES(STAGE_FRAMES));
    fcm_ref large = victim, other = file_make_in_memory(BYTES(STAGE_FRAMES));
    for (unsigned i = 0; i < STAGE_FRAMES / 2; i++)
        assert_int_equal(CALL(large, get_page, i, 0, &page) | CALL(large, put_page, i), 0);
    k42_result result = 0;
    unsigned got = 0;
    for (; got < STAGE_FRAMES && !result; got++) {
        result = CALL(other, get_page, got, 0, &page);
        if (!result)
            assert_int_equal(CALL(other, put_page, got), 0);
    }
    assert_int_equal(killed, 1);
    assert_int_equal(result, -ENOMEM);
    assert_true(got > STAGE_FRAMES / 2);
    pm_out_of_memory = NULL;
    file_class = &fcm_shared;
    file_end(large);
    file_end(other);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(frames_taken_in_a_row_are_zero_and_too_many_are_refused),
        FILE_TEST(a_device_maps_what_it_is_and_swaps_with_nothing_else),
        FILE_TEST(zeros_stay_zeros_whatever_is_written_back),
        FILE_TEST(when_memory_is_out_somebody_is_ended_and_then_there_is_none),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
