/*
 * Operations on a program's words that others change too, made of compare-and-exchange: user_copy.S
 * has that.
 */
#include "user_copy.h"

static uint32_t applied(enum user_operation operation, uint32_t word, uint32_t operand) {
    switch (operation) {
    case USER_ADD:
        return word + operand;
    case USER_OR:
        return word | operand;
    case USER_AND_NOT:
        return word & ~operand;
    case USER_XOR:
        return word ^ operand;
    case USER_SET:
        break;
    }
    return operand;
}

int user_fetch_operation32(uintptr_t at, enum user_operation operation, uint32_t operand,
                           uint32_t *old) {
    uint32_t expected;
    int error = user_get32(old, at);
    do {
        expected = *old;
        if (!error)
            error = user_compare_exchange32(at, old, applied(operation, expected, operand));
    } while (!error && *old != expected);
    return error;
}
