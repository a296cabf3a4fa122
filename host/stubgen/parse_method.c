/*
 * Methods and their parameters, as a struct of operations declares them.
 *
 * Methods keep the order of the struct: it is their numbering. Nothing is judged here.
 */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

struct method_visit {
    struct reader *reader;
    struct interface *interface;
    bool inherited;
};

static const char *trimmed(struct reader *reader, const char *start, const char *end) {
    while (start < end && (*start == ' ' || *start == '\t'))
        start++;
    while (end > start && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    return header_print(reader->header, "%.*s", (int)(end - start), start);
}

/* Adds the annotation "k42:..." to the parameter; those of others are not ours. */
static void read_note(struct reader *reader, struct parameter *parameter, const char *note) {
    static const struct {
        const char *text;
        unsigned note;
    } plain[] = {{"in", NOTE_IN}, {"out", NOTE_OUT}, {"inout", NOTE_INOUT}, {"local", NOTE_LOCAL}};

    if (strncmp(note, "k42:", 4) != 0)
        return;
    note += 4;
    unsigned read = 0;
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strcmp(note, plain[i].text) == 0)
            read = plain[i].note;

    const char *open = strchr(note, '('), *close = strrchr(note, ')');
    if (!read && open && close > open) {
        const char *limit = open + 1;
        if (strncmp(note, "buf(", 4) == 0) {
            const char *comma = strchr(note, ',');
            if (!comma)
                comma = close;
            parameter->length = trimmed(reader, open + 1, comma);
            limit = comma < close ? comma + 1 : close;
            read = NOTE_BUF;
        } else {
            read = NOTE_STRING;
        }
        if (!(parameter->notes & read))
            parameter->limit =
                want_constant(reader, parameter->location, trimmed(reader, limit, close), NULL);
    }
    parameter->repeated |= parameter->notes & read;
    parameter->notes |= read;
}

struct note_visit {
    struct reader *reader;
    struct parameter *parameter;
};

static enum CXChildVisitResult visit_note(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct note_visit *visit = data;
    if (clang_getCursorKind(cursor) == CXCursor_AnnotateAttr)
        read_note(visit->reader, visit->parameter,
                  reader_take(visit->reader, clang_getCursorSpelling(cursor)));
    return CXChildVisit_Continue;
}

struct parameter_visit {
    struct reader *reader;
    struct method *method;
};

static enum CXChildVisitResult visit_parameter(CXCursor cursor, CXCursor parent,
                                               CXClientData data) {
    (void)parent;
    struct parameter_visit *visit = data;
    struct reader *reader = visit->reader;
    struct method *method = visit->method;
    if (clang_getCursorKind(cursor) != CXCursor_ParmDecl)
        return CXChildVisit_Continue;

    struct parameter *parameter = header_append(reader->header, &method->parameters,
                                                &method->parameter_count, sizeof(*parameter));
    memset(parameter, 0, sizeof(*parameter));
    parameter->name = reader_take(reader, clang_getCursorSpelling(cursor));
    parameter->location = reader_location(reader, clang_getCursorLocation(cursor));
    parameter->type = read_type(reader, clang_getCursorType(cursor));
    struct note_visit notes = {reader, parameter};
    clang_visitChildren(cursor, visit_note, &notes);
    return CXChildVisit_Continue;
}

static void read_result(struct reader *reader, struct method *method, CXType function) {
    CXType result = clang_getResultType(function);
    const char *spelling = reader_take(reader, clang_getTypeSpelling(result));
    method->result_spelling = spelling;
    method->result = strcmp(spelling, "k42_result") == 0        ? RESULT_WORD
                     : strcmp(spelling, "struct k42_pair") == 0 ? RESULT_PAIR
                                                                : RESULT_OTHER;
}

/* What the text says about a method: its comment, and whether a macro declares it. */
static void read_text(struct reader *reader, struct method *method, CXCursor field) {
    CXFile file;
    unsigned start, end;
    CXSourceRange extent = clang_getCursorExtent(field);
    clang_getExpansionLocation(clang_getRangeStart(extent), &file, NULL, NULL, &start);
    clang_getExpansionLocation(clang_getRangeEnd(extent), NULL, NULL, NULL, &end);
    size_t size;
    const char *source = file ? clang_getFileContents(reader->unit, file, &size) : NULL;
    if (!source || start > size || end > size)
        return;
    method->by_macro = strncmp(source + start, "K42_METHOD(", 11) == 0 ||
                       strncmp(source + start, "K42_METHOD_PAIR(", 16) == 0;
    method->doc = comment_before(reader->header, source, start);
    if (!method->doc)
        method->doc = comment_after(reader->header, source, end);
}

static enum CXChildVisitResult visit_field(CXCursor field, CXCursor parent, CXClientData data);

static void read_method(struct method_visit *visit, CXCursor field, const char *name) {
    struct reader *reader = visit->reader;
    struct interface *interface = visit->interface;
    struct method *method = header_append(reader->header, &interface->methods,
                                          &interface->method_count, sizeof(*method));
    memset(method, 0, sizeof(*method));
    method->name = name;
    method->location = reader_location(reader, clang_getCursorLocation(field));
    method->inherited = visit->inherited;
    read_text(reader, method, field);

    CXType function = clang_getPointeeType(clang_getCanonicalType(clang_getCursorType(field)));
    method->is_function =
        function.kind == CXType_FunctionProto || function.kind == CXType_FunctionNoProto;
    if (!method->is_function)
        return;
    method->variadic =
        function.kind == CXType_FunctionProto && clang_isFunctionTypeVariadic(function);
    /* The type as written, not the canonical one: it names k42_result. */
    read_result(reader, method, clang_getPointeeType(clang_getCursorType(field)));
    struct parameter_visit parameters = {reader, method};
    clang_visitChildren(field, visit_parameter, &parameters);
}

static enum CXChildVisitResult visit_field(CXCursor field, CXCursor parent, CXClientData data) {
    (void)parent;
    struct method_visit *visit = data;
    if (clang_getCursorKind(field) != CXCursor_FieldDecl)
        return CXChildVisit_Continue;
    const char *name = reader_take(visit->reader, clang_getCursorSpelling(field));
    CXType type = clang_getCanonicalType(clang_getCursorType(field));
    const char *spelling = reader_take(visit->reader, clang_getTypeSpelling(type));
    if (visit->interface->method_count == 0 && strcmp(name, "object") == 0 &&
        strcmp(spelling, "struct k42_object_ops") == 0) {
        visit->interface->begins_common = true;
        struct method_visit common = {visit->reader, visit->interface, true};
        clang_visitChildren(clang_getTypeDeclaration(type), visit_field, &common);
        return CXChildVisit_Continue;
    }
    read_method(visit, field, name);
    return CXChildVisit_Continue;
}

void read_methods(struct reader *reader, struct interface *interface, CXCursor operations) {
    struct method_visit visit = {reader, interface, false};
    clang_visitChildren(operations, visit_field, &visit);
}
