/*
 * Opening a terminal.
 */
#ifndef KERNEL_TTY_FILE_H
#define KERNEL_TTY_FILE_H

#include "../stream.h"
#include "terminal.h"

/*
 * A file on a terminal whose output goes to `stream`, opened from `node`, with one hold; in the
 * word. For a session's leader it may become the controlling terminal. Errors: -EIO, -ENOMEM.
 */
struct k42_pair tty_open(terminal_ref terminal, stream_ref stream, k42_ref node, unsigned flags);

#endif
