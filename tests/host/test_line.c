/*
 * The line discipline of the kernel's terminals against Linux's own: random settings and random
 * typing are given to both, and echoes, what readers get and how it is cut must be the same.
 *
 * Linux's side is a pseudo-terminal of the machine the test runs on. What is typed reaches it some
 * time later, so each step waits for as many bytes as our side produced: a step that differs waits
 * until it gives up, one that agrees does not.
 */
#define _GNU_SOURCE
#include "line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 2000, ROUNDS = 600, STEPS = 6, MOST = 1 << 16 };

/* Both terminals, and what ours has shown. */
struct pair {
    struct line line;
    uint8_t shown[MOST];
    size_t count;
    int signal;
    int master, slave;
};

static struct pair *pair_of(struct line *line) {
    return (struct pair *)(void *)line;
}

static bool show(struct line *line, uint8_t byte) {
    struct pair *pair = pair_of(line);
    assert_true(pair->count < MOST);
    pair->shown[pair->count++] = byte;
    return true;
}

static void note_signal(struct line *line, int signal) {
    pair_of(line)->signal = signal;
}

static void note_flow(struct line *line, bool stopped) {
    (void)line, (void)stopped;
}

static const struct line_owner owner = {show, note_signal, note_flow};

static struct pair *open_pair(void) {
    struct pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    line_open(&pair->line, &owner);
    pair->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (pair->master < 0)
        skip();
    char name[64];
    assert_int_equal(grantpt(pair->master), 0);
    assert_int_equal(unlockpt(pair->master), 0);
    assert_int_equal(ptsname_r(pair->master, name, sizeof name), 0);
    pair->slave = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(pair->slave >= 0);
    return pair;
}

static void close_pair(struct pair *pair) {
    close(pair->slave);
    close(pair->master);
    free(pair);
}

static void set(struct pair *pair, const struct tty_settings *settings) {
    line_set(&pair->line, settings);
    assert_int_equal(ioctl(pair->slave, TTY_TCSETS, settings), 0);
}

/* Reads what one side of Linux's gives until there are `count` bytes or patience ends. */
static size_t gather(int fd, uint8_t *bytes, size_t count) {
    size_t got = 0;
    while (got < count) {
        ssize_t n = read(fd, bytes + got, count - got);
        if (n > 0) {
            got += (size_t)n;
            continue;
        }
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (n == 0 || poll(&wait, 1, PATIENCE_MS) <= 0)
            break;
    }
    return got;
}

static void describe(const char *what, const uint8_t *bytes, size_t count) {
    fprintf(stderr, "%s:", what);
    for (size_t n = 0; n < count; n++)
        fprintf(stderr, bytes[n] > 32 && bytes[n] < 127 ? " %c" : " %02x", bytes[n]);
    fprintf(stderr, "\n");
}

static void must_be_equal(const struct pair *pair, const char *what, const uint8_t *ours,
                          size_t ours_count, const uint8_t *theirs, size_t theirs_count) {
    if (ours_count == theirs_count && memcmp(ours, theirs, ours_count) == 0)
        return;
    const struct tty_settings *s = &pair->line.settings;
    fprintf(stderr, "%s differ; input %x output %x local %x\n", what, s->input, s->output,
            s->local);
    describe("  ours", ours, ours_count);
    describe("  Linux", theirs, theirs_count);
    fail();
}

/* Waits until all that was typed has reached the readers' side of Linux's. */
static void settle(struct pair *pair, size_t readable) {
    int there = -1;
    for (unsigned n = 0; n < PATIENCE_MS && there != (int)readable; n++) {
        if (n)
            usleep(1000);
        assert_int_equal(ioctl(pair->slave, FIONREAD, &there), 0);
    }
    assert_int_equal(there, readable);
}

static void type(struct pair *pair, const uint8_t *bytes, size_t count) {
    static uint8_t theirs[MOST];
    pair->count = 0;
    assert_int_equal(line_input(&pair->line, bytes, count), count);
    assert_int_equal(write(pair->master, bytes, count), count);
    size_t got = gather(pair->master, theirs, pair->count);
    if (got != pair->count || memcmp(theirs, pair->shown, got))
        describe("  typed", bytes, count);
    must_be_equal(pair, "echoes", pair->shown, pair->count, theirs, got);
    settle(pair, line_readable(&pair->line));
}

/* One read of both. */
static void read_both(struct pair *pair, size_t size) {
    uint8_t ours[256], theirs[256];
    bool end;
    size_t count = line_take(&pair->line, ours, size, &end);
    if (!count && !end)
        return;
    /* The reader's half of Linux's may be a moment behind. */
    struct pollfd wait = {.fd = pair->slave, .events = POLLIN};
    poll(&wait, 1, PATIENCE_MS);
    ssize_t got = read(pair->slave, theirs, size);
    if (got < 0)
        fprintf(stderr, "read of %zu: %s\n", size, strerror(errno));
    must_be_equal(pair, "reads", ours, count, theirs, got < 0 ? 999 : (size_t)got);
}

static unsigned pick(unsigned *seed, unsigned below) {
    return (unsigned)rand_r(seed) % below;
}

/* Settings in which typing always shows where it ended: a newline is echoed whatever else is not.
 */
static struct tty_settings random_settings(unsigned *seed, bool canonical) {
    struct line line;
    line_open(&line, &owner);
    struct tty_settings settings = line.settings;
    static const uint32_t input[] = {TTY_INLCR, TTY_IGNCR, TTY_ICRNL,
                                     TTY_IUTF8, TTY_IUCLC, TTY_ISTRIP};
    static const uint32_t output[] = {TTY_OPOST,  TTY_ONLCR,  TTY_OCRNL, TTY_ONOCR,
                                      TTY_ONLRET, TTY_TABDLY, TTY_OLCUC};
    static const uint32_t local[] = {TTY_ECHO,    TTY_ECHOE,  TTY_ECHOK,  TTY_ECHONL,
                                     TTY_ECHOCTL, TTY_ECHOKE, TTY_IEXTEN, TTY_ECHOPRT};
    for (unsigned n = 0; n < sizeof input / sizeof *input; n++)
        if (!pick(seed, 3))
            settings.input ^= input[n];
    for (unsigned n = 0; n < sizeof output / sizeof *output; n++)
        if (!pick(seed, 4))
            settings.output ^= output[n];
    for (unsigned n = 0; n < sizeof local / sizeof *local; n++)
        if (!pick(seed, 4))
            settings.local ^= local[n];
    settings.local &= ~(uint32_t)TTY_ISIG;
    settings.local |= TTY_ECHONL;
    if (!canonical)
        settings.local &= ~(uint32_t)TTY_ICANON;
    settings.input &= ~(uint32_t)TTY_IXON;
    return settings;
}

static size_t random_typing(unsigned *seed, uint8_t *bytes) {
    static const char alphabet[] = "abc DE_f1,.\t\n\n\r\x7f\x7f\x15\x17\x16\x04\x12\x01\x1b\b"
                                   "\xc3\xa4\xe2\x82\xac";
    size_t count = 1 + pick(seed, 24);
    for (size_t n = 0; n < count; n++)
        bytes[n] = pick(seed, 8) ? (uint8_t)alphabet[pick(seed, sizeof alphabet - 1)]
                                 : (uint8_t)pick(seed, 256);
    return count;
}

/* Ends each step with what is visible in all settings: a line's end, or bytes that can be read. */
static void one_round(unsigned seed, bool canonical) {
    struct pair *pair = open_pair();
    struct tty_settings settings = random_settings(&seed, canonical);
    set(pair, &settings);
    for (unsigned step = 0; step < STEPS; step++) {
        uint8_t bytes[64];
        size_t count = random_typing(&seed, bytes);
        if (canonical) {
            bytes[count++] = 'x'; /* so that no literal takes the newline's meaning */
            bytes[count++] = '\n';
        }
        type(pair, bytes, count);
        for (unsigned reads = pick(&seed, 4); reads; reads--)
            read_both(pair, 1 + pick(&seed, 40));
    }
    close_pair(pair);
}

static void canonical_input_is_edited_and_echoed_as_on_linux(void **state) {
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++)
        one_round(round * 7919 + 1, true);
}

static void raw_input_is_echoed_and_read_as_on_linux(void **state) {
    (void)state;
    for (unsigned round = 0; round < ROUNDS; round++)
        one_round(round * 104729 + 3, false);
}

static void output_is_processed_as_on_linux(void **state) {
    (void)state;
    static uint8_t theirs[MOST];
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned seed = round * 31 + 5;
        struct pair *pair = open_pair();
        struct tty_settings settings = random_settings(&seed, true);
        set(pair, &settings);
        uint8_t bytes[64];
        size_t count = random_typing(&seed, bytes);
        assert_int_equal(write(pair->slave, bytes, count), count);
        for (size_t n = 0; n < count; n++) {
            uint8_t made[8];
            size_t several = line_output(&pair->line, bytes[n], made);
            for (size_t at = 0; at < several; at++)
                show(&pair->line, made[at]);
        }
        size_t got = gather(pair->master, theirs, pair->count);
        must_be_equal(pair, "outputs", pair->shown, pair->count, theirs, got);
        close_pair(pair);
    }
}

static void a_change_of_mode_keeps_what_was_typed(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    struct tty_settings settings = pair->line.settings, raw = settings;
    raw.local &= ~(uint32_t)TTY_ICANON;
    set(pair, &settings);
    type(pair, (const uint8_t *)"half a line", 11);
    assert_false(line_ready(&pair->line));
    set(pair, &raw);
    assert_true(line_ready(&pair->line));
    read_both(pair, 4);
    set(pair, &settings);
    read_both(pair, 40);
    close_pair(pair);
}

static void characters_become_signals_and_flush_what_was_typed(void **state) {
    (void)state;
    struct pair *pair = open_pair();
    type(pair, (const uint8_t *)"abc", 3);
    type(pair, (const uint8_t *)"\x03", 1);
    assert_int_equal(pair->signal, SIGINT);
    assert_int_equal(line_readable(&pair->line), 0);
    type(pair, (const uint8_t *)"\x1c", 1);
    assert_int_equal(pair->signal, SIGQUIT);
    type(pair, (const uint8_t *)"\x1a", 1);
    assert_int_equal(pair->signal, SIGTSTP);
    close_pair(pair);
}

static void a_line_that_is_too_long_rings_and_can_still_be_ended(void **state) {
    (void)state;
    struct pair *pair = calloc(1, sizeof *pair);
    line_open(&pair->line, &owner);
    pair->line.settings.input |= TTY_IMAXBEL;
    static uint8_t bytes[LINE_BUFFER + 100];
    memset(bytes, 'a', sizeof bytes);
    assert_int_equal(line_input(&pair->line, bytes, sizeof bytes), sizeof bytes);
    assert_int_equal(pair->shown[pair->count - 1], '\a');
    line_input(&pair->line, (const uint8_t *)"\n", 1);
    assert_int_equal(line_readable(&pair->line), LINE_BUFFER);
    bool end;
    size_t got = line_take(&pair->line, bytes, sizeof bytes, &end);
    assert_int_equal(got, LINE_BUFFER);
    assert_true(end);
    assert_int_equal(bytes[got - 1], '\n');
    free(pair);
}

static void raw_input_that_does_not_fit_is_left_to_be_offered_again(void **state) {
    (void)state;
    struct pair *pair = calloc(1, sizeof *pair);
    line_open(&pair->line, &owner);
    pair->line.settings.local = 0;
    static uint8_t bytes[2 * LINE_BUFFER];
    size_t taken = line_input(&pair->line, bytes, sizeof bytes);
    assert_true(taken > 0 && taken < LINE_BUFFER);
    bool end;
    assert_int_equal(line_take(&pair->line, bytes, 100, &end), 100);
    assert_int_equal(line_input(&pair->line, bytes, sizeof bytes), 100);
    free(pair);
}

static void output_stops_and_starts_by_characters(void **state) {
    (void)state;
    struct pair *pair = calloc(1, sizeof *pair);
    line_open(&pair->line, &owner);
    line_input(&pair->line, (const uint8_t *)"\x13", 1);
    assert_true(pair->line.stopped);
    line_input(&pair->line, (const uint8_t *)"a", 1);
    assert_true(pair->line.stopped);
    line_input(&pair->line, (const uint8_t *)"\x11", 1);
    assert_false(pair->line.stopped);
    pair->line.settings.input |= TTY_IXANY;
    line_input(&pair->line, (const uint8_t *)"\x13z", 2);
    assert_false(pair->line.stopped);
    free(pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(canonical_input_is_edited_and_echoed_as_on_linux),
        cmocka_unit_test(raw_input_is_echoed_and_read_as_on_linux),
        cmocka_unit_test(output_is_processed_as_on_linux),
        cmocka_unit_test(a_change_of_mode_keeps_what_was_typed),
        cmocka_unit_test(characters_become_signals_and_flush_what_was_typed),
        cmocka_unit_test(a_line_that_is_too_long_rings_and_can_still_be_ended),
        cmocka_unit_test(raw_input_that_does_not_fit_is_left_to_be_offered_again),
        cmocka_unit_test(output_stops_and_starts_by_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
