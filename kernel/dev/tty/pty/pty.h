/*
 * Pseudo-terminals: terminals whose device is a program. Whoever opens ptmx has the master, a file;
 * the terminal appears by number in the same devpts and is opened there as any other.
 *
 *   program -- open file (tty_file.c) -- terminal -- master (master_file.c) -- program
 *
 * A pseudo-terminal is held by its master and by each file that has the terminal open; the last to
 * let go frees the number and ends the terminal. A devpts is a ramfs, and lasts while it is mounted
 * or has any.
 */
#ifndef KERNEL_PTY_H
#define KERNEL_PTY_H

#include "../../../fs/node.h"
#include "../terminal.h"

#include <k42/thread.h>

#define PTY_MOST 4096u /* in one devpts; as Linux allows them */

struct devpts;

struct pty {
    struct devpts *devpts;
    terminal_ref terminal;
    node_ref node; /* the terminal's, held */
    uint32_t index;
    uint32_t references; /* atomic */
    struct k42_defer defer;
};

/* The devpts that a node is in; NULL: none. Active callers. */
struct devpts *devpts_of(k42_ref node);
/* The first there is. Active callers. */
struct devpts *devpts_first(void);

/* Makes one with the lowest number that is free, and one reference. Errors: -ENOSPC, -ENOMEM. */
K42_MUST_CHECK
k42_result pty_make(struct devpts *devpts, struct pty **made);
/* The one of this number with a reference; NULL: there is none. */
struct pty *pty_find(struct devpts *devpts, uint32_t index);
/* The one that a terminal is of, with a reference; NULL: it has a stream, or is going. Active. */
struct pty *pty_of_terminal(terminal_ref terminal);
/* Its master is closed: the name goes, and the terminal hangs up. */
void pty_hang_up(struct pty *pty);
void pty_release(struct pty *pty);

/* Opens a master, which takes the reference over; the file, with one hold, in the word. */
struct k42_pair pty_open_master(struct pty *pty, k42_ref node, unsigned flags);

/* Registers the devices and the file system, and mounts one before /dev/pts. Once; an active
 * thread. */
void ptys_open(void);

#endif
