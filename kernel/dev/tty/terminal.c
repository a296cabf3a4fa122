/*
 * Terminal: what programs read and write, and the class.
 *
 * The state is one block, handed over by pointer when the object is exchanged. Locking: its lock;
 * programs' memory is copied outside it, through a buffer on the stack.
 */
#include "../../copy.h"
#include "../../linux/job.h"
#include "../../mem/heap/heap.h"
#include "runtime.h"
#include "terminal_state.h"

#include <errno.h>

enum { CHUNK = 256 };

/* Each note goes to whoever waits for it; what nobody waits for costs a load. */
static void tell(k42_id id, uint32_t news) {
    uint32_t program = (news & NEWS_LINE ? WAIT_READ : 0u) | (news & NEWS_SPACE ? WAIT_WRITE : 0u);
    uint32_t device = (news & NEWS_OUTPUT ? WAIT_READ : 0u) | (news & NEWS_ROOM ? WAIT_WRITE : 0u);
    if (news & NEWS_ENDED)
        program = (uint32_t)WAIT_ANY;
    if (news & NEWS_PACKET)
        device |= WAIT_READ | WAIT_URGENT;
    if (news & NEWS_CLOSED)
        device |= WAIT_READ | WAIT_HANGUP;
    if (program)
        wait_notify(id, TERMINAL_PROGRAM, program, WAIT_ALL);
    if (device)
        wait_notify(id, TERMINAL_DEVICE, device, WAIT_ALL);
}

void terminal_unlock(struct terminal *self) {
    struct terminal_state *state = terminal_state_of(self);
    uint32_t news = state->news, signals = state->signals;
    int32_t group = state->foreground;
    state->news = state->signals = 0;
    k42_unlock(&state->lock);
    for (int signal = 1; group && signals >> signal; signal++)
        if (signals >> signal & 1)
            job_signal(group, signal);
    if (news)
        tell(terminal_id(self), news);
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

static bool is_hung_up(const struct terminal_state *state, unsigned opening) {
    return __atomic_load_n(&state->opening, __ATOMIC_RELAXED) != opening;
}

static k42_result terminal_read(struct terminal *self, unsigned opening, struct copy *copy) {
    struct terminal_state *state = terminal_state_of(self);
    if (is_hung_up(state, opening))
        return 0;
    k42_result result = terminal_check(state, SIGNAL_TTIN), done = 0;
    bool end = false;
    if (result < 0)
        return result;
    while (copy->left && !end) {
        uint8_t bytes[CHUNK];
        uint64_t again = WAIT_FOREVER;
        size_t size = copy->left < CHUNK ? copy->left : CHUNK;
        k42_lock(&state->lock);
        bool gone = is_hung_up(state, opening);
        if (gone ||
            (done && !(state->line.settings.local & TTY_ICANON) && !line_readable(&state->line)))
            result = 0;
        else
            result = take(state, bytes, size, &end, &again);
        if (result > 0)
            terminal_feed(state);
        terminal_unlock(self);
        if (result == -K42_WAIT && !done)
            return wait_on_until(terminal_id(self), TERMINAL_PROGRAM, WAIT_READ, again);
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

/* Whether there is room for what a byte becomes. A pseudo-terminal that is stopped has none. */
static bool has_room(const struct terminal_state *state) {
    return TERMINAL_OUTPUT - (state->written - state->shown) >= 8 &&
           !(state->pseudo && state->line.stopped);
}

/* Puts bytes through output processing until there is no room; returns how many. What a console
 * shows is moved on by who wrote it. */
static size_t show(struct terminal *self, const uint8_t *bytes, size_t count) {
    struct terminal_state *state = terminal_state_of(self);
    size_t n = 0;
    k42_lock(&state->lock);
    while (n < count && has_room(state)) {
        uint8_t made[8];
        terminal_put(state, made, line_output(&state->line, bytes[n++], made));
    }
    if (n && state->pseudo)
        state->news |= NEWS_OUTPUT;
    terminal_unlock(self);
    return n;
}

static k42_result terminal_write(struct terminal *self, unsigned opening, struct copy *copy) {
    struct terminal_state *state = terminal_state_of(self);
    k42_result done = 0;
    if (is_hung_up(state, opening))
        return -EIO;
    if (state->line.settings.local & TTY_TOSTOP) {
        k42_result checked = terminal_check(state, SIGNAL_TTOU);
        if (checked < 0)
            return checked;
    }
    while (copy->left) {
        if (is_hung_up(state, opening))
            return done ? done : -EIO;
        uint8_t bytes[CHUNK];
        struct copy before = *copy;
        k42_result got = copy_in(copy, bytes, copy->left < CHUNK ? copy->left : CHUNK);
        if (got < 0)
            return done ? done : got;
        size_t shown = show(self, bytes, (size_t)got);
        done += (k42_result)shown;
        if (shown < (size_t)got) {
            *copy = before;
            copy_skip(copy, shown);
            return done ? done : wait_on(terminal_id(self), TERMINAL_PROGRAM, WAIT_WRITE);
        }
    }
    return done;
}

static bool has_space(const struct terminal_state *state) {
    return state->pseudo ? has_room(state) : state->written - state->shown <= TERMINAL_OUTPUT / 2;
}

static k42_result terminal_poll(struct terminal *self, unsigned opening) {
    struct terminal_state *state = terminal_state_of(self);
    k42_result ready = 0;
    k42_lock(&state->lock);
    if (line_ready(&state->line))
        ready |= FILE_READABLE;
    if (has_space(state))
        ready |= FILE_WRITABLE;
    if (is_hung_up(state, opening))
        ready = FILE_READABLE | FILE_WRITABLE | FILE_ERROR | FILE_HANG_UP;
    terminal_unlock(self);
    return ready;
}

static k42_result terminal_describe(struct k42_object *self, char *text, size_t size) {
    struct terminal_state *state = terminal_state_of((struct terminal *)(void *)self);
    return (k42_result)k42_format_text(
        text, size, "terminal of session %d, group %d in the foreground%s", state->session,
        state->foreground, state->gone ? ", hung up" : "");
}

/* ---- life ---- */

static k42_result terminal_init(struct k42_root *root, const void *args) {
    if (!args)
        return 0; /* its state is about to come */
    struct terminal_state *state = heap_allocate_zeroed(sizeof *state);
    if (!state)
        return -ENOMEM;
    const struct terminal_new *what = args;
    line_open(&state->line, &terminal_line_owner);
    if (!what->master)
        state->line.settings.input |= TTY_IUTF8;
    state->device = what->device;
    state->master = what->master;
    state->pseudo = state->locked = what->master;
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
    .ready = terminal_ready,
    .packet = terminal_packet,
    .read = terminal_read,
    .write = terminal_write,
    .poll = terminal_poll,
    .control = terminal_control,
    .opened = terminal_opened,
    .closed = terminal_closed,
    .hang_up = terminal_hang_up,
    .session_ended = terminal_session_ended,
    .facts = terminal_facts,
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

k42_result terminal_create(const struct terminal_new *what, terminal_ref *terminal) {
    return k42_make(&terminal_line, what, (k42_ref *)terminal);
}
