/*
 * What a terminal consists of, for the files of its class; nothing outside includes this.
 *
 * One lock guards it all; it is leaf. What others are to hear of, signals included, is noted under
 * the lock and told after it, by terminal_unlock(): whoever takes a note tells it, and the change
 * that it is about came before.
 */
#ifndef KERNEL_TERMINAL_STATE_H
#define KERNEL_TERMINAL_STATE_H

#include "../../body.h"
#include "../../fs/file.h"
#include "../../sched/wait.h"
#include "line.h"
#include "terminal.h"

#include <k42/class.h>
#include <k42/lock.h>

#define TERMINAL_OUTPUT 16384u /* both are powers of two */
#define TERMINAL_TYPED  8192u

enum {
    SIGNAL_HUP = 1,
    SIGNAL_INT = 2,
    SIGNAL_QUIT = 3,
    SIGNAL_CONT = 18,
    SIGNAL_TSTP = 20,
    SIGNAL_TTIN = 21,
    SIGNAL_TTOU = 22,
    SIGNAL_WINCH = 28,
};

/* What somebody may be waiting for: TERMINAL_PROGRAM's share, TERMINAL_DEVICE's. */
enum terminal_news {
    NEWS_LINE = 1,   /* something to read */
    NEWS_SPACE = 2,  /* room to write */
    NEWS_ENDED = 4,  /* hung up */
    NEWS_OUTPUT = 8, /* something to show */
    NEWS_ROOM = 16,  /* room for typing */
    NEWS_PACKET = 32,
    NEWS_CLOSED = 64, /* no program has it open any more */
};

struct terminal_state {
    struct line line; /* first: its functions find the state by it */
    struct k42_lock lock;
    uint64_t device;
    uintptr_t master;
    uint64_t shown, written; /* positions in output: taken by the device, put there */
    uint64_t stopped_at;     /* of a pseudo-terminal: what was there when output stopped is shown */
    uint64_t taken, arrived; /* positions in typed: taken by the line, put there */
    uint32_t opening;        /* counts hang-ups */
    uint32_t files;          /* that have it open, those of former openings included */
    bool pseudo, locked;
    bool closed;    /* it was open, and is not */
    bool moving;    /* somebody has output in hand */
    bool asked;     /* and somebody else asked for it meanwhile */
    bool gone;      /* its device */
    bool exclusive; /* only the privileged may open it again */
    bool packets;
    uint8_t packet;   /* what is to be told */
    uint32_t news;    /* not told: terminal_news; atomic */
    uint32_t signals; /* typed and not sent: bit n for signal n; atomic */
    int32_t session, foreground;
    struct tty_size size;
    struct tty_settings fixed; /* the flags that stay, and not zero: the characters that do */
    uint64_t request, since; /* of a timed read: which call, and when it began or last got a byte */
    uint64_t seen;           /* how much had been typed then */
    uint8_t output[TERMINAL_OUTPUT];
    uint8_t typed[TERMINAL_TYPED];
};

static inline struct terminal_state *terminal_state_of(struct terminal *self) {
    return BODY(self);
}

static inline k42_id terminal_id(struct terminal *self) {
    return k42_root_id(BODY_ROOT(self));
}

extern const struct line_owner terminal_line_owner;

/* Unlocks, and tells what there is to tell. */
void terminal_unlock(struct terminal *self);

/* ---- with the lock ---- */

/* Puts bytes where the device takes them; false: there is no room. */
bool terminal_put(struct terminal_state *state, const uint8_t *bytes, size_t count);
/* The line takes what was typed, as far as it has room. */
void terminal_feed(struct terminal_state *state);
/* Throws away what was typed, or what was written and has not left. */
void terminal_flush_input(struct terminal_state *state);
void terminal_flush_output(struct terminal_state *state);
/* Notes what the master is to be told, if it wants to be. */
void terminal_note_packet(struct terminal_state *state, uint8_t clear, uint8_t set);

/* ---- without ---- */

/*
 * Whether the caller may go on: 0 in the foreground or when it is not the caller's terminal.
 * Otherwise the caller's group gets `signal` and the call is made again: -LINUX_RESTART; -EIO when
 * stopping is no use.
 */
k42_result terminal_check(const struct terminal_state *state, int signal);

/* ---- methods: terminal_device.c, terminal_control.c, terminal_job.c ---- */

k42_result terminal_input(struct terminal *self, const uint8_t *bytes, size_t size);
k42_result terminal_output(struct terminal *self, uint8_t *bytes, size_t size);
k42_result terminal_moved(struct terminal *self, size_t count);
k42_result terminal_ready(struct terminal *self);
k42_result terminal_packet(struct terminal *self, unsigned told);
k42_result terminal_control(struct terminal *self, unsigned opening, unsigned request,
                            uintptr_t argument);
k42_result terminal_opened(struct terminal *self, unsigned how);
k42_result terminal_closed(struct terminal *self);
k42_result terminal_hang_up(struct terminal *self, unsigned end);
k42_result terminal_session_ended(struct terminal *self, int session, unsigned ended);
k42_result terminal_facts(struct terminal *self, struct terminal_facts *facts);

#endif
