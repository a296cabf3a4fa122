/*
 * Terminal: bytes in both directions, readiness, and who may read and write.
 *
 * The state is one block, handed over by pointer when the object is exchanged. Locking: its lock;
 * programs' memory is copied outside it, through a buffer on the stack.
 */
#include "../../copy.h"
#include "../../fs/file.h"
#include "../../linux/job.h"
#include "../../linux/linux.h"
#include "../../mem/heap/heap.h"
#include "runtime.h"
#include "terminal_state.h"

#include <errno.h>

enum {
    CHUNK = 256,
    SIGNAL_HUP = 1,
    SIGNAL_CONT = 18,
    SIGNAL_TTIN = 21,
    SIGNAL_TTOU = 22,
};

static struct terminal_state *state_of_line(struct line *line) {
    return (struct terminal_state *)line;
}

static k42_id id_of(struct terminal *self) {
    return k42_root_id(BODY_ROOT(self));
}

static bool put(struct terminal_state *state, const uint8_t *bytes, size_t count) {
    if (TERMINAL_OUTPUT - (state->written - state->shown) < count)
        return false;
    for (size_t n = 0; n < count; n++)
        state->output[state->written++ % TERMINAL_OUTPUT] = bytes[n];
    return true;
}

static bool echo(struct line *line, uint8_t byte) {
    return put(state_of_line(line), &byte, 1);
}

static void typed_signal(struct line *line, int signal) {
    struct terminal_state *state = state_of_line(line);
    state->signals |= 1u << signal;
    if (!(line->settings.local & TTY_NOFLSH) && !state->moving)
        state->shown = state->written;
}

static const struct line_owner owner = {echo, typed_signal};

void terminal_send_signals(struct terminal_state *state) {
    uint32_t signals = __atomic_exchange_n(&state->signals, 0, __ATOMIC_RELAXED);
    int32_t group = __atomic_load_n(&state->foreground, __ATOMIC_RELAXED);
    for (int signal = 1; group && signals >> signal; signal++)
        if (signals >> signal & 1)
            job_signal(group, signal);
}

k42_result terminal_check(const struct terminal_state *state, int signal) {
    struct job job;
    job_self(&job);
    int32_t foreground = __atomic_load_n(&state->foreground, __ATOMIC_RELAXED);
    if (!job.process || job.session != __atomic_load_n(&state->session, __ATOMIC_RELAXED) ||
        !foreground || job.group == foreground)
        return 0;
    if (!job_minds(signal))
        return signal == SIGNAL_TTIN ? -EIO : 0;
    if (job.orphaned)
        return -EIO;
    job_signal(job.group, signal);
    return -LINUX_RESTART;
}

/* ---- the device's side ---- */

static k42_result terminal_input(struct terminal *self, const uint8_t *bytes, size_t size) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    uint64_t written = state->written;
    bool stopped = state->line.stopped;
    size_t taken = line_input(&state->line, bytes, size);
    bool shows = state->written != written || (stopped && !state->line.stopped);
    bool ready = line_ready(&state->line);
    state->full = taken < size;
    k42_unlock(&state->lock);
    terminal_send_signals(state);
    if (shows)
        wait_notify(id_of(self), TERMINAL_DEVICE, WAIT_WRITE, WAIT_ALL);
    if (ready)
        wait_notify(id_of(self), TERMINAL_PROGRAM, WAIT_READ, WAIT_ALL);
    return (k42_result)taken;
}

static k42_result terminal_output(struct terminal *self, uint8_t *bytes, size_t size) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    size_t count = 0;
    if (state->moving) {
        state->asked = true;
    } else if (!state->line.stopped) {
        while (count < size && state->shown + count < state->written) {
            bytes[count] = state->output[(state->shown + count) % TERMINAL_OUTPUT];
            count++;
        }
        state->moving = count;
    }
    k42_unlock(&state->lock);
    return (k42_result)count;
}

static k42_result terminal_moved(struct terminal *self, size_t count) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    uint64_t left = state->written - state->shown;
    state->shown += count < left ? count : left;
    bool asked = state->asked;
    state->moving = state->asked = false;
    bool room = state->written - state->shown <= TERMINAL_OUTPUT / 2;
    k42_unlock(&state->lock);
    if (room)
        wait_notify(id_of(self), TERMINAL_PROGRAM, WAIT_WRITE, WAIT_ALL);
    return asked;
}

static k42_result terminal_hang_up(struct terminal *self) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    state->hung_up = true;
    state->shown = state->written;
    int32_t session = state->session, group = state->foreground;
    state->session = state->foreground = 0;
    k42_unlock(&state->lock);
    if (session) {
        job_set_terminal(session, K42_NULL_REF);
        job_signal_leader(session, SIGNAL_HUP);
        job_signal_leader(session, SIGNAL_CONT);
    }
    if (group) {
        job_signal(group, SIGNAL_HUP);
        job_signal(group, SIGNAL_CONT);
    }
    wait_notify(id_of(self), TERMINAL_PROGRAM, (uint32_t)WAIT_ANY, WAIT_ALL);
    return 0;
}

/* ---- the program's side ---- */

/* Whether a raw read that has nothing, or too little, has waited long enough: VMIN and VTIME. */
static bool is_over(struct terminal_state *state, uint64_t *again) {
    const uint8_t *characters = state->line.settings.characters;
    uint64_t tenths = characters[TTY_TIME], typed = state->line.written;
    *again = WAIT_FOREVER;
    if (!tenths)
        return !characters[TTY_MIN];
    if (characters[TTY_MIN] && typed == state->line.read)
        return false; /* the clock starts with the first byte */
    uint64_t now = time_ns();
    if (state->request != wait_request() || state->seen != typed) {
        state->request = wait_request();
        state->since = now;
        state->seen = typed;
    }
    *again = state->since + tenths * 100000000ul;
    return now >= *again;
}

/* Takes what is there for a read of `size` bytes. -K42_WAIT: not enough yet; until `*again`. */
static k42_result take(struct terminal_state *state, uint8_t *bytes, size_t size, bool *end,
                       uint64_t *again) {
    struct line *line = &state->line;
    const uint8_t *characters = line->settings.characters;
    if (line->settings.local & TTY_ICANON) {
        *again = WAIT_FOREVER;
        if (!line_ready(line))
            return -K42_WAIT;
    } else {
        size_t wanted = characters[TTY_MIN] < size ? characters[TTY_MIN] : size;
        size_t there = line_readable(line);
        bool timed_first = !characters[TTY_MIN] && there;
        if (!timed_first && there < (wanted ? wanted : 1) && !is_over(state, again))
            return -K42_WAIT;
    }
    return (k42_result)line_take(line, bytes, size, end);
}

static k42_result terminal_read(struct terminal *self, struct copy *copy) {
    struct terminal_state *state = terminal_state_of(self);
    k42_result result = terminal_check(state, SIGNAL_TTIN), done = 0;
    bool end = false;
    if (result < 0)
        return result;
    while (copy->left && !end) {
        uint8_t bytes[CHUNK];
        uint64_t again = WAIT_FOREVER;
        size_t size = copy->left < CHUNK ? copy->left : CHUNK;
        k42_lock(&state->lock);
        if (done && !(state->line.settings.local & TTY_ICANON) && !line_readable(&state->line))
            result = 0;
        else
            result = take(state, bytes, size, &end, &again);
        bool gone = state->hung_up, refused = result > 0 && state->full;
        if (refused)
            state->full = false;
        k42_unlock(&state->lock);
        if (refused)
            wait_notify(id_of(self), TERMINAL_DEVICE, WAIT_READ, WAIT_ALL);
        if (result == -K42_WAIT && !gone && !done)
            return wait_on_until(id_of(self), TERMINAL_PROGRAM, WAIT_READ, again);
        if (result <= 0)
            return done;
        k42_result copied = copy_out(copy, bytes, (size_t)result);
        if (copied < 0)
            return done ? done : copied;
        done += copied;
        if (copied < result)
            return done;
    }
    return done;
}

/* Puts bytes through output processing until there is no room; returns how many. */
static size_t show(struct terminal_state *state, const uint8_t *bytes, size_t count) {
    size_t n = 0;
    k42_lock(&state->lock);
    while (n < count && TERMINAL_OUTPUT - (state->written - state->shown) >= 8) {
        uint8_t made[8];
        put(state, made, line_output(&state->line, bytes[n++], made));
    }
    k42_unlock(&state->lock);
    return n;
}

static k42_result terminal_write(struct terminal *self, struct copy *copy) {
    struct terminal_state *state = terminal_state_of(self);
    k42_result done = 0;
    if (state->line.settings.local & TTY_TOSTOP) {
        k42_result checked = terminal_check(state, SIGNAL_TTOU);
        if (checked < 0)
            return checked;
    }
    while (copy->left) {
        if (__atomic_load_n(&state->hung_up, __ATOMIC_RELAXED))
            return done ? done : -EIO;
        uint8_t bytes[CHUNK];
        struct copy before = *copy;
        k42_result got = copy_in(copy, bytes, copy->left < CHUNK ? copy->left : CHUNK);
        if (got < 0)
            return done ? done : got;
        size_t shown = show(state, bytes, (size_t)got);
        done += (k42_result)shown;
        if (shown < (size_t)got) {
            *copy = before;
            copy_skip(copy, shown);
            return done ? done : wait_on(id_of(self), TERMINAL_PROGRAM, WAIT_WRITE);
        }
    }
    return done;
}

static k42_result terminal_poll(struct terminal *self) {
    struct terminal_state *state = terminal_state_of(self);
    k42_result ready = 0;
    k42_lock(&state->lock);
    if (line_ready(&state->line))
        ready |= FILE_READABLE;
    if (state->written - state->shown <= TERMINAL_OUTPUT / 2)
        ready |= FILE_WRITABLE;
    if (state->hung_up)
        ready |= FILE_READABLE | FILE_WRITABLE | FILE_HANG_UP;
    k42_unlock(&state->lock);
    return ready;
}

/* ---- sessions ---- */

static k42_result terminal_opened(struct terminal *self, unsigned not_mine) {
    struct terminal_state *state = terminal_state_of(self);
    struct job job;
    job_self(&job);
    if (__atomic_load_n(&state->hung_up, __ATOMIC_RELAXED))
        return -EIO;
    if (not_mine || !job.leads || k42_id_of(job_terminal()))
        return 0;
    k42_lock(&state->lock);
    bool taken = !state->session;
    if (taken) {
        state->session = job.session;
        state->foreground = job.group;
    }
    k42_unlock(&state->lock);
    if (taken)
        job_set_terminal(job.session, k42_root_ref(BODY_ROOT(self)));
    return 0;
}

static k42_result terminal_session_ended(struct terminal *self, int session) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    int32_t group = state->session == session ? state->foreground : 0;
    if (state->session == session)
        state->session = state->foreground = 0;
    k42_unlock(&state->lock);
    if (group) {
        job_signal(group, SIGNAL_HUP);
        job_signal(group, SIGNAL_CONT);
    }
    return 0;
}

static k42_result terminal_describe(struct k42_object *self, char *text, size_t size) {
    struct terminal_state *state = terminal_state_of((struct terminal *)(void *)self);
    return (k42_result)k42_format_text(
        text, size, "terminal of session %d, group %d in the foreground%s", state->session,
        state->foreground, state->hung_up ? ", hung up" : "");
}

/* ---- life ---- */

static k42_result terminal_init(struct k42_root *root, const void *args) {
    if (!args)
        return 0; /* its state is about to come */
    struct terminal_state *state = heap_allocate_zeroed(sizeof *state);
    if (!state)
        return -ENOMEM;
    line_open(&state->line, &owner);
    return body_init(root, state);
}

static void terminal_fini(struct k42_root *root) {
    heap_free(body_of_root(root));
}

/* Canonical: struct terminal_state. */
static const struct k42_format terminal_format = {"terminal.state", 1, 1};
static const struct k42_transfer transfers[] = BODY_TRANSFERS(terminal_format);

static const struct terminal_ops terminal_line_ops = {
    .object.describe = terminal_describe,
    .input = terminal_input,
    .output = terminal_output,
    .moved = terminal_moved,
    .read = terminal_read,
    .write = terminal_write,
    .poll = terminal_poll,
    .control = terminal_control,
    .opened = terminal_opened,
    .hang_up = terminal_hang_up,
    .session_ended = terminal_session_ended,
};

K42_CLASS(terminal_line) = {
    .name = "terminal.line",
    .interface = &terminal_interface,
    .version = 1,
    BODY_OBJECT,
    .ops = &terminal_line_ops,
    .init = terminal_init,
    .fini = terminal_fini,
    .transfers = transfers,
};

k42_result terminal_create(terminal_ref *terminal) {
    static const char fresh = 0;
    return k42_make(&terminal_line, &fresh, (k42_ref *)terminal);
}
