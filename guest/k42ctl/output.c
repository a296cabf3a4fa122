/*
 * What k42ctl prints: JSON for programs, tables for people. One of each at a time.
 */
#include "k42ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- JSON ---- */

enum { DEEPEST = 16 };
static struct {
    char close[DEEPEST];
    bool more[DEEPEST]; /* something stands there already */
    unsigned depth;
} json;

static void put_text(const char *text) {
    putchar('"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < ' ')
            printf("\\u%04x", c);
        else
            putchar(c);
    }
    putchar('"');
}

static void put_key(const char *key) {
    if (json.more[json.depth])
        putchar(',');
    json.more[json.depth] = true;
    if (key) {
        put_text(key);
        putchar(':');
    }
}

static void open_level(const char *key, char begin, char end) {
    put_key(key);
    putchar(begin);
    if (++json.depth == DEEPEST)
        abort();
    json.close[json.depth] = end;
    json.more[json.depth] = false;
}

void json_object(const char *key) {
    open_level(key, '{', '}');
}

void json_array(const char *key) {
    open_level(key, '[', ']');
}

void json_end(void) {
    putchar(json.close[json.depth--]);
    if (json.depth)
        return;
    putchar('\n');
    fflush(stdout);
    json.more[0] = false;
}

void json_text(const char *key, const char *text) {
    put_key(key);
    put_text(text);
}

void json_number(const char *key, uint64_t number) {
    put_key(key);
    printf("%lu", number);
}

void json_flag(const char *key, bool flag) {
    put_key(key);
    fputs(flag ? "true" : "false", stdout);
}

/* ---- tables ---- */

enum { MOST_COLUMNS = 16 };
static struct {
    const char *titles[MOST_COLUMNS];
    unsigned columns;
    char **cells;
    size_t count, room;
} table;

void table_begin(const char *const *titles, unsigned columns) {
    for (unsigned i = 0; i < columns; i++)
        table.titles[i] = titles[i];
    table.columns = columns;
    table.count = 0;
}

void table_cell(const char *format, ...) {
    va_list list;
    va_start(list, format);
    if (table.count == table.room) {
        table.room = table.room ? 2 * table.room : 256;
        table.cells = enlarge(table.cells, table.room * sizeof *table.cells);
    }
    if (vasprintf(&table.cells[table.count++], format, list) < 0)
        give_up("out of memory");
    va_end(list);
}

static void print_cell(const char *text, unsigned width, bool number, bool last) {
    if (number)
        printf("%*s", (int)width, text);
    else
        printf("%-*s", last ? 0 : (int)width, text);
    putchar(last ? '\n' : ' ');
    if (!last)
        putchar(' ');
}

void table_end(void) {
    unsigned width[MOST_COLUMNS];
    bool number[MOST_COLUMNS];
    for (unsigned i = 0; i < table.columns; i++) {
        number[i] = table.titles[i][0] == '>';
        table.titles[i] += number[i];
        width[i] = (unsigned)strlen(table.titles[i]);
    }
    for (size_t i = 0; i < table.count; i++)
        if (strlen(table.cells[i]) > width[i % table.columns])
            width[i % table.columns] = (unsigned)strlen(table.cells[i]);
    for (unsigned i = 0; i < table.columns; i++)
        print_cell(table.titles[i], width[i], number[i], i + 1 == table.columns);
    for (size_t i = 0; i < table.count; i++) {
        unsigned column = i % table.columns;
        print_cell(table.cells[i], width[column], number[column], column + 1 == table.columns);
        free(table.cells[i]);
    }
    fflush(stdout);
}

/* ---- numbers ---- */

/* One of a few places that are used in turn. */
static char *next_place(void) {
    static char places[8][32];
    static unsigned turn;
    return places[turn++ % 8];
}

const char *size_text(uint64_t bytes) {
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    char *text = next_place();
    unsigned unit = 0;
    if (bytes < 1024) {
        snprintf(text, 32, "%lu B", bytes);
        return text;
    }
    for (bytes = bytes * 10 / 1024; bytes >= 10240 && unit < 3; unit++)
        bytes /= 1024;
    snprintf(text, 32, "%lu.%lu %s", bytes / 10, bytes % 10, units[unit]);
    return text;
}

const char *time_text(uint64_t ns) {
    static const char *const units[] = {"ns", "us", "ms", "s"};
    char *text = next_place();
    unsigned unit = 0;
    uint64_t tenths = ns * 10;
    for (; tenths >= 10000 && unit < 3; unit++)
        tenths /= 1000;
    if (unit)
        snprintf(text, 32, "%lu.%lu %s", tenths / 10, tenths % 10, units[unit]);
    else
        snprintf(text, 32, "%lu ns", ns);
    return text;
}
