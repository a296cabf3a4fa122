/*
 * Classic BPF as seccomp has it. See filter.h.
 *
 * A checked program has no loops, so it ends after as many steps as it has instructions at most.
 */
#include "filter.h"

#include <stddef.h>

/* ---- the check ---- */

/* An operation that seccomp knows, whatever its constants. */
static bool is_known(uint16_t code) {
    switch (code) {
    case BPF_LD | BPF_W | BPF_ABS:
    case BPF_LD | BPF_W | BPF_LEN:
    case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM:
    case BPF_LDX | BPF_IMM:
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
    case BPF_MISC | BPF_TAX:
    case BPF_MISC | BPF_TXA:
    case BPF_RET | BPF_K:
    case BPF_RET | BPF_A:
    case BPF_JMP | BPF_JA:
        return true;
    }
    unsigned operation = BPF_OP(code);
    if ((code & ~(unsigned)(0xf0 | BPF_X)) == BPF_JMP)
        return operation == BPF_JEQ || operation == BPF_JGT || operation == BPF_JGE ||
               operation == BPF_JSET;
    if (code == (BPF_ALU | BPF_NEG))
        return true;
    return (code & ~(unsigned)(0xf0 | BPF_X)) == BPF_ALU &&
           (operation == BPF_ADD || operation == BPF_SUB || operation == BPF_MUL ||
            operation == BPF_DIV || operation == BPF_AND || operation == BPF_OR ||
            operation == BPF_XOR || operation == BPF_LSH || operation == BPF_RSH);
}

static bool is_access(uint16_t code) {
    return code == (BPF_LD | BPF_MEM) || code == (BPF_LDX | BPF_MEM) || code == BPF_ST ||
           code == BPF_STX;
}

/* One instruction's constants, with so many instructions behind it. */
static bool constants_fit(const struct sock_filter *at, unsigned behind) {
    uint16_t code = at->code;
    if (code == (BPF_LD | BPF_W | BPF_ABS))
        return at->k < sizeof(struct seccomp_data) && at->k % 4 == 0;
    if (is_access(code))
        return at->k < BPF_MEMWORDS;
    if (code == (BPF_JMP | BPF_JA))
        return at->k < behind;
    if (BPF_CLASS(code) == BPF_JMP)
        return at->jt < behind && at->jf < behind;
    if (code == (BPF_ALU | BPF_DIV | BPF_K))
        return at->k != 0;
    if (code == (BPF_ALU | BPF_LSH | BPF_K) || code == (BPF_ALU | BPF_RSH | BPF_K))
        return at->k < 32;
    return true;
}

/*
 * Cells that are written on every way to an instruction. `cells` has, for each instruction, those
 * that are so on all jumps to it; jumps lead forward, so one pass sees all of them.
 */
static bool reads_what_was_written(const struct sock_filter *program, unsigned length,
                                   uint16_t *cells) {
    uint16_t written = 0;
    for (unsigned n = 0; n < length; n++)
        cells[n] = 0xffff;
    for (unsigned n = 0; n < length; n++) {
        const struct sock_filter *at = &program[n];
        written &= cells[n];
        if (at->code == BPF_ST || at->code == BPF_STX) {
            written |= (uint16_t)(1u << at->k);
        } else if (is_access(at->code)) {
            if (!(written >> at->k & 1))
                return false;
        } else if (at->code == (BPF_JMP | BPF_JA)) {
            cells[n + 1 + at->k] &= written;
            written = 0xffff;
        } else if (BPF_CLASS(at->code) == BPF_JMP) {
            cells[n + 1 + at->jt] &= written;
            cells[n + 1 + at->jf] &= written;
            written = 0xffff;
        }
    }
    return true;
}

bool filter_is_sound(const struct sock_filter *program, unsigned length, uint16_t *cells) {
    if (!length || length > FILTER_MOST)
        return false;
    for (unsigned n = 0; n < length; n++)
        if (!is_known(program[n].code) || !constants_fit(&program[n], length - n - 1))
            return false;
    return BPF_CLASS(program[length - 1].code) == BPF_RET &&
           reads_what_was_written(program, length, cells);
}

/* ---- running it ---- */

struct machine {
    uint32_t a, x, cells[BPF_MEMWORDS];
};

static uint32_t compute(unsigned operation, uint32_t a, uint32_t b) {
    switch (operation) {
    case BPF_ADD:
        return a + b;
    case BPF_SUB:
        return a - b;
    case BPF_MUL:
        return a * b;
    case BPF_DIV:
        return a / b;
    case BPF_AND:
        return a & b;
    case BPF_OR:
        return a | b;
    case BPF_XOR:
        return a ^ b;
    case BPF_LSH:
        return a << (b & 31);
    case BPF_RSH:
        return a >> (b & 31);
    default:
        return -a; /* BPF_NEG */
    }
}

static bool holds(unsigned operation, uint32_t a, uint32_t b) {
    return operation == BPF_JEQ   ? a == b
           : operation == BPF_JGT ? a > b
           : operation == BPF_JGE ? a >= b
                                  : (a & b) != 0;
}

static void load(struct machine *machine, const struct sock_filter *at,
                 const struct seccomp_data *data) {
    uint32_t value = at->k; /* BPF_IMM */
    if (BPF_MODE(at->code) == BPF_ABS)
        __builtin_memcpy(&value, (const char *)data + at->k, sizeof value);
    else if (BPF_MODE(at->code) == BPF_LEN)
        value = sizeof *data;
    else if (BPF_MODE(at->code) == BPF_MEM)
        value = machine->cells[at->k];
    if (BPF_CLASS(at->code) == BPF_LD)
        machine->a = value;
    else
        machine->x = value;
}

uint32_t filter_run(const struct sock_filter *program, const struct seccomp_data *data) {
    struct machine machine = {0};
    for (const struct sock_filter *at = program;; at++) {
        uint32_t operand = BPF_SRC(at->code) == BPF_X ? machine.x : at->k;
        unsigned operation = BPF_OP(at->code);
        switch (BPF_CLASS(at->code)) {
        case BPF_LD:
        case BPF_LDX:
            load(&machine, at, data);
            break;
        case BPF_ST:
            machine.cells[at->k] = machine.a;
            break;
        case BPF_STX:
            machine.cells[at->k] = machine.x;
            break;
        case BPF_ALU:
            if (operation == BPF_DIV && !operand)
                return 0;
            machine.a = compute(operation, machine.a, operand);
            break;
        case BPF_JMP:
            at += operation == BPF_JA                    ? at->k
                  : holds(operation, machine.a, operand) ? at->jt
                                                         : at->jf;
            break;
        case BPF_RET:
            return BPF_RVAL(at->code) == BPF_A ? machine.a : at->k;
        default: /* BPF_MISC */
            if (BPF_MISCOP(at->code) == BPF_TAX)
                machine.x = machine.a;
            else
                machine.a = machine.x;
        }
    }
}
