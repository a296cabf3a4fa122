/*
 * The first program of a guest: what its parts share.
 *
 * The launcher reaches the guest through ports of one virtio serial device: CONTROL carries
 * messages both ways, and a port each the standard streams of the command that runs. Everything on
 * them is in frames: a head, then as many bytes as it says. A stream ends with an empty frame. One
 * command runs at a time, and each port is read by one process at a time, so nothing is locked.
 * Where the launcher announces it there is one port more, for commands beside that one; its
 * messages begin with a uint32_t, the command's number. host/launcher/session.py and beside.py are
 * the other side.
 */
#ifndef GUEST_AGENT_H
#define GUEST_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

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
    KIND_OUTPUT,     /* bytes of a command beside, and of its errors */
    KIND_ERRORS,
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
/* The next frame, its bytes in memory until forget_frame(); false at the end or on nonsense. */
bool receive_frame(int fd, struct frame *frame, void **bytes);
void forget_frame(const struct frame *frame, void *bytes);

/*
 * Memory in a mapping of its own, zeroed; NULL: there is none. A process that takes no other has
 * what it had before when it has given that back, and shares as many pages with its children as
 * ever, whatever it was asked to do: what there is in the kernel can be compared.
 */
void *room_take(size_t bytes);
void room_give(void *room, size_t bytes);

/* Opens the ports; false when the machine has none. */
bool ports_open(int ports[PORT_COUNT]);
/* The port for commands beside, or -1: there is none. */
int port_beside_open(void);
/* The device on which a terminal session runs. */
const char *console_name(void);

enum { SERVICES = 2 }; /* processes that init keeps beside the command */

/* A request to run something, taken apart; strings point into the message. */
struct command {
    bool terminal;
    unsigned short rows, columns;
    const char *folder;
    char **arguments, **environment;
    pid_t spared[SERVICES]; /* not ended with what it leaves, nor are their children; or 0 */
    size_t room;            /* bytes that both lists of texts take */
};

/* The next text field of a message, or NULL. */
char *next_text(char **at, const char *end);
/* What KIND_RUN asks for, in memory that command_free() gives back; false: nonsense. */
bool command_read(char *message, size_t length, struct command *command);
void command_free(struct command *command);

/*
 * Starts a command. Returns its process id, which is also its process group, and in *done a pipe
 * that reaches its end when the command, and all it started, are over and their output is delivered
 * and the status reported; 0 when that failed, which is reported too.
 */
int command_start(const struct command *command, const int ports[PORT_COUNT], int *done);

/* Becomes the command, in a process of its own: with these streams, or on the console, of which
 * `control` is told unless it is -1. */
_Noreturn void command_become(const struct command *command, int streams[3], int control);

/* Runs commands beside, as a port asks; in a process of its own. */
_Noreturn void beside_serve(int port);

/* The folder in which a directory of the host with updates is mounted. */
#define UPDATES_FOLDER "/run/updates"
/* Takes in what appears there, in a process of its own (k42ctl updates): its number, or 0. */
pid_t updates_start(void);

/* A session on the console without a launcher: returns when its first process has ended. */
void console_session(void);

/* Mounts what programs expect to find, and loads drivers where the kernel came with some. */
void system_prepare(void);

#endif
