/*
 * Reads a header with libclang: finds its interfaces and what belongs to them.
 *
 * An interface is known by a struct of operations in the header itself (not in what it includes):
 * one whose first member is `struct k42_object_ops object`, or that has a member declared with
 * K42_METHOD. In the header that defines k42_object_ops, that struct alone is one.
 *
 * The reader's own copies live in the header's arena; libclang's things are disposed of at the end
 * of header_parse(). Fails with clang's diagnostics when the header does not compile.
 */
#include "parse.h"

#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <string.h>

#define BASE_OPS "k42_object_ops"

/* Where Debian keeps the headers that belong to libclang 14, which libclang itself does not find.
 */
#define RESOURCE_DIRS "/usr/lib/llvm-14/lib/clang/*"

const char *reader_take(struct reader *reader, CXString string) {
    const char *text = clang_getCString(string);
    const char *copy = header_copy(reader->header, text ? text : "");
    clang_disposeString(string);
    return copy;
}

struct location reader_location(struct reader *reader, CXSourceLocation place) {
    CXFile file;
    struct location location = {reader->header->path, 0};
    clang_getExpansionLocation(place, &file, &location.line, NULL, NULL);
    if (file && !clang_Location_isFromMainFile(place))
        location.file = reader_take(reader, clang_getFileName(file));
    return location;
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

/* ---- what belongs to one interface ---- */

struct belongings_visit {
    struct reader *reader;
    struct interface *interface;
};

static enum CXVisitorResult visit_first_member(CXCursor field, CXClientData data) {
    struct belongings_visit *visit = data;
    const char *name = reader_take(visit->reader, clang_getCursorSpelling(field));
    CXType type = clang_getCanonicalType(clang_getCursorType(field));
    const char *spelling = reader_take(visit->reader, clang_getTypeSpelling(type));
    /* Those of the base object are any interface's. */
    const char *wanted =
        visit->interface->is_base
            ? "const struct k42_ops *"
            : header_print(visit->reader->header, "const struct %s *", visit->interface->tag);
    visit->interface->begins_with_ops = strcmp(name, "ops") == 0 && strcmp(spelling, wanted) == 0;
    return CXVisit_Break;
}

static enum CXChildVisitResult visit_belonging(CXCursor cursor, CXCursor parent,
                                               CXClientData data) {
    (void)parent;
    struct belongings_visit *visit = data;
    struct interface *interface = visit->interface;
    const char *name = reader_take(visit->reader, clang_getCursorSpelling(cursor));
    size_t length = strlen(interface->name);
    if (strncmp(name, interface->name, length) != 0)
        return CXChildVisit_Continue;
    const char *rest = name + length;

    switch (clang_getCursorKind(cursor)) {
    case CXCursor_StructDecl:
        if (*rest == '\0' && clang_isCursorDefinition(cursor)) {
            interface->has_struct = true;
            interface->struct_location =
                reader_location(visit->reader, clang_getCursorLocation(cursor));
            clang_Type_visitFields(clang_getCursorType(cursor), visit_first_member, visit);
        }
        break;
    case CXCursor_TypedefDecl:
        if (strcmp(rest, "_ref") == 0) {
            struct type *type = read_type(visit->reader, clang_getCursorType(cursor));
            interface->has_ref = true;
            interface->ref_fits = type->kind == TYPE_REF && strcmp(type->tag, interface->name) == 0;
        }
        break;
    case CXCursor_VarDecl:
        interface->has_descriptor |= strcmp(rest, "_interface") == 0;
        break;
    default:
        break;
    }
    return CXChildVisit_Continue;
}

/* ---- finding interfaces ---- */

static bool is_interface(const struct interface *interface) {
    if (interface->is_base || interface->begins_common)
        return true;
    for (size_t i = 0; i < interface->method_count; i++)
        if (interface->methods[i].by_macro)
            return true;
    return false;
}

static const char *read_doc(struct reader *reader, CXCursor cursor) {
    CXFile file;
    unsigned start;
    size_t size;
    clang_getExpansionLocation(clang_getRangeStart(clang_getCursorExtent(cursor)), &file, NULL,
                               NULL, &start);
    const char *source = file ? clang_getFileContents(reader->unit, file, &size) : NULL;
    return source && start <= size ? comment_before(reader->header, source, start) : NULL;
}

static const char *capitals(struct reader *reader, const char *name) {
    char *text = header_copy(reader->header, name);
    for (char *c = text; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return text;
}

static void want_version(struct reader *reader, struct interface *interface) {
    struct header *header = reader->header;
    const char *prefix = interface->macro_prefix = capitals(reader, interface->name);
    const char *version = header_print(header, "%s_INTERFACE_VERSION", prefix);
    const char *atomic = header_print(header, "%s_INTERFACE_ATOMIC", prefix);
    interface->version = want_constant(reader, interface->location, version, version);
    interface->atomic = want_constant(reader, interface->location, atomic, atomic);
}

static void read_interface(struct reader *reader, CXCursor cursor, const char *tag) {
    struct header *header = reader->header;
    struct interface read = {.tag = tag};
    read.named_ops = ends_with(tag, "_ops");
    read.is_base = strcmp(tag, BASE_OPS) == 0;
    read.name = header_print(header, "%.*s",
                             (int)(strlen(tag) - (read.named_ops ? strlen("_ops") : 0)), tag);
    read.location = reader_location(reader, clang_getCursorLocation(cursor));
    size_t constants = header->constant_count;
    read_methods(reader, &read, cursor);
    if (!is_interface(&read)) {
        header->constant_count = constants;
        return;
    }
    read.doc = read_doc(reader, cursor);
    want_version(reader, &read);
    struct belongings_visit visit = {reader, &read};
    clang_visitChildren(clang_getTranslationUnitCursor(reader->unit), visit_belonging, &visit);
    struct interface *place =
        header_append(header, &header->interfaces, &header->interface_count, sizeof(read));
    *place = read;
}

struct tag_visit {
    struct reader *reader;
    bool has_base; /* the header itself defines k42_object_ops */
};

static bool in_header(CXCursor cursor) {
    return clang_getCursorKind(cursor) == CXCursor_StructDecl && clang_isCursorDefinition(cursor) &&
           clang_Location_isFromMainFile(clang_getCursorLocation(cursor));
}

static enum CXChildVisitResult visit_base(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct tag_visit *visit = data;
    if (in_header(cursor) &&
        strcmp(reader_take(visit->reader, clang_getCursorSpelling(cursor)), BASE_OPS) == 0)
        visit->has_base = true;
    return CXChildVisit_Continue;
}

static enum CXChildVisitResult visit_struct(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct tag_visit *visit = data;
    const char *tag = reader_take(visit->reader, clang_getCursorSpelling(cursor));
    if (in_header(cursor) && *tag && visit->has_base == (strcmp(tag, BASE_OPS) == 0))
        read_interface(visit->reader, cursor, tag);
    return CXChildVisit_Continue;
}

static void visit_inclusion(CXFile file, CXSourceLocation *stack, unsigned depth,
                            CXClientData data) {
    (void)stack;
    (void)depth;
    struct reader *reader = data;
    struct header *header = reader->header;
    const char **place =
        header_append(header, &header->included, &header->included_count, sizeof(*place));
    *place = reader_take(reader, clang_getFileName(file));
}

static void read_header(struct reader *reader) {
    CXCursor top = clang_getTranslationUnitCursor(reader->unit);
    CXFile file = clang_getFile(reader->unit, reader->header->path);
    size_t size;
    const char *source = file ? clang_getFileContents(reader->unit, file, &size) : NULL;
    reader->header->doc = source ? comment_head(reader->header, source) : NULL;

    struct constant *most = want_constant(reader, (struct location){reader->header->path, 1},
                                          "K42_MAX_METHODS", "K42_MAX_METHODS");
    struct tag_visit visit = {reader, false};
    clang_visitChildren(top, visit_base, &visit);
    clang_visitChildren(top, visit_struct, &visit);
    clang_getInclusions(reader->unit, visit_inclusion, reader);
    evaluate_constants(reader);
    reader->header->max_methods = most->state == CONSTANT_KNOWN ? most->value : INT_MAX;
}

/* ---- running clang ---- */

static void add_argument(struct reader *reader, const char *argument) {
    const char **place =
        header_append(reader->header, &reader->arguments, &reader->argument_count, sizeof(*place));
    *place = argument;
}

static void add_arguments(struct reader *reader, const struct parse_options *options) {
    static const char *const always[] = {
        "-x", "c", "-std=gnu17", "-DK42_STUBGEN", "-w", "-ferror-limit=0"};
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
        add_argument(reader, always[i]);
    glob_t found = {0};
    if (options->resource_dir)
        add_argument(reader,
                     header_print(reader->header, "-resource-dir=%s", options->resource_dir));
    else if (glob(RESOURCE_DIRS, 0, NULL, &found) == 0)
        add_argument(reader, header_print(reader->header, "-resource-dir=%s", found.gl_pathv[0]));
    globfree(&found);
    for (size_t i = 0; i < options->argument_count; i++)
        add_argument(reader, options->arguments[i]);
}

/* Prints what clang says against the header; true when it says anything. */
static bool report_errors(struct reader *reader) {
    bool any = false;
    for (unsigned i = 0; i < clang_getNumDiagnostics(reader->unit); i++) {
        CXDiagnostic diagnostic = clang_getDiagnostic(reader->unit, i);
        if (clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error) {
            struct location at = reader_location(reader, clang_getDiagnosticLocation(diagnostic));
            fprintf(stderr, "%s:%u: error: %s\n", at.file, at.line,
                    reader_take(reader, clang_getDiagnosticSpelling(diagnostic)));
            any = true;
        }
        clang_disposeDiagnostic(diagnostic);
    }
    return any;
}

int header_parse(struct header *header, const struct parse_options *options) {
    struct reader reader = {.header = header};
    int status = STATUS_FAILED;
    add_arguments(&reader, options);
    reader.index = clang_createIndex(0, 0);
    enum CXErrorCode error = clang_parseTranslationUnit2(
        reader.index, header->path, reader.arguments, (int)reader.argument_count, NULL, 0,
        CXTranslationUnit_SkipFunctionBodies, &reader.unit);
    if (error != CXError_Success)
        fail("clang cannot read '%s' (its error %d); are its options right? They follow '--'",
             header->path, error);
    else if (report_errors(&reader))
        fail("'%s' does not compile; nothing was written", header->path);
    else {
        read_header(&reader);
        status = STATUS_FINE;
    }
    if (reader.unit)
        clang_disposeTranslationUnit(reader.unit);
    clang_disposeIndex(reader.index);
    return status;
}
