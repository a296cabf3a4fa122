/*
 * The line discipline: what a terminal makes of the bytes that arrive and of those a program
 * writes.
 *
 * Input is edited into lines and echoed (canonical mode) or taken as it comes; certain characters
 * become signals or stop and start output. It behaves as Linux's N_TTY. Pure: no locks, no calls
 * but of the functions its owner provides; the owner serialises.
 */
#ifndef KERNEL_LINE_H
#define KERNEL_LINE_H

#include "termios.h"

#include <stdbool.h>
#include <stddef.h>

#define LINE_BUFFER 4096u /* a power of two; a line has at most 4095 bytes, its end included */

struct line;

struct line_owner {
    /* A byte for the terminal: an echo. False: there is no room, and the echo is lost. */
    bool (*echo)(struct line *line, uint8_t byte);
    /* A character that is a signal (Linux's number) was typed. */
    void (*signal)(struct line *line, int signal);
    /* Output stops now, or goes on. */
    void (*flow)(struct line *line, bool stopped);
};

struct line {
    const struct line_owner *owner;
    struct tty_settings settings;

    /*
     * Positions count bytes since the beginning. What lies in [read, lines) is for readers: whole
     * lines in canonical mode, everything otherwise; the line being edited is [lines, written).
     */
    uint64_t read, lines, written;
    uint8_t bytes[LINE_BUFFER];
    uint8_t ends[LINE_BUFFER / 8]; /* where a byte ends a line, or is an end of file */

    uint32_t column;      /* of the cursor, as far as output tells */
    uint32_t line_column; /* where the line being edited began */
    bool stopped;         /* output, by the stop character or TCXONC */
    bool held;            /* it was TCXONC: characters do not start it */
    bool literal;         /* the next character means itself */
    bool erasing;         /* between \ and / of ECHOPRT */
};

/* The settings a terminal begins with: those of Linux's console, but for its IUTF8. */
void line_open(struct line *line, const struct line_owner *owner);

/*
 * Takes bytes that were typed; returns how many. Fewer than given when there is no room, and
 * something for readers: they are to be offered again when that was read. A single line that is too
 * long loses what does not fit.
 */
size_t line_input(struct line *line, const uint8_t *bytes, size_t count);

/* How many bytes there are for readers: in canonical mode those of whole lines. */
size_t line_readable(const struct line *line);
/* Whether read() would not wait: a line, an end of file, or VMIN bytes. */
bool line_ready(const struct line *line);

/*
 * The next bytes for a reader, at most `size`, of one line only in canonical mode; and takes them
 * out. `*end` says that an end of file ended them, which was taken out too.
 */
size_t line_take(struct line *line, uint8_t *bytes, size_t size, bool *end);

/*
 * What a byte that a program writes becomes: up to 8 bytes in `bytes`; returns how many. Keeps the
 * column.
 */
size_t line_output(struct line *line, uint8_t byte, uint8_t bytes[8]);

/* New settings; lines and what is being edited are kept, as Linux does. */
void line_set(struct line *line, const struct tty_settings *settings);

/* Stops output, or lets it go on unless it is held. */
void line_stop(struct line *line, bool stop);

/* Forgets what was typed and not read. */
void line_flush(struct line *line);

#endif
