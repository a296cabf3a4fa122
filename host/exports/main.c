/*
 * exports: what the kernel offers to components, from the headers that list it.
 *
 *     exports LIST TABLE DEPENDENCIES HEADER... [-- CLANG-OPTION...]
 *
 * Offered is every function and variable that a HEADER, or a header included by a HEADER itself,
 * declares: of the public headers of the runtime those they export. LIST gets a line for each,
 * "name version"; TABLE the same as assembly, with the addresses, sorted by name. What the kernel
 * does not define after all has the address 0 there.
 *
 * A symbol's version is a checksum of its type (type_text.h); that of an interface's descriptor,
 * NAME_interface, covers its operations and the number of its version, too. So it differs whenever
 * code compiled against the one does not fit the other.
 *
 * Exit: 0; 2 when the header does not compile or a file cannot be written.
 */
#include "type_text.h"

#include <ctype.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Where Debian keeps the headers that belong to libclang 14, which libclang itself does not find.
 */
#define RESOURCE_DIRS "/usr/lib/llvm-14/lib/clang/*"
#define DESCRIPTOR    "_interface"
#define EXPORTS_MAX   4096
#define FILES_MAX     256

struct export {
    char *name;
    uint32_t version;
};

struct reader {
    CXTranslationUnit unit;
    CXFile files[FILES_MAX]; /* whose declarations count */
    size_t file_count;
    struct export exports[EXPORTS_MAX];
    size_t count;
};

static void fail(const char *what, const char *which) {
    fprintf(stderr, "exports: %s%s\n", what, which);
    exit(2);
}

/* ---- versions ---- */

/* FNV-1a. */
static uint32_t checksum(const char *text, size_t size) {
    uint32_t sum = 0x811c9dc5;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (uint8_t)text[i]) * 0x01000193;
    return sum;
}

/* What belongs to the descriptor of an interface. */
struct interface_search {
    FILE *out;
    struct seen *seen;
    CXTranslationUnit unit;
    char operations[128], version[128];
};

static void put_tokens(FILE *out, CXTranslationUnit unit, CXCursor cursor) {
    CXToken *tokens;
    unsigned count;
    clang_tokenize(unit, clang_getCursorExtent(cursor), &tokens, &count);
    for (unsigned i = 0; i < count; i++) {
        fputc(' ', out);
        put_string(out, clang_getTokenSpelling(unit, tokens[i]));
    }
    clang_disposeTokens(unit, tokens, count);
}

static enum CXChildVisitResult put_belonging(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct interface_search *search = data;
    CXString spelling = clang_getCursorSpelling(cursor);
    const char *name = clang_getCString(spelling);
    enum CXCursorKind kind = clang_getCursorKind(cursor);
    if (kind == CXCursor_MacroDefinition && !strcmp(name, search->version))
        put_tokens(search->out, search->unit, cursor);
    else if (kind == CXCursor_StructDecl && clang_isCursorDefinition(cursor) &&
             !strcmp(name, search->operations))
        type_text(search->out, search->seen, clang_getCursorType(cursor));
    clang_disposeString(spelling);
    return CXChildVisit_Continue;
}

static void put_interface(FILE *out, struct seen *seen, CXTranslationUnit unit, const char *name) {
    struct interface_search search = {out, seen, unit, "", ""};
    size_t length = strlen(name) - strlen(DESCRIPTOR);
    snprintf(search.operations, sizeof search.operations, "%.*s_ops", (int)length, name);
    snprintf(search.version, sizeof search.version, "%.*s_INTERFACE_VERSION", (int)length, name);
    for (size_t i = 0; i < length && search.version[i]; i++)
        search.version[i] = (char)toupper((unsigned char)search.version[i]);
    clang_visitChildren(clang_getTranslationUnitCursor(unit), put_belonging, &search);
}

static bool is_descriptor(const char *name) {
    size_t length = strlen(name), end = strlen(DESCRIPTOR);
    return length > end && !strcmp(name + length - end, DESCRIPTOR);
}

static uint32_t version_of(CXTranslationUnit unit, CXCursor symbol, const char *name) {
    char *text = NULL;
    size_t size;
    struct seen seen = {0};
    FILE *out = open_memstream(&text, &size);
    if (!out)
        fail("out of memory", "");
    type_text(out, &seen, clang_getCursorType(symbol));
    if (is_descriptor(name))
        put_interface(out, &seen, unit, name);
    fclose(out);
    uint32_t version = checksum(text, size);
    if (getenv("EXPORTS_SHOW"))
        fprintf(stderr, "%s: %s\n", name, text);
    free(seen.at);
    free(text);
    return version;
}

/* ---- symbols ---- */

static bool counts(const struct reader *reader, CXCursor cursor) {
    CXFile file;
    clang_getExpansionLocation(clang_getCursorLocation(cursor), &file, NULL, NULL, NULL);
    for (size_t i = 0; file && i < reader->file_count; i++)
        if (clang_File_isEqual(file, reader->files[i]))
            return true;
    return false;
}

/* Not static, and not hidden as what belongs to each module for itself is. */
static bool is_offered(CXCursor cursor) {
    enum CXCursorKind kind = clang_getCursorKind(cursor);
    return (kind == CXCursor_FunctionDecl || kind == CXCursor_VarDecl) &&
           clang_getCursorLinkage(cursor) == CXLinkage_External &&
           clang_getCursorVisibility(cursor) == CXVisibility_Default;
}

static enum CXChildVisitResult visit(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct reader *reader = data;
    if (!is_offered(cursor) || !counts(reader, cursor))
        return CXChildVisit_Continue;
    CXString spelling = clang_getCursorSpelling(cursor);
    const char *name = clang_getCString(spelling);
    bool known = false;
    for (size_t i = 0; i < reader->count; i++)
        known = known || !strcmp(reader->exports[i].name, name);
    if (reader->count == EXPORTS_MAX)
        fail("more symbols than there is room for", "");
    if (!known)
        reader->exports[reader->count++] =
            (struct export){strdup(name), version_of(reader->unit, cursor, name)};
    clang_disposeString(spelling);
    return CXChildVisit_Continue;
}

/* The header itself and what it includes, but not what that includes. */
static enum CXChildVisitResult note_file(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    struct reader *reader = data;
    if (clang_getCursorKind(cursor) == CXCursor_InclusionDirective &&
        clang_Location_isFromMainFile(clang_getCursorLocation(cursor)) &&
        reader->file_count < FILES_MAX)
        reader->files[reader->file_count++] = clang_getIncludedFile(cursor);
    return CXChildVisit_Continue;
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const struct export *)a)->name, ((const struct export *)b)->name);
}

/* ---- files ---- */

static FILE *open_output(const char *path) {
    FILE *file = fopen(path, "w");
    if (!file)
        fail("cannot write ", path);
    return file;
}

static void close_output(FILE *file, const char *path) {
    if (ferror(file) || fclose(file))
        fail("cannot write ", path);
}

static void write_list(const struct reader *reader, const char *path) {
    FILE *file = open_output(path);
    for (size_t i = 0; i < reader->count; i++)
        fprintf(file, "%s %08x\n", reader->exports[i].name, reader->exports[i].version);
    close_output(file, path);
}

static void write_table(const struct reader *reader, const char *path) {
    FILE *file = open_output(path);
    fprintf(file,
            "    .section .rodata.component_exports, \"a\"\n    .balign 8\n"
            "    .globl component_exports, component_export_count\n"
            "component_export_count:\n    .quad %zu\ncomponent_exports:\n",
            reader->count);
    for (size_t i = 0; i < reader->count; i++)
        fprintf(file, "    .weak %s\n    .quad name_%zu, %s, %#x\n", reader->exports[i].name, i,
                reader->exports[i].name, reader->exports[i].version);
    for (size_t i = 0; i < reader->count; i++)
        fprintf(file, "name_%zu:\n    .asciz \"%s\"\n", i, reader->exports[i].name);
    fprintf(file, "    .section .note.GNU-stack, \"\", @progbits\n");
    close_output(file, path);
}

/* For make and ninja: what the list is made from. */
static void put_dependency(CXFile file, CXSourceLocation *stack, unsigned depth,
                           CXClientData data) {
    (void)stack;
    (void)depth;
    fputc(' ', data);
    put_string(data, clang_getFileName(file));
}

static void report_errors(CXTranslationUnit unit) {
    for (unsigned i = 0; i < clang_getNumDiagnostics(unit); i++) {
        CXDiagnostic diagnostic = clang_getDiagnostic(unit, i);
        if (clang_getDiagnosticSeverity(diagnostic) >= CXDiagnostic_Error) {
            put_string(stderr,
                       clang_formatDiagnostic(diagnostic, clang_defaultDiagnosticDisplayOptions()));
            fail("the header does not compile", "");
        }
    }
}

static CXTranslationUnit parse(CXIndex index, const char *header, int count, char **options) {
    const char *arguments[64] = {"-x", "c", "-std=gnu17", "-DK42_KERNEL", "-w"};
    int used = 5;
    char resources[4096];
    glob_t found = {0};
    if (glob(RESOURCE_DIRS, 0, NULL, &found) == 0) {
        snprintf(resources, sizeof resources, "-resource-dir=%s", found.gl_pathv[0]);
        arguments[used++] = resources;
    }
    globfree(&found);
    for (int i = 0; i < count && used < 64; i++)
        arguments[used++] = options[i];
    CXTranslationUnit unit;
    if (clang_parseTranslationUnit2(index, header, arguments, used, NULL, 0,
                                    CXTranslationUnit_SkipFunctionBodies |
                                        CXTranslationUnit_DetailedPreprocessingRecord,
                                    &unit) != CXError_Success)
        fail("clang cannot read ", header);
    report_errors(unit);
    return unit;
}

static void read_header(struct reader *reader, CXIndex index, const char *header, FILE *depends,
                        int count, char **options) {
    reader->unit = parse(index, header, count, options);
    reader->files[0] = clang_getFile(reader->unit, header);
    reader->file_count = 1;
    clang_visitChildren(clang_getTranslationUnitCursor(reader->unit), note_file, reader);
    clang_visitChildren(clang_getTranslationUnitCursor(reader->unit), visit, reader);
    clang_getInclusions(reader->unit, put_dependency, depends);
    clang_disposeTranslationUnit(reader->unit);
}

int main(int argc, char **argv) {
    static struct reader reader;
    int end = 4;
    while (end < argc && strcmp(argv[end], "--") != 0)
        end++;
    if (argc < 5 || end == 4)
        fail("usage: exports LIST TABLE DEPENDENCIES HEADER... [-- CLANG-OPTION...]", "");
    CXIndex index = clang_createIndex(0, 0);
    FILE *depends = open_output(argv[3]);
    fprintf(depends, "%s %s:", argv[1], argv[2]);
    for (int i = 4; i < end; i++)
        read_header(&reader, index, argv[i], depends, end < argc ? argc - end - 1 : 0,
                    argv + end + 1);
    fputc('\n', depends);
    close_output(depends, argv[3]);
    qsort(reader.exports, reader.count, sizeof *reader.exports, by_name);
    write_list(&reader, argv[1]);
    write_table(&reader, argv[2]);
    clang_disposeIndex(index);
    return 0;
}
