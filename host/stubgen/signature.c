/*
 * Signatures: one line that says what a method takes.
 *
 *     add(in:i64 n)
 *     describe(out:buf(size,4096) text, in:u64 size)
 *     find(in:string(255) name, out:ref(cache) found)->pair
 *
 * A parameter is DIRECTION:TYPE NAME. Types: i8 to i64, u8 to u64, bool; ref(INTERFACE);
 * struct(TAG,BYTES); buf(LENGTH,LIMIT) and string(LIMIT), limits in bytes; ptr, for what is local.
 * The shape is the same without names, a buffer's length as the number of its parameter: two
 * methods of one shape are called alike.
 */
#include "interface.h"

#include <stdlib.h>
#include <string.h>

unsigned interface_version(const struct interface *interface) {
    return interface->version->state == CONSTANT_KNOWN ? (unsigned)interface->version->value : 1;
}

bool interface_is_atomic(const struct interface *interface) {
    return interface->atomic->state == CONSTANT_KNOWN && interface->atomic->value == 1;
}

bool method_is_local(const struct method *method) {
    for (size_t i = 1; i < method->parameter_count; i++)
        if (method->parameters[i].notes & NOTE_LOCAL)
            return true;
    return false;
}

const char *parameter_direction(const struct parameter *parameter) {
    if (parameter->notes & NOTE_LOCAL)
        return "local";
    if (parameter->notes & NOTE_INOUT)
        return "inout";
    return parameter->notes & NOTE_OUT ? "out" : "in";
}

static void print_type(FILE *out, const struct type *type) {
    switch (type->kind) {
    case TYPE_INTEGER:
        if (type->is_bool)
            fputs("bool", out);
        else
            fprintf(out, "%c%u", type->is_signed ? 'i' : 'u', type->bits);
        break;
    case TYPE_REF:
        fprintf(out, "ref(%s)", type->tag);
        break;
    case TYPE_STRUCT:
        fprintf(out, "struct(%s,%zu)", type->tag, type->bytes);
        break;
    default:
        fputs("ptr", out);
    }
}

static size_t parameter_number(const struct method *method, const char *name) {
    size_t number = 1;
    while (number < method->parameter_count && strcmp(method->parameters[number].name, name) != 0)
        number++;
    return number;
}

enum style { WITH_NAMES, SHAPE_ONLY };

static void print_parameter(FILE *out, const struct method *method,
                            const struct parameter *parameter, enum style style) {
    const struct type *type = parameter->type;
    fprintf(out, "%s:", parameter_direction(parameter));
    if (parameter->notes & NOTE_LOCAL)
        print_type(out, type);
    else if (parameter->notes & NOTE_STRING)
        fprintf(out, "string(%lld)", parameter->limit->value);
    else if (parameter->notes & NOTE_BUF && style == SHAPE_ONLY)
        fprintf(out, "buf(#%zu,%lld)", parameter_number(method, parameter->length),
                parameter->limit->value);
    else if (parameter->notes & NOTE_BUF)
        fprintf(out, "buf(%s,%lld)", parameter->length, parameter->limit->value);
    else
        print_type(out, type->kind == TYPE_POINTER ? type->pointee : type);
    if (style == WITH_NAMES)
        fprintf(out, " %s", parameter->name);
}

static const char *print_signature(struct header *header, const struct method *method,
                                   enum style style) {
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        exit(fail("out of memory"));
    fprintf(out, "%s(", method->name);
    for (size_t i = 1; i < method->parameter_count; i++) {
        if (i > 1)
            fputs(style == WITH_NAMES ? ", " : ",", out);
        print_parameter(out, method, &method->parameters[i], style);
    }
    fputs(method->result == RESULT_PAIR ? ")->pair" : ")", out);
    if (fclose(out) != 0)
        exit(fail("out of memory"));
    const char *copy = header_copy(header, text);
    free(text);
    return copy;
}

const char *signature_text(struct header *header, const struct method *method) {
    return print_signature(header, method, WITH_NAMES);
}

const char *signature_shape(struct header *header, const struct method *method) {
    return print_signature(header, method, SHAPE_ONLY);
}

const char *declare(struct header *header, const struct type *type, const char *name) {
    const char *spelling = type->spelling;
    const char *inside = strstr(spelling, "(*"), *bracket = strchr(spelling, '[');
    if (inside)
        return header_print(header, "%.*s%s%s", (int)(inside + 2 - spelling), spelling, name,
                            inside + 2);
    if (bracket)
        return header_print(header, "%.*s %s%s", (int)(bracket - spelling), spelling, name,
                            bracket);
    bool joined = *spelling && spelling[strlen(spelling) - 1] == '*';
    return header_print(header, "%s%s%s", spelling, joined ? "" : " ", name);
}
