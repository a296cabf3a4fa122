/*
 * Types: from libclang's to ours, and whether what they hold could cross an address space.
 *
 * A ref is known by its address space: nothing else in an interface header points into %gs. It is
 * an id, and crosses. A struct crosses when no member, however deep, holds an address.
 */
#include "parse.h"

#include <string.h>

/* clang's number for the address space of %gs. */
#define GS_ADDRESS_SPACE 256

static bool is_ref(CXType canonical) {
    if (canonical.kind != CXType_Pointer)
        return false;
    CXType slot = clang_getPointeeType(canonical);
    return clang_getAddressSpace(slot) == GS_ADDRESS_SPACE && slot.kind == CXType_Pointer;
}

static const char *struct_obstacle(struct reader *reader, CXType record);

/* Why a member of this type holds what cannot cross; NULL: it can. */
static const char *member_obstacle(struct reader *reader, CXType type, const char *member) {
    CXType canonical = clang_getCanonicalType(type);
    switch (canonical.kind) {
    case CXType_Pointer:
        if (is_ref(canonical))
            return NULL;
        return header_print(reader->header, "member '%s' is a pointer", member);
    case CXType_ConstantArray:
        return member_obstacle(reader, clang_getArrayElementType(canonical), member);
    case CXType_IncompleteArray:
        return header_print(reader->header, "member '%s' has no fixed length", member);
    case CXType_Record: {
        const char *inner = struct_obstacle(reader, canonical);
        return inner && *member ? header_print(reader->header, "in member '%s', %s", member, inner)
                                : inner;
    }
    default:
        return NULL;
    }
}

struct member_visit {
    struct reader *reader;
    const char *obstacle;
};

static enum CXVisitorResult visit_member(CXCursor field, CXClientData data) {
    struct member_visit *visit = data;
    const char *name = reader_take(visit->reader, clang_getCursorSpelling(field));
    if (clang_Cursor_isAnonymous(field))
        name = "";
    visit->obstacle = member_obstacle(visit->reader, clang_getCursorType(field), name);
    return visit->obstacle ? CXVisit_Break : CXVisit_Continue;
}

static const char *struct_obstacle(struct reader *reader, CXType record) {
    CXCursor definition = clang_getCursorDefinition(clang_getTypeDeclaration(record));
    if (clang_Cursor_isNull(definition))
        return "it is not defined here";
    struct member_visit visit = {reader, NULL};
    clang_Type_visitFields(record, visit_member, &visit);
    return visit.obstacle;
}

static void read_integer(struct type *type, CXType canonical) {
    type->kind = TYPE_INTEGER;
    long long size = clang_Type_getSizeOf(canonical);
    type->bits = size > 0 ? (unsigned)size * 8 : 0;
    switch (canonical.kind) {
    case CXType_Bool:
        type->is_bool = true;
        break;
    case CXType_Char_S:
        type->is_character = true;
        type->is_signed = true;
        break;
    case CXType_SChar:
    case CXType_Short:
    case CXType_Int:
    case CXType_Long:
    case CXType_LongLong:
    case CXType_Int128:
        type->is_signed = true;
        break;
    default:
        break;
    }
    if (type->bits > 64)
        type->kind = TYPE_OTHER; /* takes two registers */
}

static void read_pointer(struct reader *reader, struct type *type, CXType canonical) {
    if (!is_ref(canonical)) {
        type->kind = TYPE_POINTER;
        type->pointee = read_type(reader, clang_getPointeeType(canonical));
        type->obstacle = "it is a pointer";
        return;
    }
    CXType representative = clang_getPointeeType(clang_getPointeeType(canonical));
    type->kind = TYPE_REF;
    type->tag =
        reader_take(reader, clang_getCursorSpelling(clang_getTypeDeclaration(representative)));
}

static void read_kind(struct reader *reader, struct type *type, CXType canonical) {
    switch (canonical.kind) {
    case CXType_Pointer:
        read_pointer(reader, type, canonical);
        break;
    case CXType_Enum:
        read_integer(type, clang_getCanonicalType(
                               clang_getEnumDeclIntegerType(clang_getTypeDeclaration(canonical))));
        break;
    case CXType_Record: {
        type->kind = TYPE_STRUCT;
        type->tag =
            reader_take(reader, clang_getCursorSpelling(clang_getTypeDeclaration(canonical)));
        type->obstacle = struct_obstacle(reader, canonical);
        long long size = clang_Type_getSizeOf(canonical);
        type->bytes = size > 0 ? (size_t)size : 0;
        break;
    }
    case CXType_ConstantArray:
    case CXType_IncompleteArray:
    case CXType_VariableArray:
        type->kind = TYPE_ARRAY;
        type->pointee = read_type(reader, clang_getArrayElementType(canonical));
        break;
    case CXType_FunctionProto:
    case CXType_FunctionNoProto:
        type->kind = TYPE_FUNCTION;
        type->obstacle = "it is a function";
        break;
    case CXType_Void:
        type->kind = TYPE_VOID;
        break;
    default:
        if (canonical.kind >= CXType_Bool && canonical.kind <= CXType_Int128)
            read_integer(type, canonical);
        else if ((canonical.kind >= CXType_Float && canonical.kind <= CXType_LongDouble) ||
                 canonical.kind == CXType_Float128 || canonical.kind == CXType_Half ||
                 canonical.kind == CXType_Float16 || canonical.kind == CXType_Complex)
            type->kind = TYPE_FLOATING;
        else
            type->kind = TYPE_OTHER;
    }
}

struct type *read_type(struct reader *reader, CXType type) {
    struct type *read = header_alloc(reader->header, sizeof(*read));
    CXType canonical = clang_getCanonicalType(type);
    read->spelling = reader_take(reader, clang_getTypeSpelling(type));
    read->is_const = clang_isConstQualifiedType(canonical);
    read_kind(reader, read, canonical);
    return read;
}
