/*
 * The wire format of 9P2000.L: bytes as the protocol's description has them.
 */
#include "wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void a_message_is_written_little_endian(void **state) {
    (void)state;
    static const uint8_t expected[] = {23, 0, 0, 0, 110, 5,   0,      /* length, TWALK, tag */
                                       4,  3, 2, 1, 9,   0,   0,   0, /* fid, new fid */
                                       1,  0, 4, 0, 'n', 'a', 'm', 'e'};
    uint8_t bytes[64];
    struct p9_writer writer;
    p9_begin(&writer, bytes, sizeof bytes, P9_TWALK, 5);
    p9_put32(&writer, 0x01020304);
    p9_put32(&writer, 9);
    p9_put16(&writer, 1);
    p9_put_string(&writer, "name", 4);
    assert_int_equal(p9_end(&writer, 0), sizeof expected);
    assert_memory_equal(bytes, expected, sizeof expected);
}

static void what_follows_counts_into_the_length(void **state) {
    (void)state;
    uint8_t bytes[P9_WRITE_BYTES];
    struct p9_writer writer;
    p9_begin(&writer, bytes, sizeof bytes, P9_TWRITE, 0);
    p9_put32(&writer, 1);
    p9_put64(&writer, 2);
    p9_put32(&writer, 4096);
    assert_int_equal(p9_end(&writer, 4096), P9_WRITE_BYTES);
    assert_int_equal(bytes[0] | bytes[1] << 8, P9_WRITE_BYTES + 4096);
}

static void a_message_that_does_not_fit_is_none(void **state) {
    (void)state;
    for (size_t size = 0; size < 17; size++) {
        uint8_t bytes[32];
        struct p9_writer writer;
        memset(bytes, 0xee, sizeof bytes);
        p9_begin(&writer, bytes, size, P9_TWALK, 5);
        p9_put64(&writer, 1);
        p9_put_string(&writer, "", 0);
        assert_int_equal(p9_end(&writer, 0), 0);
        for (size_t i = size; i < sizeof bytes; i++)
            assert_int_equal(bytes[i], 0xee);
    }
    uint8_t small[16];
    struct p9_writer writer;
    p9_begin(&writer, small, sizeof small, P9_TWALK, 5);
    p9_put_string(&writer, "a name too long", 15);
    assert_int_equal(p9_end(&writer, 0), 0);
}

static void an_error_is_the_servers(void **state) {
    (void)state;
    const uint8_t bytes[] = {11, 0, 0, 0, 7, 5, 0, 2, 0, 0, 0};
    struct p9_reader reader;
    assert_int_equal(p9_open_answer(&reader, bytes, 11, 0, P9_TWALK, 5), -ENOENT);
}

static void errors_out_of_range_and_half_ones_are_io_errors(void **state) {
    (void)state;
    const uint8_t none[] = {11, 0, 0, 0, 7, 5, 0, 0, 0, 0, 0};
    const uint8_t large[] = {11, 0, 0, 0, 7, 5, 0, 0, 16, 0, 0};
    struct p9_reader reader;
    assert_int_equal(p9_open_answer(&reader, none, 11, 0, P9_TWALK, 5), -EIO);
    assert_int_equal(p9_open_answer(&reader, large, 11, 0, P9_TWALK, 5), -EIO);
    assert_int_equal(p9_open_answer(&reader, none, 9, 0, P9_TWALK, 5), -EIO);
}

static void answers_to_something_else_are_io_errors(void **state) {
    (void)state;
    const uint8_t bytes[] = {9, 0, 0, 0, 111, 5, 0, 0, 0};
    struct p9_reader reader;
    assert_int_equal(p9_open_answer(&reader, bytes, 9, 0, P9_TWALK, 5), 0);
    assert_int_equal(p9_open_answer(&reader, bytes, 9, 0, P9_TWALK, 6), -EIO);
    assert_int_equal(p9_open_answer(&reader, bytes, 9, 0, P9_TREAD, 5), -EIO);
    assert_int_equal(p9_open_answer(&reader, bytes, 8, 0, P9_TWALK, 5), -EIO);
    assert_int_equal(p9_open_answer(&reader, bytes, 8, 1, P9_TWALK, 5), 0);
}

static void strings_stay_inside_the_message(void **state) {
    (void)state;
    const uint8_t bytes[] = {3, 0, 'a', 'b', 'c', 2, 0, 'd'};
    struct p9_reader reader = {.bytes = bytes, .size = sizeof bytes};
    struct p9_string text = p9_get_string(&reader);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.text, "abc", 3);
    text = p9_get_string(&reader);
    assert_int_equal(text.length, 0);
    assert_true(reader.bad);
    assert_int_equal(p9_get8(&reader), 0);
}

static void entries_are_read_until_the_last(void **state) {
    (void)state;
    uint8_t bytes[64] = {0};
    struct p9_writer writer = {.bytes = bytes, .size = sizeof bytes};
    for (uint8_t i = 1; i <= 2; i++) {
        p9_put8(&writer, P9_QID_DIRECTORY);
        p9_put32(&writer, 7);
        p9_put64(&writer, 100 + i);
        p9_put64(&writer, i);
        p9_put8(&writer, 4);
        p9_put_string(&writer, "x", 1);
    }
    struct p9_reader reader = {.bytes = bytes, .size = writer.at};
    struct p9_entry entry;
    for (unsigned i = 1; i <= 2; i++) {
        assert_true(p9_get_entry(&reader, &entry));
        assert_int_equal(entry.qid.path, 100 + i);
        assert_int_equal(entry.next, i);
        assert_int_equal(entry.name.length, 1);
    }
    assert_false(p9_get_entry(&reader, &entry));
    assert_false(reader.bad);
    reader = (struct p9_reader){.bytes = bytes, .size = writer.at - 1};
    assert_true(p9_get_entry(&reader, &entry));
    assert_false(p9_get_entry(&reader, &entry));
    assert_true(reader.bad);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_written_little_endian),
        cmocka_unit_test(what_follows_counts_into_the_length),
        cmocka_unit_test(a_message_that_does_not_fit_is_none),
        cmocka_unit_test(an_error_is_the_servers),
        cmocka_unit_test(errors_out_of_range_and_half_ones_are_io_errors),
        cmocka_unit_test(answers_to_something_else_are_io_errors),
        cmocka_unit_test(strings_stay_inside_the_message),
        cmocka_unit_test(entries_are_read_until_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
