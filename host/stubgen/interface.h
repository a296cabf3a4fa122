/*
 * What the interface compiler knows of one header: its interfaces, their methods, their parameters.
 *
 * This is the representation between reading (parse.c, on libclang) and everything that uses what
 * was read (rules.c, ids.c, emit_*.c); nothing behind it sees libclang. It records what the header
 * says, right or wrong: rules.c judges it, and what emits relies on the rules having passed.
 *
 * Everything lives in the header's arena and goes with it in header_free(). One thread.
 */
#ifndef STUBGEN_INTERFACE_H
#define STUBGEN_INTERFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit codes. */
enum {
    STATUS_FINE = 0,
    STATUS_BREACH = 1, /* the header was read, and breaks a rule */
    STATUS_FAILED = 2, /* it could not be read, or an output not be written; or misuse */
};

#define MAX_ARGUMENTS 5 /* after self: registers of a call, less one */

struct location {
    const char *file;
    unsigned line;
};

/* An expression of the header that must be a number. */
struct constant {
    const char *expression;
    const char *guard; /* a macro that must be defined for it to be there; NULL: always there */
    struct location location;
    enum { CONSTANT_ABSENT, CONSTANT_WRONG, CONSTANT_KNOWN } state;
    long long value;
};

enum type_kind {
    TYPE_INTEGER, /* enumerations included */
    TYPE_REF,     /* tag: the interface it names */
    TYPE_POINTER, /* pointee */
    TYPE_ARRAY,   /* pointee; written with brackets */
    TYPE_STRUCT,  /* or union; tag */
    TYPE_FUNCTION,
    TYPE_FLOATING,
    TYPE_VOID,
    TYPE_OTHER,
};

struct type {
    enum type_kind kind;
    const char *spelling;
    bool is_const;
    bool is_signed, is_bool, is_character;
    unsigned bits; /* of an integer */
    size_t bytes;  /* of a struct */
    const char *tag;
    struct type *pointee;
    const char *obstacle; /* why what it holds cannot cross an address space; NULL: it can */
};

enum {
    NOTE_IN = 1,
    NOTE_OUT = 2,
    NOTE_INOUT = 4,
    NOTE_BUF = 8,
    NOTE_STRING = 16,
    NOTE_LOCAL = 32,
    NOTE_DIRECTION = NOTE_IN | NOTE_OUT | NOTE_INOUT,
};

struct parameter {
    const char *name; /* "" when it has none */
    struct location location;
    struct type *type;
    unsigned notes;
    unsigned repeated;      /* notes given more than once */
    const char *length;     /* NOTE_BUF: the parameter that says how long */
    struct constant *limit; /* NOTE_BUF, NOTE_STRING */
};

enum result_kind { RESULT_WORD, RESULT_PAIR, RESULT_OTHER };

struct method {
    const char *name;
    struct location location;
    const char *doc; /* text of the comment; NULL: none */
    bool by_macro;   /* declared with K42_METHOD or K42_METHOD_PAIR */
    bool is_function;
    bool inherited; /* one of k42_object_ops, which every interface begins with */
    bool variadic;
    enum result_kind result;
    const char *result_spelling;
    struct parameter *parameters; /* the first is self */
    size_t parameter_count;
};

struct interface {
    const char *name;         /* the tag without "_ops" */
    const char *macro_prefix; /* the name in capitals */
    const char *tag;
    struct location location;
    const char *doc;
    struct constant *version, *atomic;
    bool is_base;       /* k42_object itself */
    bool named_ops;     /* the tag ends in "_ops" */
    bool begins_common; /* the first member is struct k42_object_ops object */
    bool has_struct;    /* struct NAME is defined; the next two are about it */
    bool begins_with_ops;
    struct location struct_location;
    bool has_ref, ref_fits;
    bool has_descriptor;
    struct method *methods; /* inherited ones first */
    size_t method_count;
};

struct breach {
    struct location location;
    const char *text;
};

struct header {
    const char *path;    /* as given */
    const char *include; /* how generated code includes it: <k42/class.h> or "cache.h" */
    const char *doc;     /* the comment at its head */
    long long max_methods;
    struct interface *interfaces;
    size_t interface_count;
    struct constant **constants;
    size_t constant_count;
    const char **included; /* files that were read, the header among them */
    size_t included_count;
    struct breach *breaches;
    size_t breach_count;
    struct block *blocks; /* the arena */
};

/* ---- header.c: memory, breaches, files. Lack of memory ends the program with STATUS_FAILED. ----
 */

void *header_alloc(struct header *header, size_t bytes); /* zeroed */
char *header_copy(struct header *header, const char *text);
char *header_print(struct header *header, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Adds one zeroed element to an array of `*count` in the arena; returns it. */
void *header_append(struct header *header, void *array_pointer, size_t *count, size_t size);
void header_free(struct header *header);

void header_breach(struct header *header, struct location location, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Prints the breaches in the order of their lines; returns STATUS_FINE when there are none. */
int header_report(struct header *header);

/* What was wanted, and why it failed; always STATUS_FAILED. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Reads a regular file, NUL-terminated, into the arena; NULL: *error says why (an errno). */
char *file_read(struct header *header, const char *path, size_t *size, int *error);
/* Replaces a file as a whole, or not at all; "-" is standard output. STATUS_FINE or _FAILED. */
int file_write(const char *path, const char *text, size_t size);

/* ---- comment.c: `source` is the text of a whole file ---- */

/* The text of the comment that belongs to what begins at `start`; NULL: none. */
const char *comment_before(struct header *header, const char *source, size_t start);
/* The text of a comment on the rest of the line after `end`; NULL: none. */
const char *comment_after(struct header *header, const char *source, size_t end);
/* The text of the comment at the head of the file; NULL: it has none. */
const char *comment_head(struct header *header, const char *source);

/* ---- parse.c, evaluate.c ---- */

struct parse_options {
    const char *resource_dir;     /* clang's own headers; NULL: found */
    const char *const *arguments; /* for clang: -I, -D ... */
    size_t argument_count;
};

/* Reads the header. STATUS_FAILED after clang's diagnostics when it does not compile. */
int header_parse(struct header *header, const struct parse_options *options);

/* ---- rules.c, parameter_rules.c ---- */

/* Adds every breach of the rules (docs/interfaces.md) to the header's. */
void rules_check(struct header *header);
void rules_check_parameter(struct header *header, const struct method *method,
                           const struct parameter *parameter);
bool name_is_proper(const char *name); /* lower case, digits and underscores */

/* ---- signature.c ---- */

unsigned interface_version(const struct interface *interface); /* 1 where the header says none */
bool interface_is_atomic(const struct interface *interface);

/* "add(in:i64 n)": for people and tools. */
const char *signature_text(struct header *header, const struct method *method);
/* "add(in:i64)": what a caller was compiled against. Names of parameters are not part of it. */
const char *signature_shape(struct header *header, const struct method *method);
/* Can the method be called from another address space? */
bool method_is_local(const struct method *method);
/* "in", "out", "inout", or "local". */
const char *parameter_direction(const struct parameter *parameter);
/* How a C programmer would declare it: "const char *name". */
const char *declare(struct header *header, const struct type *type, const char *name);

/* ---- ids.c ---- */

/* Compares each interface with its record NAME.ids beside the header; breaches are added. */
int ids_check(struct header *header);
/* The same, and records what was appended, or a new version. Writes nothing after a breach. */
int ids_update(struct header *header);

/* ---- main.c's outputs: emit_c.c, emit_docs.c, emit_json.c ---- */

void emit_c(FILE *output, struct header *header);
void emit_docs(FILE *output, struct header *header);
void emit_json(FILE *output, struct header *header);

#endif
