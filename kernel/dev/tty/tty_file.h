/*
 * Opening a terminal.
 */
#ifndef KERNEL_TTY_FILE_H
#define KERNEL_TTY_FILE_H

#include "../stream.h"
#include "pty/pty.h"
#include "terminal.h"

/* A terminal, and what is behind it: a stream, or, if that is the null ref, a master. */
struct tty_line {
    terminal_ref terminal;
    stream_ref stream;
    struct pty *pty; /* with a reference, which goes to the file, or is let go of */
};

/*
 * A file on a terminal, opened from `node`, with one hold; in the word. For a session's leader it
 * may become the controlling terminal. Errors: -EIO, -EBUSY, -ENOMEM.
 */
struct k42_pair tty_open(const struct tty_line *line, k42_ref node, unsigned flags);

#endif
