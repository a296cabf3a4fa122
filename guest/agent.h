/*
 * The first program of a guest: what its parts share.
 *
 * The launcher reaches the guest through ports of one virtio serial device: CONTROL carries
 * messages both ways, and a port each the standard streams of the command that runs. Everything on
 * them is in frames: a head, then as many bytes as it says. A stream ends with an empty frame. One
 * command runs at a time, and each port is read by one process at a time, so nothing is locked.
 * host/launcher/guest.py is the other side.
 */
#ifndef GUEST_AGENT_H
#define GUEST_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum port { PORT_CONTROL, PORT_INPUT, PORT_OUTPUT, PORT_ERRORS, PORT_COUNT };

enum kind {
    /* To the guest. Text fields end with a zero byte each. */
    KIND_RUN = 1, /* struct run, then the folder to run in, the arguments, the environment */
    KIND_SIGNAL,  /* uint32_t: sent to the command's process group */
    KIND_WINDOW,  /* uint32_t rows, columns of the console */
    KIND_MOUNT,   /* tag and folder of a directory of the host */
    KIND_END,     /* switch the machine off */
    KIND_BYTES,   /* part of a stream */
    /* To the launcher. */
    KIND_HELLO = 64, /* uint64_t: the time-stamp counter when the first program began; then the
                        name of the console that a terminal session would get */
    KIND_ENDED,      /* uint32_t: the command's status as wait(2) gives it */
    KIND_MOUNTED,    /* uint32_t: 0, or why not as a positive errno */
    KIND_LISTENS,    /* nothing: a terminal session has opened the console */
};

struct frame {
    uint32_t kind, length;
};

struct run {
    uint32_t terminal;      /* 1: a session on the console instead of the three streams */
    uint32_t rows, columns; /* of the console */
    uint32_t arguments, variables;
};

#define MOST_BYTES (64 * 1024)       /* in one frame of a stream */
#define MOST_TEXT  (4 * 1024 * 1024) /* in one message */

/* The whole of it, or false at the end of the file or on an error. */
bool read_all(int fd, void *buffer, size_t length);
bool write_all(int fd, const void *buffer, size_t length);
/* Writes head and bytes; false when the other side is gone. */
bool send_frame(int fd, enum kind kind, const void *bytes, size_t length);
/* The next frame, its bytes in memory that the caller frees; false at the end or on nonsense. */
bool receive_frame(int fd, struct frame *frame, void **bytes);

/* Opens the ports; false when the machine has none. */
bool ports_open(int ports[PORT_COUNT]);
/* The device on which a terminal session runs. */
const char *console_name(void);

/* A request to run something, taken apart; strings point into the message. */
struct command {
    bool terminal;
    unsigned short rows, columns;
    const char *folder;
    char **arguments, **environment;
};

/*
 * Starts a command. Returns its process id, which is also its process group, and in *done a pipe
 * that reaches its end when the command, and all it started, are over and their output is delivered
 * and the status reported; 0 when that failed, which is reported too.
 */
int command_start(const struct command *command, const int ports[PORT_COUNT], int *done);

/* A session on the console without a launcher: returns when its first process has ended. */
void console_session(void);

/* Mounts what programs expect to find, and loads drivers where the kernel came with some. */
void system_prepare(void);

#endif
