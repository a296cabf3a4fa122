/*
 * What the terminal shows (line.h): echoes, erasing, and output processing.
 *
 * Data is the line's owner's, who serialises. Cannot fail.
 */
#include "line_echo.h"

static bool local(const struct line *line, unsigned flag) {
    return line->settings.local & flag;
}

static bool is_continuation(const struct line *line, uint8_t byte) {
    return (line->settings.input & TTY_IUTF8) && (byte & 0xc0) == 0x80;
}

static bool is_control(uint8_t byte) {
    return byte < 32 || byte == 127;
}

/* ---- output ---- */

/* A new line of the screen is where the line being edited begins, as far as columns go. */
static void new_line(struct line *line, bool at_margin) {
    if (at_margin)
        line->column = 0;
    line->line_column = line->column;
}

static size_t output_newline(struct line *line, uint8_t bytes[8]) {
    size_t count = 0;
    bool returns = line->settings.output & TTY_ONLCR;
    new_line(line, returns || (line->settings.output & TTY_ONLRET));
    if (returns)
        bytes[count++] = '\r';
    bytes[count++] = '\n';
    return count;
}

static size_t output_return(struct line *line, uint8_t bytes[8]) {
    if ((line->settings.output & TTY_ONOCR) && line->column == 0)
        return 0;
    bool becomes_newline = line->settings.output & TTY_OCRNL;
    if (!becomes_newline || (line->settings.output & TTY_ONLRET))
        new_line(line, true);
    bytes[0] = becomes_newline ? '\n' : '\r';
    return 1;
}

static size_t output_tab(struct line *line, uint8_t bytes[8]) {
    uint32_t spaces = 8 - (line->column & 7);
    line->column += spaces;
    if ((line->settings.output & TTY_TABDLY) != TTY_TABDLY) {
        bytes[0] = '\t';
        return 1;
    }
    for (uint32_t n = 0; n < spaces; n++)
        bytes[n] = ' ';
    return spaces;
}

/* Letters are those of Latin-1, as in Linux. */
static uint8_t line_upper(uint8_t byte) {
    bool is_lower = (byte >= 'a' && byte <= 'z') || (byte >= 0xdf && byte != 0xf7);
    return is_lower ? byte - 32 : byte;
}

uint8_t line_lower(uint8_t byte) {
    bool is_upper = (byte >= 'A' && byte <= 'Z') || (byte >= 0xc0 && byte <= 0xde && byte != 0xd7);
    return is_upper ? byte + 32 : byte;
}

size_t line_output(struct line *line, uint8_t byte, uint8_t bytes[8]) {
    bytes[0] = byte;
    if (!(line->settings.output & TTY_OPOST))
        return 1;
    switch (byte) {
    case '\n':
        return output_newline(line, bytes);
    case '\r':
        return output_return(line, bytes);
    case '\t':
        return output_tab(line, bytes);
    case '\b':
        line->column -= line->column > 0;
        return 1;
    default:
        if (!is_control(byte)) {
            if (line->settings.output & TTY_OLCUC)
                bytes[0] = line_upper(byte);
            line->column += !is_continuation(line, byte);
        }
        return 1;
    }
}

/* ---- echo ---- */

void line_echo_plain(struct line *line, uint8_t byte) {
    uint8_t bytes[8];
    size_t count = line_output(line, byte, bytes);
    for (size_t n = 0; n < count; n++)
        line->owner->echo(line, bytes[n]);
}

/* Without output processing, which a column is kept for nevertheless. */
static void echo_raw(struct line *line, uint8_t byte, int columns) {
    line->owner->echo(line, byte);
    line->column += columns < 0 && !line->column ? 0 : (uint32_t)columns;
}

void line_echo(struct line *line, uint8_t byte) {
    if (local(line, TTY_ECHOCTL) && is_control(byte) && byte != '\t') {
        echo_raw(line, '^', 1);
        echo_raw(line, byte ^ 0100, 1);
    } else if (byte == 0xff) {
        echo_raw(line, byte, 1); /* Linux's mark in its echo buffer */
    } else {
        line_echo_plain(line, byte);
    }
}

void line_echo_ended(struct line *line) {
    if (!line->erasing)
        return;
    line->erasing = false;
    line_echo_plain(line, '/');
}

/* ---- erasing ---- */

static uint8_t last(const struct line *line) {
    return line->bytes[(line->written - 1) % LINE_BUFFER];
}

/*
 * How wide a tab was that stood behind what is left of the line: it reached to the next multiple of
 * eight, counted from the tab before it, or from where the line began.
 */
static uint32_t width_of_tab(const struct line *line) {
    uint32_t before = 0;
    for (uint64_t at = line->written; at > line->lines; at--) {
        uint8_t byte = line->bytes[(at - 1) % LINE_BUFFER];
        if (byte == '\t')
            return 8 - (before & 7);
        if (is_control(byte))
            before += local(line, TTY_ECHOCTL) ? 2 : 0;
        else
            before += !is_continuation(line, byte);
    }
    return 8 - ((before + line->line_column) & 7);
}

static void wipe(struct line *line, uint32_t columns) {
    while (columns--) {
        line_echo_plain(line, '\b');
        line_echo_plain(line, ' ');
        line_echo_plain(line, '\b');
    }
}

/* Shows that one character, which was taken out and had so many bytes, is gone. */
static void show_erased(struct line *line, uint8_t byte, uint32_t bytes, enum line_erase what) {
    if (local(line, TTY_ECHOPRT)) {
        if (!line->erasing)
            line_echo_plain(line, '\\');
        line->erasing = true;
        line_echo(line, byte);
        for (uint32_t n = 1; n < bytes; n++) {
            line_echo_plain(line, line->bytes[(line->written + n) % LINE_BUFFER]);
            line->column -= line->column > 0;
        }
    } else if (what == LINE_ERASE_CHARACTER && !local(line, TTY_ECHOE)) {
        line_echo(line, line->settings.characters[TTY_ERASE]);
    } else if (byte == '\t') {
        for (uint32_t width = width_of_tab(line); width; width--)
            echo_raw(line, '\b', -1);
    } else if (is_control(byte)) {
        wipe(line, local(line, TTY_ECHOCTL) ? 2 : 0);
    } else {
        wipe(line, 1);
    }
}

static bool is_word(uint8_t byte) {
    return (byte >= '0' && byte <= '9') || line_upper(byte) != byte || line_lower(byte) != byte ||
           byte == '_';
}

/* Takes the last character out, all bytes of it; what is shown is its first. */
static uint8_t take_last(struct line *line, uint32_t *bytes) {
    *bytes = 0;
    uint8_t byte;
    do {
        byte = last(line);
        line->written--;
        ++*bytes;
    } while (is_continuation(line, byte) && line->written > line->lines);
    return byte;
}

static void forget_all(struct line *line) {
    line->written = line->lines;
    line_echo_ended(line);
    line_echo(line, line->settings.characters[TTY_KILL]);
    if (local(line, TTY_ECHOK))
        line_echo_plain(line, '\n');
}

void line_erase(struct line *line, enum line_erase what) {
    if (line->written == line->lines)
        return;
    if (what == LINE_ERASE_ALL && !local(line, TTY_ECHO)) {
        line->written = line->lines;
        return;
    }
    if (what == LINE_ERASE_ALL &&
        (!local(line, TTY_ECHOK) || !local(line, TTY_ECHOKE) || !local(line, TTY_ECHOE))) {
        forget_all(line);
        return;
    }
    bool in_word = false;
    while (line->written > line->lines) {
        uint64_t before = line->written;
        uint32_t bytes;
        uint8_t byte = take_last(line, &bytes);
        if (is_continuation(line, byte)) { /* not a character's beginning: leave it as it is */
            line->written = before;
            break;
        }
        if (what == LINE_ERASE_WORD) {
            if (is_word(byte)) {
                in_word = true;
            } else if (in_word) {
                line->written = before;
                break;
            }
        }
        if (local(line, TTY_ECHO))
            show_erased(line, byte, bytes, what);
        if (what == LINE_ERASE_CHARACTER)
            break;
    }
    if (line->written == line->lines && local(line, TTY_ECHO))
        line_echo_ended(line);
}
