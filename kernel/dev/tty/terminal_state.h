/*
 * What a terminal consists of, for the files of its class; nothing outside includes this.
 *
 * One lock guards it all; it is leaf. Signals that typing causes are noted under the lock and sent
 * after it.
 */
#ifndef KERNEL_TERMINAL_STATE_H
#define KERNEL_TERMINAL_STATE_H

#include "../../body.h"
#include "../../sched/wait.h"
#include "line.h"
#include "terminal.h"

#include <k42/class.h>
#include <k42/lock.h>

#define TERMINAL_OUTPUT 8192u /* a power of two */

struct terminal_state {
    struct line line; /* first: its functions find the state by it */
    struct k42_lock lock;
    uint64_t shown, written; /* positions in output: taken by the device, put there */
    bool moving;             /* somebody has output in hand */
    bool asked;              /* and somebody else asked for it meanwhile */
    bool full;               /* typing was refused */
    bool hung_up;
    bool exclusive;
    uint32_t signals; /* typed and not sent: bit n for signal n */
    int32_t session, foreground;
    struct tty_size size;
    uint64_t request, since; /* of a timed read: which call, and when it began or last got a byte */
    uint64_t seen;           /* how much had been typed then */
    uint8_t output[TERMINAL_OUTPUT];
};

static inline struct terminal_state *terminal_state_of(struct terminal *self) {
    return BODY(self);
}

/* Sends what was typed; without the lock. */
void terminal_send_signals(struct terminal_state *state);

/*
 * Whether the caller may go on: 0 in the foreground or when it is not the caller's terminal.
 * Otherwise the caller's group gets `signal` and the call is made again: -LINUX_RESTART; -EIO when
 * stopping is no use.
 */
k42_result terminal_check(const struct terminal_state *state, int signal);

k42_result terminal_control(struct terminal *self, unsigned request, uintptr_t argument);

#endif
