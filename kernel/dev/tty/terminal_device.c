/*
 * Terminal: the device's side. What is typed waits in a buffer until the line has room for it; what
 * is to be shown, in another until the device takes it.
 *
 * A pseudo-terminal's device is a program, which Linux gives what was written at once: what it
 * could have read by then is neither thrown away by a flush nor held back when output stops.
 *
 * Locking: the terminal's; see terminal_state.h. Cannot fail.
 */
#include "terminal_state.h"

/* What Linux's master has taken from a pseudo-terminal that nobody reads. */
#define TAKEN_AT_ONCE 4095u

static struct terminal_state *state_of_line(struct line *line) {
    return (struct terminal_state *)line;
}

bool terminal_put(struct terminal_state *state, const uint8_t *bytes, size_t count) {
    if (TERMINAL_OUTPUT - (state->written - state->shown) < count)
        return false;
    for (size_t n = 0; n < count; n++)
        state->output[state->written++ % TERMINAL_OUTPUT] = bytes[n];
    return true;
}

static bool echo(struct line *line, uint8_t byte) {
    state_of_line(line)->news |= NEWS_OUTPUT;
    return terminal_put(state_of_line(line), &byte, 1);
}

void terminal_note_packet(struct terminal_state *state, uint8_t clear, uint8_t set) {
    if (!state->packets)
        return;
    state->packet = (uint8_t)((state->packet & ~clear) | set);
    state->news |= NEWS_PACKET;
}

void terminal_flush_input(struct terminal_state *state) {
    state->taken = state->arrived;
    line_flush(&state->line);
    state->news |= NEWS_ROOM;
    terminal_note_packet(state, 0, TTY_PACKET_READ_FLUSHED);
}

void terminal_flush_output(struct terminal_state *state) {
    uint64_t there = state->written - state->shown;
    if (!state->pseudo && !state->moving)
        state->shown = state->written;
    if (state->pseudo && there > TAKEN_AT_ONCE && !state->moving)
        state->written = state->shown + TAKEN_AT_ONCE;
    if (state->stopped_at > state->written)
        state->stopped_at = state->written;
    state->news |= NEWS_SPACE;
    terminal_note_packet(state, 0, TTY_PACKET_WRITE_FLUSHED);
}

static void typed_signal(struct line *line, int signal) {
    struct terminal_state *state = state_of_line(line);
    state->signals |= 1u << signal;
    if (line->settings.local & TTY_NOFLSH)
        return;
    terminal_flush_output(state);
    terminal_note_packet(state, 0, TTY_PACKET_READ_FLUSHED);
}

static void flow(struct line *line, bool stopped) {
    struct terminal_state *state = state_of_line(line);
    state->stopped_at = state->written;
    state->news |= stopped ? 0 : NEWS_OUTPUT | NEWS_SPACE;
    terminal_note_packet(state, stopped ? TTY_PACKET_STARTED : TTY_PACKET_STOPPED,
                         stopped ? TTY_PACKET_STOPPED : TTY_PACKET_STARTED);
}

const struct line_owner terminal_line_owner = {echo, typed_signal, flow};

void terminal_feed(struct terminal_state *state) {
    while (state->taken != state->arrived) {
        size_t at = state->taken % TERMINAL_TYPED, count = (size_t)(state->arrived - state->taken);
        if (count > TERMINAL_TYPED - at)
            count = TERMINAL_TYPED - at;
        size_t taken = line_input(&state->line, &state->typed[at], count);
        state->taken += taken;
        state->news |= taken ? NEWS_ROOM : 0;
        if (taken < count)
            break;
    }
    if (line_ready(&state->line))
        state->news |= NEWS_LINE;
}

/* ---- methods ---- */

k42_result terminal_input(struct terminal *self, const uint8_t *bytes, size_t size) {
    struct terminal_state *state = terminal_state_of(self);
    size_t count = 0;
    k42_lock(&state->lock);
    do {
        for (; count < size && state->arrived - state->taken < TERMINAL_TYPED; count++)
            state->typed[state->arrived++ % TERMINAL_TYPED] = bytes[count];
        terminal_feed(state);
    } while (count < size && state->arrived - state->taken < TERMINAL_TYPED);
    terminal_unlock(self);
    return (k42_result)count;
}

/* Up to where output may be taken. */
static uint64_t shown_to(const struct terminal_state *state) {
    if (!state->line.stopped)
        return state->written;
    return state->pseudo ? state->stopped_at : state->shown;
}

k42_result terminal_output(struct terminal *self, uint8_t *bytes, size_t size) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    size_t count = 0;
    if (state->moving) {
        state->asked = true;
    } else {
        uint64_t end = shown_to(state);
        while (count < size && state->shown + count < end) {
            bytes[count] = state->output[(state->shown + count) % TERMINAL_OUTPUT];
            count++;
        }
        state->moving = count;
    }
    terminal_unlock(self);
    return (k42_result)count;
}

/* A console's programs hear of room when there is a good deal of it, since they fill it again and
 * move it themselves; a master's when there is any. */
k42_result terminal_moved(struct terminal *self, size_t count) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    uint64_t left = state->written - state->shown;
    state->shown += count < left ? count : left;
    bool asked = state->asked;
    state->moving = state->asked = false;
    if (state->pseudo || state->written - state->shown <= TERMINAL_OUTPUT / 2)
        state->news |= NEWS_SPACE;
    terminal_unlock(self);
    return asked;
}

k42_result terminal_ready(struct terminal *self) {
    struct terminal_state *state = terminal_state_of(self);
    k42_result ready = 0;
    k42_lock(&state->lock);
    if (shown_to(state) != state->shown)
        ready |= FILE_READABLE;
    if (state->packet)
        ready |= FILE_READABLE | FILE_URGENT;
    if (state->arrived - state->taken < TERMINAL_TYPED)
        ready |= FILE_WRITABLE;
    if (state->closed)
        ready |= FILE_HANG_UP;
    terminal_unlock(self);
    return ready;
}

k42_result terminal_packet(struct terminal *self, unsigned told) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    state->packet &= (uint8_t)~told;
    k42_result result = state->packets ? TERMINAL_PACKETS | state->packet : 0;
    terminal_unlock(self);
    return result;
}
