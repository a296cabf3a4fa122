/*
 * Numbers that a header gives as expressions: limits of buffers, versions.
 *
 * An annotation keeps its limit as text, so that `K42_BUF(size, CACHE_PAGE)` can be shown as it was
 * written. Its value is asked of clang: a second source, in memory, includes the header and makes
 * an enumerator of each expression. #line numbers them, so that a diagnostic names its expression.
 */
#include "parse.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_NAME   "stubgen-constants.c"
#define VALUE_PREFIX  "stubgen_constant_"
#define PREFIX_LENGTH (sizeof(VALUE_PREFIX) - 1)

struct constant *want_constant(struct reader *reader, struct location location,
                               const char *expression, const char *guard) {
    struct header *header = reader->header;
    struct constant *constant = header_alloc(header, sizeof(*constant));
    constant->location = location;
    constant->expression = expression;
    constant->guard = guard;
    struct constant **place =
        header_append(header, &header->constants, &header->constant_count, sizeof(*place));
    *place = constant;
    return constant;
}

static char *write_source(struct reader *reader, size_t *size) {
    char *text = NULL;
    FILE *source = open_memstream(&text, size);
    if (!source)
        return NULL;
    fprintf(source, "#include \"%s\"\n", reader->header->path);
    for (size_t i = 0; i < reader->header->constant_count; i++) {
        const struct constant *constant = reader->header->constants[i];
        if (constant->guard)
            fprintf(source, "#ifdef %s\n", constant->guard);
        fprintf(source, "#line %zu \"" SOURCE_NAME "\"\n", i + 1);
        fprintf(source, "enum { " VALUE_PREFIX "%zu = (%s) };\n", i, constant->expression);
        if (constant->guard)
            fprintf(source, "#endif\n");
    }
    if (fclose(source) == 0)
        return text;
    free(text);
    return NULL;
}

static struct constant *constant_numbered(struct header *header, size_t number) {
    return number < header->constant_count ? header->constants[number] : NULL;
}

static enum CXChildVisitResult visit_value(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct reader *reader = data;
    if (clang_getCursorKind(cursor) == CXCursor_EnumDecl)
        return CXChildVisit_Recurse;
    const char *name = reader_take(reader, clang_getCursorSpelling(cursor));
    if (clang_getCursorKind(cursor) != CXCursor_EnumConstantDecl ||
        strncmp(name, VALUE_PREFIX, PREFIX_LENGTH) != 0)
        return CXChildVisit_Continue;
    struct constant *constant =
        constant_numbered(reader->header, strtoul(name + PREFIX_LENGTH, NULL, 10));
    if (constant) {
        constant->state = CONSTANT_KNOWN;
        constant->value = clang_getEnumConstantDeclValue(cursor);
    }
    return CXChildVisit_Continue;
}

/* An expression that clang complains of has no value, whatever was made of it. */
static void mark_wrong(struct reader *reader, CXTranslationUnit unit) {
    for (unsigned i = 0; i < clang_getNumDiagnostics(unit); i++) {
        CXDiagnostic diagnostic = clang_getDiagnostic(unit, i);
        if (clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error) {
            CXString file;
            unsigned line;
            clang_getPresumedLocation(clang_getDiagnosticLocation(diagnostic), &file, &line, NULL);
            const char *name = reader_take(reader, file);
            struct constant *constant = constant_numbered(reader->header, (size_t)line - 1);
            if (constant && strcmp(name, SOURCE_NAME) == 0)
                constant->state = CONSTANT_WRONG;
        }
        clang_disposeDiagnostic(diagnostic);
    }
}

void evaluate_constants(struct reader *reader) {
    size_t size;
    char *text = write_source(reader, &size);
    if (!text)
        exit(fail("out of memory"));
    struct CXUnsavedFile source = {SOURCE_NAME, text, size};
    CXTranslationUnit unit = NULL;
    if (clang_parseTranslationUnit2(reader->index, SOURCE_NAME, reader->arguments,
                                    (int)reader->argument_count, &source, 1, CXTranslationUnit_None,
                                    &unit) == CXError_Success) {
        clang_visitChildren(clang_getTranslationUnitCursor(unit), visit_value, reader);
        mark_wrong(reader, unit);
        clang_disposeTranslationUnit(unit);
    }
    free(text);
}
