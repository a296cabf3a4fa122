/*
 * A console: a terminal joined to a stream, with a thread that moves bytes between them.
 */
#ifndef KERNEL_CONSOLE_H
#define KERNEL_CONSOLE_H

#include "../stream.h"
#include "terminal.h"

/*
 * Joins them for good; the terminal hangs up when the stream does. `name` is the thread's. May
 * wait. 0 or -ENOMEM.
 */
K42_MUST_CHECK
k42_result console_join(const char *name, terminal_ref terminal, stream_ref stream);

/*
 * Moves what the terminal has to show to the stream, as far as that takes it. Whoever has written
 * calls this, so that output need not wait for the thread. Active callers.
 */
void console_show(terminal_ref terminal, stream_ref stream);

#endif
