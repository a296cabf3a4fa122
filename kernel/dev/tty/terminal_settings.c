/*
 * Terminal: its settings, asked and changed by ioctl.
 *
 * Locking: the terminal's. Programs' memory is copied outside it.
 */
#include "../../linux/job.h"
#include "terminal_request.h"

#include <errno.h>

enum { SPEED = 38400 };

k42_result request_settings(const struct control *control) {
    struct tty_settings2 settings = {.input_speed = SPEED, .output_speed = SPEED};
    k42_lock(&control->state->lock);
    settings.common = control->state->line.settings;
    k42_unlock(&control->state->lock);
    bool extended = control->request == TTY_TCGETS2;
    return request_give(control, &settings, extended ? sizeof settings : sizeof settings.common);
}

/* Settings as System V had them: 16-bit flags, eight characters. */
struct old_settings {
    uint16_t input, output, control, local;
    uint8_t discipline, characters[8];
};

k42_result request_old_settings(const struct control *control) {
    struct old_settings old = {0};
    k42_lock(&control->state->lock);
    const struct tty_settings *settings = &control->state->line.settings;
    old.input = (uint16_t)settings->input;
    old.output = (uint16_t)settings->output;
    old.control = (uint16_t)settings->control;
    old.local = (uint16_t)settings->local;
    for (unsigned n = 0; n < sizeof old.characters; n++)
        old.characters[n] = settings->characters[n];
    k42_unlock(&control->state->lock);
    return request_give(control, &old, sizeof old);
}

/* Reads what is to be set; what an old program does not say stays as it is. */
static k42_result get_settings(const struct control *control, struct tty_settings *settings) {
    if (control->request < TTY_TCGETA || control->request > TTY_TCSETAF)
        return request_get(control, settings, sizeof *settings);
    struct old_settings old;
    k42_result result = request_get(control, &old, sizeof old);
    if (result < 0)
        return result;
    k42_lock(&control->state->lock);
    *settings = control->state->line.settings;
    k42_unlock(&control->state->lock);
    settings->input = (settings->input & 0xffff0000u) | old.input;
    settings->output = (settings->output & 0xffff0000u) | old.output;
    settings->control = (settings->control & 0xffff0000u) | old.control;
    settings->local = (settings->local & 0xffff0000u) | old.local;
    for (unsigned n = 0; n < sizeof old.characters; n++)
        settings->characters[n] = old.characters[n];
    return 0;
}

/* What a pseudo-terminal has was given to its master, says Linux. */
k42_result request_drained(const struct control *control) {
    k42_lock(&control->state->lock);
    bool all = control->state->shown == control->state->written || control->state->pseudo;
    k42_unlock(&control->state->lock);
    return all ? 0 : wait_on(terminal_id(control->self), TERMINAL_PROGRAM, WAIT_WRITE);
}

static bool stops_by_keys(const struct tty_settings *settings) {
    return (settings->input & TTY_IXON) && settings->characters[TTY_STOP] == 023 &&
           settings->characters[TTY_START] == 021;
}

/* A master in packet mode hears whether the usual keys stop output, and of everything else only
 * when it does the editing (EXTPROC). */
static void note_changes(struct terminal_state *state, const struct tty_settings *new) {
    const struct tty_settings *old = &state->line.settings;
    bool stops = stops_by_keys(new);
    if (stops != stops_by_keys(old))
        terminal_note_packet(state, TTY_PACKET_DOES_STOP | TTY_PACKET_DOES_NOT_STOP,
                             stops ? TTY_PACKET_DOES_STOP : TTY_PACKET_DOES_NOT_STOP);
    if ((old->local | new->local) & TTY_EXTPROC)
        terminal_note_packet(state, 0, TTY_PACKET_SET);
}

k42_result request_fixed(const struct control *control) {
    k42_lock(&control->state->lock);
    struct tty_settings fixed = control->state->fixed;
    k42_unlock(&control->state->lock);
    return request_give(control, &fixed, sizeof fixed);
}

k42_result request_fix(const struct control *control) {
    struct tty_settings fixed;
    k42_result result = job_may_steal() ? request_get(control, &fixed, sizeof fixed) : -EPERM;
    if (result < 0)
        return result;
    k42_lock(&control->state->lock);
    control->state->fixed = fixed;
    k42_unlock(&control->state->lock);
    return 0;
}

static uint32_t mixed(uint32_t new, uint32_t old, uint32_t fixed) {
    return (new & ~fixed) | (old & fixed);
}

static void keep_fixed(const struct terminal_state *state, struct tty_settings *new) {
    const struct tty_settings *old = &state->line.settings, *fixed = &state->fixed;
    new->input = mixed(new->input, old->input, fixed->input);
    new->output = mixed(new->output, old->output, fixed->output);
    new->control = mixed(new->control, old->control, fixed->control);
    new->local = mixed(new->local, old->local, fixed->local);
    if (fixed->discipline)
        new->discipline = old->discipline;
    for (unsigned n = 0; n < TTY_CONTROLS; n++)
        if (fixed->characters[n])
            new->characters[n] = old->characters[n];
}

/* What readers get may be more with other settings, and so may be what the line takes. */
static void set(struct terminal_state *state, struct tty_settings *settings) {
    keep_fixed(state, settings);
    if (state->pseudo) {
        settings->control = (settings->control & ~(uint32_t)TTY_PARITY) | TTY_SIZE | TTY_READS;
        note_changes(state, settings);
    }
    line_set(&state->line, settings);
    terminal_feed(state);
    state->news |= NEWS_LINE | NEWS_OUTPUT;
}

k42_result request_set(const struct control *control, bool drain, bool flush) {
    struct tty_settings settings;
    k42_result result = get_settings(control, &settings);
    if (result == 0 && drain)
        result = request_drained(control);
    if (result < 0)
        return result;
    k42_lock(&control->state->lock);
    if (flush)
        terminal_flush_input(control->state);
    set(control->state, &settings);
    terminal_unlock(control->self);
    return 0;
}
