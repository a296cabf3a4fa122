/*
 * Method numbers that stay: the record NAME.ids beside an interface's header.
 *
 *     interface cache version 1
 *     0 describe(out:buf(#2,4096),in:u64)
 *     1 find(in:u64)->pair
 *
 * A method's number is its place in the operations; what was compiled against a version relies on
 * numbers and shapes. The record is committed with the header. Under one version it may only grow;
 * a raised version begins a new section, and the old ones stay as what old callers expect. The last
 * section is the one compared. Lines that begin with # are for people.
 */
#include "interface.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct record {
    const char *path;
    const char *text;    /* NULL: there is no file */
    unsigned version;    /* of the last section; 0: none */
    const char **shapes; /* of the last section, by number */
    size_t shape_count;
};

/* ---- reading a record ---- */

static const char *record_path(struct header *header, const struct interface *interface) {
    const char *slash = strrchr(header->path, '/');
    int directory = slash ? (int)(slash + 1 - header->path) : 0;
    return header_print(header, "%.*s%s.ids", directory, header->path, interface->name);
}

static void read_section(struct header *header, struct record *record, const char *line,
                         const char *name, struct location at) {
    char found[128];
    unsigned version;
    int used = 0;
    if (sscanf(line, "interface %127s version %u%n", found, &version, &used) != 2 || line[used])
        header_breach(header, at, "'%s' is not a section: it must be 'interface %s version N'",
                      line, name);
    else if (strcmp(found, name) != 0)
        header_breach(header, at, "this is the record of interface '%s', found as that of '%s'",
                      found, name);
    else if (version <= record->version)
        header_breach(header, at, "version %u follows version %u: sections are in order", version,
                      record->version);
    else {
        record->version = version;
        record->shape_count = 0;
        record->shapes = NULL;
    }
}

static void read_shape(struct header *header, struct record *record, const char *line,
                       struct location at) {
    char *rest;
    unsigned long number = strtoul(line, &rest, 10);
    if (rest == line || *rest != ' ' || !rest[1] || number != record->shape_count ||
        record->version == 0) {
        header_breach(header, at,
                      "'%s' is not a line of a record: wanted '%zu METHOD(...)'; records are "
                      "written by stubgen --update only",
                      line, record->shape_count);
        return;
    }
    const char **place =
        header_append(header, &record->shapes, &record->shape_count, sizeof(*place));
    *place = rest + 1;
}

static int record_read(struct header *header, const struct interface *interface,
                       struct record *record) {
    int error = 0;
    size_t size;
    *record = (struct record){.path = record_path(header, interface)};
    record->text = file_read(header, record->path, &size, &error);
    if (!record->text)
        return error == ENOENT
                   ? STATUS_FINE
                   : fail("cannot read the record '%s': %s", record->path, strerror(error));
    struct location at = {record->path, 0};
    if (strlen(record->text) != size)
        header_breach(header, (struct location){record->path, 1},
                      "this record is not text: restore it from version control");
    char *line = header_copy(header, record->text);
    for (char *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        at.line++;
        if (*line == '\0' || *line == '#')
            continue;
        if (strncmp(line, "interface", 9) == 0)
            read_section(header, record, line, interface->name, at);
        else
            read_shape(header, record, line, at);
    }
    return STATUS_FINE;
}

/* ---- comparing ---- */

/* Does the recorded line describe a method of this name? */
static bool shape_is_of(const char *shape, const char *name) {
    size_t length = strlen(name);
    return strncmp(shape, name, length) == 0 && shape[length] == '(';
}

static void compare_method(struct header *header, const struct interface *interface,
                           const struct record *record, size_t number) {
    const char *shape = record->shapes[number], *open = strchr(shape, '(');
    int length = open ? (int)(open - shape) : (int)strlen(shape);
    const char *prefix = interface->macro_prefix;
    size_t now = 0;
    while (now < interface->method_count && !shape_is_of(shape, interface->methods[now].name))
        now++;
    if (now == interface->method_count) {
        header_breach(header, interface->location,
                      "method '%.*s', number %zu of version %u of '%s', is gone: put it back, or "
                      "raise %s_INTERFACE_VERSION",
                      length, shape, number, record->version, interface->name, prefix);
        return;
    }
    const struct method *method = &interface->methods[now];
    const char *shape_now = signature_shape(header, method);
    if (now != number)
        header_breach(
            header, method->location,
            "method '%s' is number %zu, but version %u of '%s' has it as number %zu: keep "
            "the order and add methods at the end, or raise %s_INTERFACE_VERSION",
            method->name, now, record->version, interface->name, number, prefix);
    else if (strcmp(shape, shape_now) != 0)
        header_breach(header, method->location,
                      "method '%s' is now '%s', but version %u of '%s' has it as '%s': change it "
                      "back, add another method at the end, or raise %s_INTERFACE_VERSION",
                      method->name, shape_now, record->version, interface->name, shape, prefix);
}

/* Adds what contradicts the record; what merely goes beyond it does not. */
static void compare(struct header *header, const struct interface *interface,
                    const struct record *record) {
    unsigned version = interface_version(interface);
    if (version < record->version)
        header_breach(header, interface->location,
                      "interface '%s' is version %u, but '%s' knows version %u already: versions "
                      "only rise",
                      interface->name, version, record->path, record->version);
    if (version == record->version)
        for (size_t i = 0; i < record->shape_count; i++)
            compare_method(header, interface, record, i);
}

static void demand_recorded(struct header *header, const struct interface *interface,
                            const struct record *record) {
    unsigned version = interface_version(interface);
    if (version > record->version)
        header_breach(
            header, interface->location,
            "version %u of interface '%s' is not in its record '%s': run stubgen --update "
            "%s",
            version, interface->name, record->path, header->path);
    else if (version == record->version)
        for (size_t i = record->shape_count; i < interface->method_count; i++)
            header_breach(header, interface->methods[i].location,
                          "method '%s' is new, and not in the record '%s': run stubgen --update %s",
                          interface->methods[i].name, record->path, header->path);
}

int ids_check(struct header *header) {
    for (size_t i = 0; i < header->interface_count; i++) {
        struct record record;
        if (record_read(header, &header->interfaces[i], &record) != STATUS_FINE)
            return STATUS_FAILED;
        compare(header, &header->interfaces[i], &record);
        demand_recorded(header, &header->interfaces[i], &record);
    }
    return STATUS_FINE;
}

/* ---- updating ---- */

static int record_write(struct header *header, const struct interface *interface,
                        const struct record *record) {
    unsigned version = interface_version(interface);
    bool same = record->version == version;
    if (same && record->shape_count == interface->method_count)
        return STATUS_FINE;

    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return fail("out of memory");
    if (record->text)
        fputs(record->text, out);
    else
        fprintf(out,
                "# What callers of '%s' are compiled against.\n"
                "# Kept by stubgen: run it with --update, never edit.\n",
                interface->name);
    if (!same)
        fprintf(out, "\ninterface %s version %u\n", interface->name, version);
    for (size_t i = same ? record->shape_count : 0; i < interface->method_count; i++)
        fprintf(out, "%zu %s\n", i, signature_shape(header, &interface->methods[i]));
    int status = fclose(out) == 0 ? file_write(record->path, text, size) : fail("out of memory");
    free(text);
    return status;
}

int ids_update(struct header *header) {
    struct record *records = header_alloc(header, (header->interface_count + 1) * sizeof(*records));
    for (size_t i = 0; i < header->interface_count; i++) {
        if (record_read(header, &header->interfaces[i], &records[i]) != STATUS_FINE)
            return STATUS_FAILED;
        compare(header, &header->interfaces[i], &records[i]);
    }
    /* All of them are judged before the first is written. */
    for (size_t i = 0; i < header->interface_count && header->breach_count == 0; i++)
        if (record_write(header, &header->interfaces[i], &records[i]) != STATUS_FINE)
            return STATUS_FAILED;
    return STATUS_FINE;
}
