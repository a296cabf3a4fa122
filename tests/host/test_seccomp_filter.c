/*
 * Filters of calls: which programs are sound, and what sound ones answer.
 */
#include "../../kernel/linux/seccomp/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define LENGTH(program) (sizeof(program) / sizeof(program)[0])
#define LOAD(member)    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define ANSWER(value)   BPF_STMT(BPF_RET | BPF_K, value)

static const struct seccomp_data call = {.nr = 39, .args = {7, 0x100000002}};

static bool is_sound(const struct sock_filter *program, unsigned length) {
    uint16_t cells[FILTER_MOST];
    return filter_is_sound(program, length, cells);
}

static uint32_t run(const struct sock_filter *program, unsigned length) {
    assert_true(is_sound(program, length));
    return filter_run(program, &call);
}

static void a_program_sees_a_calls_number_and_arguments(void **unused) {
    (void)unused;
    const struct sock_filter by_number[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 0, 1),
                                            ANSWER(1), ANSWER(2)};
    const struct sock_filter low[] = {LOAD(args[1]), BPF_STMT(BPF_RET | BPF_A, 0)};
    const struct sock_filter high[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
        BPF_STMT(BPF_RET | BPF_A, 0)};
    assert_int_equal(run(by_number, LENGTH(by_number)), 1);
    assert_int_equal(run(low, LENGTH(low)), 2);
    assert_int_equal(run(high, LENGTH(high)), 1);
}

static uint32_t calculate(uint16_t operation, uint32_t a, uint32_t b) {
    const struct sock_filter with_constant[] = {BPF_STMT(BPF_LD | BPF_IMM, a),
                                                BPF_STMT(BPF_ALU | operation | BPF_K, b),
                                                BPF_STMT(BPF_RET | BPF_A, 0)};
    const struct sock_filter with_x[] = {
        BPF_STMT(BPF_LDX | BPF_IMM, b), BPF_STMT(BPF_LD | BPF_IMM, a),
        BPF_STMT(BPF_ALU | operation | BPF_X, 0), BPF_STMT(BPF_RET | BPF_A, 0)};
    uint32_t result = run(with_constant, LENGTH(with_constant));
    assert_int_equal(run(with_x, LENGTH(with_x)), result);
    return result;
}

static void arithmetic_is_of_32_bits(void **unused) {
    (void)unused;
    assert_int_equal(calculate(BPF_ADD, 0xffffffff, 3), 2);
    assert_int_equal(calculate(BPF_SUB, 1, 3), 0xfffffffe);
    assert_int_equal(calculate(BPF_MUL, 0x10001, 0x10001), 0x20001);
    assert_int_equal(calculate(BPF_DIV, 0xffffffff, 2), 0x7fffffff);
    assert_int_equal(calculate(BPF_AND, 0xff0, 0x0ff), 0x0f0);
    assert_int_equal(calculate(BPF_OR, 0xff0, 0x00f), 0xfff);
    assert_int_equal(calculate(BPF_XOR, 0xff0, 0x0ff), 0xf0f);
    assert_int_equal(calculate(BPF_LSH, 1, 31), 0x80000000);
    assert_int_equal(calculate(BPF_RSH, 0x80000000, 31), 1);
    const struct sock_filter negated[] = {BPF_STMT(BPF_LD | BPF_IMM, 1),
                                          BPF_STMT(BPF_ALU | BPF_NEG, 0),
                                          BPF_STMT(BPF_RET | BPF_A, 0)};
    assert_int_equal(run(negated, LENGTH(negated)), 0xffffffff);
}

static void division_by_what_turns_out_0_ends_the_thread(void **unused) {
    (void)unused;
    const struct sock_filter program[] = {BPF_STMT(BPF_LDX | BPF_IMM, 0),
                                          BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
                                          ANSWER(SECCOMP_RET_ALLOW)};
    assert_int_equal(run(program, LENGTH(program)), SECCOMP_RET_KILL_THREAD);
}

static void cells_and_both_registers_keep_what_they_get(void **unused) {
    (void)unused;
    const struct sock_filter program[] = {BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
                                          BPF_STMT(BPF_MISC | BPF_TAX, 0),
                                          BPF_STMT(BPF_STX, 15),
                                          BPF_STMT(BPF_LD | BPF_IMM, 1),
                                          BPF_STMT(BPF_ST, 0),
                                          BPF_STMT(BPF_LD | BPF_MEM, 15),
                                          BPF_STMT(BPF_LDX | BPF_MEM, 0),
                                          BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
                                          BPF_STMT(BPF_MISC | BPF_TAX, 0),
                                          BPF_STMT(BPF_LD | BPF_IMM, 9),
                                          BPF_STMT(BPF_MISC | BPF_TXA, 0),
                                          BPF_STMT(BPF_RET | BPF_A, 0)};
    assert_int_equal(run(program, LENGTH(program)), sizeof call + 1);
}

static void comparisons_have_no_sign(void **unused) {
    (void)unused;
    const struct {
        uint16_t operation;
        uint32_t value;
        uint32_t answer;
    } tests[] = {{BPF_JEQ, 39, 1}, {BPF_JEQ, 40, 2},         {BPF_JGT, 38, 1}, {BPF_JGT, 39, 2},
                 {BPF_JGE, 39, 1}, {BPF_JGE, 0x80000000, 2}, {BPF_JSET, 1, 1}, {BPF_JSET, 64, 2}};
    for (unsigned i = 0; i < LENGTH(tests); i++) {
        const struct sock_filter program[] = {
            LOAD(nr), BPF_JUMP(BPF_JMP | tests[i].operation | BPF_K, tests[i].value, 0, 1),
            ANSWER(1), ANSWER(2)};
        assert_int_equal(run(program, LENGTH(program)), tests[i].answer);
    }
}

static void refused(struct sock_filter first, struct sock_filter second) {
    const struct sock_filter program[] = {first, second, ANSWER(0)};
    assert_false(is_sound(program, LENGTH(program)));
}

static void what_is_not_sound_is_refused(void **unused) {
    (void)unused;
    const struct sock_filter nothing = BPF_STMT(BPF_LD | BPF_IMM, 0);
    const struct sock_filter no_end[] = {nothing};
    assert_false(is_sound(no_end, 1));
    assert_false(is_sound(no_end, 0));
    refused((struct sock_filter)BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_IND, 0), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, sizeof call), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_ST, 16), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_LD | BPF_MEM, 3), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 2), nothing);
    refused((struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0xffffffff), nothing);
    refused((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2), nothing);
    refused((struct sock_filter)BPF_STMT(0xffff, 0), nothing);
}

static void a_cell_counts_as_written_if_it_is_so_on_every_way(void **unused) {
    (void)unused;
    const struct sock_filter on_one[] = {LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 0, 1),
                                         BPF_STMT(BPF_ST, 2), BPF_STMT(BPF_LD | BPF_MEM, 2),
                                         BPF_STMT(BPF_RET | BPF_A, 0)};
    const struct sock_filter on_both[] = {LOAD(nr),
                                          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 39, 0, 2),
                                          BPF_STMT(BPF_ST, 2),
                                          BPF_STMT(BPF_JMP | BPF_JA, 1),
                                          BPF_STMT(BPF_ST, 2),
                                          BPF_STMT(BPF_LD | BPF_MEM, 2),
                                          BPF_STMT(BPF_RET | BPF_A, 0)};
    assert_false(is_sound(on_one, LENGTH(on_one)));
    assert_int_equal(run(on_both, LENGTH(on_both)), 39);
}

static void the_longest_program_is_run_to_its_end(void **unused) {
    static struct sock_filter program[FILTER_MOST + 1];
    (void)unused;
    for (unsigned n = 0; n < FILTER_MOST; n++)
        program[n] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_ADD | BPF_K, 1);
    program[FILTER_MOST - 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_A, 0);
    assert_int_equal(run(program, FILTER_MOST), FILTER_MOST - 1);
    program[FILTER_MOST] = program[FILTER_MOST - 1];
    assert_false(is_sound(program, FILTER_MOST + 1));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_sees_a_calls_number_and_arguments),
        cmocka_unit_test(arithmetic_is_of_32_bits),
        cmocka_unit_test(division_by_what_turns_out_0_ends_the_thread),
        cmocka_unit_test(cells_and_both_registers_keep_what_they_get),
        cmocka_unit_test(comparisons_have_no_sign),
        cmocka_unit_test(what_is_not_sound_is_refused),
        cmocka_unit_test(a_cell_counts_as_written_if_it_is_so_on_every_way),
        cmocka_unit_test(the_longest_program_is_run_to_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
