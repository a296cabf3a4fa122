/*
 * What the files that use libclang share.
 *
 * A reader lives for one header_parse(); the translation unit is disposed of at its end, so
 * whatever outlives it is copied into the header's arena.
 */
#ifndef STUBGEN_PARSE_H
#define STUBGEN_PARSE_H

#include "interface.h"

#include <clang-c/Index.h>

struct reader {
    struct header *header;
    CXIndex index;
    CXTranslationUnit unit;
    const char **arguments; /* all that clang is given */
    size_t argument_count;
};

/* Copies a string of libclang's and disposes of it; never NULL. */
const char *reader_take(struct reader *reader, CXString string);

/* Where a place stands in the text, macros expanded where they are used. */
struct location reader_location(struct reader *reader, CXSourceLocation place);

/* ---- parse_method.c: the methods of one struct of operations ---- */

void read_methods(struct reader *reader, struct interface *interface, CXCursor operations);

/* ---- parse_type.c ---- */

struct type *read_type(struct reader *reader, CXType type);

/* ---- evaluate.c ---- */

/* Notes an expression whose value is wanted; it is known after evaluate_constants(). */
struct constant *want_constant(struct reader *reader, struct location location,
                               const char *expression, const char *guard);
void evaluate_constants(struct reader *reader);

#endif
