/*
 * Types as text: see type_text.h.
 */
#include "type_text.h"

#include <stdbool.h>
#include <stdlib.h>

struct members {
    FILE *out;
    struct seen *seen;
};

void put_string(FILE *out, CXString string) {
    const char *text = clang_getCString(string);
    fputs(text ? text : "", out);
    clang_disposeString(string);
}

/* True when it was there before. */
static bool see(struct seen *seen, CXCursor record) {
    for (size_t i = 0; i < seen->count; i++)
        if (clang_equalCursors(seen->at[i], record))
            return true;
    if (seen->count == seen->room) {
        seen->room = seen->room ? seen->room * 2 : 64;
        seen->at = realloc(seen->at, seen->room * sizeof *seen->at);
        if (!seen->at) {
            fputs("exports: out of memory\n", stderr);
            exit(2);
        }
    }
    seen->at[seen->count++] = record;
    return false;
}

static enum CXVisitorResult put_member(CXCursor member, CXClientData data) {
    const struct members *members = data;
    fprintf(members->out, "%lld ", clang_Cursor_getOffsetOfField(member));
    put_string(members->out, clang_getCursorSpelling(member));
    if (clang_Cursor_isBitField(member))
        fprintf(members->out, ":%d", clang_getFieldDeclBitWidth(member));
    fputc(' ', members->out);
    type_text(members->out, members->seen, clang_getCursorType(member));
    fputc(';', members->out);
    return CXVisit_Continue;
}

static enum CXChildVisitResult put_constant(CXCursor cursor, CXCursor parent, CXClientData data) {
    (void)parent;
    const struct members *members = data;
    if (clang_getCursorKind(cursor) == CXCursor_EnumConstantDecl) {
        put_string(members->out, clang_getCursorSpelling(cursor));
        fprintf(members->out, "=%lld,", clang_getEnumConstantDeclValue(cursor));
    }
    return CXChildVisit_Continue;
}

/* Where an unnamed one stands is no part of it. */
static void put_tag(FILE *out, CXCursor tagged) {
    if (!clang_Cursor_isAnonymous(tagged))
        put_string(out, clang_getCursorSpelling(tagged));
}

static void put_record(struct members members, CXType type) {
    CXCursor record = clang_getTypeDeclaration(type);
    fputs(clang_getCursorKind(record) == CXCursor_UnionDecl ? "union " : "struct ", members.out);
    put_tag(members.out, record);
    long long size = clang_Type_getSizeOf(type);
    if (size < 0 || see(members.seen, record))
        return;
    fprintf(members.out, "{%lld ", size);
    clang_Type_visitFields(type, put_member, &members);
    fputc('}', members.out);
}

static void put_enumeration(struct members members, CXType type) {
    CXCursor enumeration = clang_getTypeDeclaration(type);
    fputs("enum ", members.out);
    put_tag(members.out, enumeration);
    if (see(members.seen, enumeration))
        return;
    fputc('{', members.out);
    clang_visitChildren(enumeration, put_constant, &members);
    fputc('}', members.out);
}

static void put_function(struct members members, CXType type) {
    type_text(members.out, members.seen, clang_getResultType(type));
    fputc('(', members.out);
    for (int i = 0; i < clang_getNumArgTypes(type); i++) {
        type_text(members.out, members.seen, clang_getArgType(type, (unsigned)i));
        fputc(',', members.out);
    }
    fputs(clang_isFunctionTypeVariadic(type) ? "...)" : ")", members.out);
}

static void put_array(struct members members, CXType type) {
    fprintf(members.out, "[%lld]", clang_getArraySize(type));
    type_text(members.out, members.seen, clang_getArrayElementType(type));
}

void type_text(FILE *out, struct seen *seen, CXType type) {
    struct members members = {out, seen};
    type = clang_getCanonicalType(type);
    if (clang_isConstQualifiedType(type))
        fputs("const ", out);
    switch (type.kind) {
    case CXType_Pointer:
        fprintf(out, "*%u ", clang_getAddressSpace(clang_getPointeeType(type)));
        type_text(out, seen, clang_getPointeeType(type));
        break;
    case CXType_Record:
        put_record(members, type);
        break;
    case CXType_Enum:
        put_enumeration(members, type);
        break;
    case CXType_FunctionProto:
    case CXType_FunctionNoProto:
        put_function(members, type);
        break;
    case CXType_ConstantArray:
    case CXType_IncompleteArray:
        put_array(members, type);
        break;
    default:
        put_string(out, clang_getTypeSpelling(type));
    }
}
