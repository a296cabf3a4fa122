/*
 * A type as text: equal for equal types, different when code compiled for the one does not fit the
 * other. Structs are written out where they are met first, also behind pointers, with sizes and
 * offsets of members; enumerations with their values. Names of parameters and typedefs do not
 * matter.
 */
#ifndef EXPORTS_TYPE_TEXT_H
#define EXPORTS_TYPE_TEXT_H

#include <clang-c/Index.h>
#include <stdio.h>

/* Structs that have been written out. */
struct seen {
    CXCursor *at;
    size_t count, room;
};

void type_text(FILE *out, struct seen *seen, CXType type);

/* Writes a string of libclang's and disposes of it. */
void put_string(FILE *out, CXString string);

#endif
