/*
 * The rules of parameters: integers, refs, and pointers that say how they cross an address space.
 *
 * A parameter marked K42_LOCAL is excused from everything but fitting a register: its method has no
 * proxy. The functions take a parameter through: its type, its notes, what it points to.
 */
#include "interface.h"

#include <string.h>

/* What one breach of a parameter begins with. */
static const char *which(struct header *header, const struct method *method,
                         const struct parameter *parameter) {
    return header_print(header, "parameter '%s' of method '%s'", parameter->name, method->name);
}

/* False when the type is none that a register could carry. */
static bool check_type(struct header *header, const struct parameter *parameter, const char *what) {
    const struct type *type = parameter->type;
    switch (type->kind) {
    case TYPE_INTEGER:
    case TYPE_REF:
    case TYPE_POINTER:
        return true;
    case TYPE_ARRAY:
        header_breach(header, parameter->location,
                      "%s is written as an array '%s': write a pointer with K42_BUF(length, limit)",
                      what, type->spelling);
        return false;
    case TYPE_STRUCT:
        header_breach(header, parameter->location,
                      "%s is '%s' by value: pass a pointer to it with K42_IN", what,
                      type->spelling);
        return false;
    case TYPE_FLOATING:
        header_breach(header, parameter->location,
                      "%s is '%s': floating point is not passed; use an integer in a unit that "
                      "its name tells",
                      what, type->spelling);
        return false;
    default:
        header_breach(header, parameter->location,
                      "%s is '%s': only integers of at most 64 bits, refs and pointers are passed",
                      what, type->spelling);
        return false;
    }
}

/* False when the notes contradict each other or the type. */
static bool check_notes(struct header *header, const struct parameter *parameter,
                        const char *what) {
    unsigned notes = parameter->notes, direction = notes & NOTE_DIRECTION;
    size_t before = header->breach_count;
    if (direction & (direction - 1))
        header_breach(header, parameter->location,
                      "%s has more than one direction: one of K42_IN, K42_OUT, K42_INOUT", what);
    if ((notes & NOTE_BUF) && (notes & NOTE_STRING))
        header_breach(header, parameter->location,
                      "%s is both K42_BUF and K42_STRING: a buffer has a length, a string ends "
                      "itself; choose one",
                      what);
    if (parameter->repeated)
        header_breach(header, parameter->location, "%s has an annotation twice: once says it",
                      what);
    if (parameter->type->kind != TYPE_POINTER && (notes & ~(unsigned)NOTE_LOCAL))
        header_breach(header, parameter->location,
                      "%s is '%s', which goes in by itself: directions, K42_BUF and K42_STRING are "
                      "for pointers",
                      what, parameter->type->spelling);
    return header->breach_count == before;
}

static void check_direction(struct header *header, const struct parameter *parameter,
                            const char *what) {
    bool written = parameter->notes & (NOTE_OUT | NOTE_INOUT);
    bool is_const = parameter->type->pointee->is_const;
    if (written && is_const)
        header_breach(header, parameter->location,
                      "%s is written through, but points to const: drop the const, or write K42_IN",
                      what);
    if (!(parameter->notes & NOTE_DIRECTION) && !is_const)
        header_breach(header, parameter->location,
                      "%s has no direction: add K42_OUT or K42_INOUT, or point to const", what);
}

static void check_limit(struct header *header, const struct parameter *parameter,
                        const char *what) {
    const struct constant *limit = parameter->limit;
    if (limit->state != CONSTANT_KNOWN)
        header_breach(header, parameter->location,
                      "%s has the limit '%s', which is not a constant known here", what,
                      limit->expression);
    else if (limit->value < 1 || limit->value > 1LL << 40)
        header_breach(header, parameter->location,
                      "%s has a limit of %lld bytes: it must be at least 1, at most 2^40", what,
                      limit->value);
}

static void check_buffer(struct header *header, const struct method *method,
                         const struct parameter *parameter, const char *what) {
    const struct parameter *length = NULL;
    for (size_t i = 1; i < method->parameter_count; i++)
        if (strcmp(method->parameters[i].name, parameter->length) == 0)
            length = &method->parameters[i];
    if (!length)
        header_breach(header, parameter->location,
                      "%s has its length in '%s', which is no parameter of the method", what,
                      parameter->length);
    else if (length->type->kind != TYPE_INTEGER)
        header_breach(header, parameter->location,
                      "%s has its length in '%s', which is '%s': it must be an integer", what,
                      parameter->length, length->type->spelling);
    const struct type *element = parameter->type->pointee;
    if (element->obstacle)
        header_breach(
            header, parameter->location,
            "%s is a buffer of '%s', which cannot cross an address space: %s; pass ids or "
            "bytes, or mark it K42_LOCAL",
            what, element->spelling, element->obstacle);
}

/* A pointer to one object. */
static void check_pointee(struct header *header, const struct parameter *parameter,
                          const char *what) {
    const struct type *pointee = parameter->type->pointee;
    if (pointee->kind == TYPE_VOID)
        header_breach(header, parameter->location,
                      "%s points to void, of unknown size: add K42_BUF(length, limit), or mark it "
                      "K42_LOCAL",
                      what);
    else if (pointee->obstacle)
        header_breach(header, parameter->location,
                      "%s points to '%s', which cannot cross an address space: %s; pass a ref or a "
                      "copy, or mark it K42_LOCAL",
                      what, pointee->spelling, pointee->obstacle);
    else if (!(parameter->notes & NOTE_DIRECTION))
        header_breach(header, parameter->location,
                      "%s is a pointer without annotation: add K42_IN, K42_OUT or K42_INOUT, "
                      "K42_BUF(length, limit) or K42_STRING(limit)",
                      what);
    else
        check_direction(header, parameter, what);
}

void rules_check_parameter(struct header *header, const struct method *method,
                           const struct parameter *parameter) {
    if (!*parameter->name) {
        header_breach(header, parameter->location,
                      "method '%s' has a parameter without a name: name it", method->name);
        return;
    }
    const char *what = which(header, method, parameter);
    if (!name_is_proper(parameter->name))
        header_breach(header, parameter->location,
                      "%s is not named in lower case: use a-z, 0-9 and _", what);
    if (!check_type(header, parameter, what) || parameter->notes & NOTE_LOCAL)
        return;
    if (!check_notes(header, parameter, what) || parameter->type->kind != TYPE_POINTER)
        return;

    if (parameter->notes & (NOTE_BUF | NOTE_STRING)) {
        check_direction(header, parameter, what);
        check_limit(header, parameter, what);
    }
    if (parameter->notes & NOTE_BUF)
        check_buffer(header, method, parameter, what);
    else if (!(parameter->notes & NOTE_STRING))
        check_pointee(header, parameter, what);
    else if (!parameter->type->pointee->is_character)
        header_breach(header, parameter->location,
                      "%s is K42_STRING, but points to '%s': strings are of char", what,
                      parameter->type->pointee->spelling);
}
