/*
 * The input side of the line discipline (line.h): editing, echoing, signals; and what readers get.
 *
 * Data is the owner's, who serialises. Cannot fail: a line that is full drops characters and rings.
 */
#include "line.h"

#include "line_echo.h"

enum {
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_TSTP = 20,
};

static bool is_end(const struct line *line, uint64_t at) {
    return line->ends[at % LINE_BUFFER / 8] >> at % 8 & 1;
}

static void mark_end(struct line *line, uint64_t at, bool end) {
    uint8_t *byte = &line->ends[at % LINE_BUFFER / 8];
    *byte = (uint8_t)((*byte & ~(1u << at % 8)) | (unsigned)end << at % 8);
}

static bool is(const struct line *line, enum tty_character which, uint8_t byte) {
    return line->settings.characters[which] == byte && byte != 0;
}

static bool canonical(const struct line *line) {
    return line->settings.local & TTY_ICANON;
}

static bool local(const struct line *line, unsigned flag) {
    return line->settings.local & flag;
}

void line_open(struct line *line, const struct line_owner *owner) {
    *line = (struct line){.owner = owner,
                          .settings = {.input = TTY_ICRNL | TTY_IXON,
                                       .output = TTY_OPOST | TTY_ONLCR,
                                       .control = 0xbf, /* 38400 baud, 8 bits, receiver on */
                                       .local = TTY_ISIG | TTY_ICANON | TTY_ECHO | TTY_ECHOE |
                                                TTY_ECHOK | TTY_ECHOCTL | TTY_ECHOKE | TTY_IEXTEN,
                                       .characters = {[TTY_INTR] = 3,
                                                      [TTY_QUIT] = 28,
                                                      [TTY_ERASE] = 127,
                                                      [TTY_KILL] = 21,
                                                      [TTY_EOF] = 4,
                                                      [TTY_MIN] = 1,
                                                      [TTY_START] = 17,
                                                      [TTY_STOP] = 19,
                                                      [TTY_SUSP] = 26,
                                                      [TTY_REPRINT] = 18,
                                                      [TTY_DISCARD] = 15,
                                                      [TTY_WERASE] = 23,
                                                      [TTY_LNEXT] = 22}}};
}

void line_flush(struct line *line) {
    line->read = line->lines = line->written;
    line->literal = false;
}

void line_stop(struct line *line, bool stop) {
    if (line->stopped == stop || (!stop && line->held))
        return;
    line->stopped = stop;
    line->owner->flow(line, stop);
}

void line_set(struct line *line, const struct tty_settings *settings) {
    bool was_canonical = canonical(line);
    bool stops = line->settings.input & TTY_IXON;
    line->settings = *settings;
    if (was_canonical != canonical(line)) {
        /* What is there becomes one line, so that nobody loses it; or is a reader's at once. */
        if (!was_canonical)
            for (uint64_t at = line->read; at < line->written; at++)
                mark_end(line, at, at + 1 == line->written);
        line->lines = line->written;
        line->erasing = false;
    }
    if (stops && !(settings->input & TTY_IXON))
        line_stop(line, false);
}

/* ---- what is typed ---- */

static bool has_room(const struct line *line) {
    return line->written - line->read < LINE_BUFFER - 1;
}

static void put(struct line *line, uint8_t byte, bool end) {
    line->bytes[line->written % LINE_BUFFER] = byte;
    mark_end(line, line->written, end);
    line->written++;
}

static void ring(struct line *line) {
    if (line->settings.input & TTY_IMAXBEL)
        line->owner->echo(line, '\a');
}

/* Ends the line with a byte; 0 with `end` of file is taken for no byte by readers. */
static void end_line(struct line *line, uint8_t byte) {
    if (line->written - line->read >= LINE_BUFFER) {
        ring(line);
        return;
    }
    put(line, byte, true);
    line->lines = line->written;
}

/* What the signal throws away is not the echo of its character. */
static void signal_typed(struct line *line, uint8_t byte, int signal) {
    if (!local(line, TTY_NOFLSH))
        line_flush(line);
    line->owner->signal(line, signal);
    if (line->settings.input & TTY_IXON)
        line_stop(line, false);
    if (local(line, TTY_ECHO))
        line_echo(line, byte);
}

/* Signals, stop and start. True: that was it. */
static bool take_control(struct line *line, uint8_t byte) {
    if (line->settings.input & TTY_IXON) {
        bool start = is(line, TTY_START, byte), stop = is(line, TTY_STOP, byte);
        if (start || stop) {
            line_stop(line, stop && !(start && line->stopped));
            return true;
        }
    }
    if (!local(line, TTY_ISIG))
        return false;
    int signal = is(line, TTY_INTR, byte)   ? SIGNAL_INT
                 : is(line, TTY_QUIT, byte) ? SIGNAL_QUIT
                 : is(line, TTY_SUSP, byte) ? SIGNAL_TSTP
                                            : 0;
    if (signal)
        signal_typed(line, byte, signal);
    return signal;
}

/* Editing of a line. True: that was it. */
static bool take_editing(struct line *line, uint8_t byte) {
    bool extended = local(line, TTY_IEXTEN);
    if (is(line, TTY_ERASE, byte)) {
        line_erase(line, LINE_ERASE_CHARACTER);
    } else if (is(line, TTY_WERASE, byte) && extended) {
        line_erase(line, LINE_ERASE_WORD);
    } else if (is(line, TTY_KILL, byte)) {
        line_erase(line, LINE_ERASE_ALL);
    } else if (is(line, TTY_LNEXT, byte) && extended) {
        line->literal = true;
        if (local(line, TTY_ECHO)) {
            line_echo_ended(line);
            if (local(line, TTY_ECHOCTL)) {
                line_echo_plain(line, '^');
                line_echo_plain(line, '\b');
            }
        }
    } else if (is(line, TTY_REPRINT, byte) && extended && local(line, TTY_ECHO)) {
        line_echo_ended(line);
        line_echo(line, byte);
        line_echo_plain(line, '\n');
        for (uint64_t at = line->lines; at < line->written; at++)
            line_echo(line, line->bytes[at % LINE_BUFFER]);
    } else {
        return false;
    }
    return true;
}

/* What ends a line. True: that was it. */
static bool take_end(struct line *line, uint8_t byte) {
    if (byte == '\n') {
        if (local(line, TTY_ECHO) || local(line, TTY_ECHONL))
            line_echo_plain(line, '\n');
        end_line(line, '\n');
    } else if (is(line, TTY_EOF, byte)) {
        end_line(line, 0);
    } else if (is(line, TTY_EOL, byte) || (is(line, TTY_EOL2, byte) && local(line, TTY_IEXTEN))) {
        if (local(line, TTY_ECHO))
            line_echo(line, byte);
        end_line(line, byte);
    } else {
        return false;
    }
    return true;
}

/* A newline that was typed as such into raw input is echoed as the control character it is. */
static void take_plain(struct line *line, uint8_t byte, bool was_return) {
    if (!has_room(line)) {
        ring(line);
        return;
    }
    if (local(line, TTY_ECHO)) {
        line_echo_ended(line);
        if (line->lines == line->written)
            line->line_column = line->column;
        if (byte == '\n' && was_return)
            line_echo_plain(line, '\n');
        else
            line_echo(line, byte);
    }
    put(line, byte, false);
    if (!canonical(line))
        line->lines = line->written;
}

static uint8_t without_case(const struct line *line, uint8_t byte) {
    unsigned input = line->settings.input;
    if (input & TTY_ISTRIP)
        byte &= 0x7f;
    return (input & TTY_IUCLC) && local(line, TTY_IEXTEN) ? line_lower(byte) : byte;
}

/* What the input flags make of an end of line; false: nothing. */
static bool translate(const struct line *line, uint8_t *byte) {
    unsigned input = line->settings.input;
    if (*byte == '\r') {
        if (input & TTY_IGNCR)
            return false;
        if (input & TTY_ICRNL)
            *byte = '\n';
    } else if (*byte == '\n' && (input & TTY_INLCR)) {
        *byte = '\r';
    }
    return true;
}

static void take_byte(struct line *line, uint8_t typed) {
    if (line->literal) {
        line->literal = false;
        take_plain(line, without_case(line, typed), false);
        return;
    }
    bool starts =
        line->stopped && (line->settings.input & TTY_IXON) && (line->settings.input & TTY_IXANY);
    uint8_t byte = without_case(line, typed);
    bool control = take_control(line, byte);
    if (starts && !is(line, TTY_START, byte) && !is(line, TTY_STOP, byte))
        line_stop(line, false);
    bool was_return = byte == '\r';
    if (control || !translate(line, &byte))
        return;
    if (canonical(line) && (take_editing(line, byte) || take_end(line, byte)))
        return;
    take_plain(line, byte, was_return);
}

size_t line_input(struct line *line, const uint8_t *bytes, size_t count) {
    for (size_t n = 0; n < count; n++) {
        if (!has_room(line) && (!canonical(line) || line_ready(line)))
            return n;
        take_byte(line, bytes[n]);
    }
    return count;
}

/* ---- what readers get ---- */

size_t line_readable(const struct line *line) {
    if (!canonical(line))
        return (size_t)(line->written - line->read);
    size_t count = (size_t)(line->lines - line->read);
    for (uint64_t at = line->read; at < line->lines; at++)
        count -= is_end(line, at) && line->bytes[at % LINE_BUFFER] == 0;
    return count;
}

bool line_ready(const struct line *line) {
    if (canonical(line))
        return line->lines != line->read;
    const uint8_t *characters = line->settings.characters;
    uint64_t wanted = characters[TTY_TIME] || !characters[TTY_MIN] ? 1 : characters[TTY_MIN];
    return line->written - line->read >= wanted;
}

size_t line_take(struct line *line, uint8_t *bytes, size_t size, bool *end) {
    size_t taken = 0;
    *end = false;
    while (taken < size && line->read < line->lines) {
        uint64_t at = line->read;
        bool ends = canonical(line) && is_end(line, at);
        line->read++;
        if (ends && line->bytes[at % LINE_BUFFER] == 0) {
            *end = true;
            return taken;
        }
        bytes[taken++] = line->bytes[at % LINE_BUFFER];
        if (ends) {
            *end = true;
            return taken;
        }
    }
    /* An end of file directly behind a full buffer belongs to this read, not to the next. */
    if (taken == size && taken && canonical(line) && line->read < line->lines &&
        is_end(line, line->read) && line->bytes[line->read % LINE_BUFFER] == 0) {
        line->read++;
        *end = true;
    }
    return taken;
}
