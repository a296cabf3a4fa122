/*
 * k42ctl chaos: the storm that swaps random objects, by /proc/k42/chaos.
 */
#include "k42ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "/proc/k42/chaos"
#define MOST_RATE 100000

enum { RATE, SEED, DELAYS, FAILURES, NUMBERS };

static int set(const uint64_t numbers[NUMBERS]) {
    FILE *file = fopen(FILE_NAME, "w");
    bool done = file && fprintf(file, "%lu %lu %lu %lu", numbers[RATE], numbers[SEED],
                                numbers[DELAYS], numbers[FAILURES]) > 0;
    if (file && fclose(file))
        done = false;
    if (!done && errno == EACCES)
        return refused("only root may begin or end a storm");
    return done ? DONE : refused("the kernel begins no storm: %s", strerror(errno));
}

/* ---- what came of it ---- */

struct pair {
    char from[48], to[48];
    uint64_t swapped, with_calls, aborted;
};

static bool is_pair(const char *line, struct pair *pair) {
    return sscanf(line, "pair %47s %47s %lu %lu %lu", pair->from, pair->to, &pair->swapped,
                  &pair->with_calls, &pair->aborted) == 5;
}

/* A line "NAME VALUE"; the value begins where is returned, NULL: there is none. */
static char *value_of(char *line) {
    line[strcspn(line, "\n")] = 0;
    char *blank = strchr(line, ' ');
    if (blank)
        *blank++ = 0;
    return blank;
}

static void tell_value(char *line) {
    uint64_t number;
    const char *value = value_of(line);
    if (!value)
        return;
    if (!as_json)
        printf("%-16s%s\n", line, value);
    else if (number_of(value, UINT64_MAX, &number))
        json_number(line, number);
    else
        json_text(line, value);
}

static void tell_pair(const struct pair *pair) {
    if (as_json) {
        json_object(NULL);
        json_text("from", pair->from);
        json_text("to", pair->to);
        json_number("swapped", pair->swapped);
        json_number("with_calls", pair->with_calls);
        json_number("aborted", pair->aborted);
        json_end();
    } else if (pair->swapped || pair->aborted) {
        table_cell("%s", pair->from);
        table_cell("%s", pair->to);
        table_cell("%lu", pair->swapped);
        table_cell("%lu", pair->with_calls);
        table_cell("%lu", pair->aborted);
    }
}

static void begin_pairs(void) {
    static const char *const titles[] = {"from", "to", ">swapped", ">with calls", ">given up"};
    if (as_json) {
        json_array("pairs");
    } else {
        putchar('\n');
        table_begin(titles, sizeof titles / sizeof *titles);
    }
}

static void end_pairs(void) {
    if (as_json)
        json_end();
    else
        table_end();
}

static int show(void) {
    char line[512];
    struct pair pair;
    bool pairs = false;
    FILE *file = fopen(FILE_NAME, "r");
    if (!file)
        return refused("cannot read %s: %s", FILE_NAME, strerror(errno));
    if (as_json)
        json_object(NULL);
    while (fgets(line, sizeof line, file)) {
        if (!is_pair(line, &pair)) {
            tell_value(line);
            continue;
        }
        if (!pairs)
            begin_pairs();
        pairs = true;
        tell_pair(&pair);
    }
    if (pairs)
        end_pairs();
    if (as_json)
        json_end();
    fclose(file);
    return DONE;
}

static const struct {
    const char *name;
    uint64_t least, most;
} options[NUMBERS] = {
    {"--rate", 1, MOST_RATE},
    {"--seed", 0, UINT32_MAX},
    {"--delay", 0, MOST_RATE},
    {"--fail", 0, MOST_RATE},
};

/* Takes one option's number; 1: there is none, or how wrong it is. */
static int take_number(char ***words, uint64_t numbers[NUMBERS]) {
    const char *value;
    for (unsigned i = 0; i < NUMBERS; i++) {
        uint64_t least = options[i].least, most = options[i].most;
        if (!option_value(words, options[i].name, &value))
            continue;
        if (number_of(value, most, &numbers[i]) && numbers[i] >= least)
            return DONE;
        return wrong_words("%s is a number from %lu to %lu, not %s", options[i].name, least, most,
                           value);
    }
    return 1;
}

int chaos_command(char **words) {
    uint64_t numbers[NUMBERS] = {[RATE] = 1000, [SEED] = 1};
    if (!*words)
        return show();
    bool on = option(&words, "on");
    if (!on && !option(&words, "off"))
        return wrong_words("chaos is 'on' or 'off', not %s", *words);
    for (int took = DONE; on && *words && took != 1;)
        if ((took = take_number(&words, numbers)) > 1)
            return took;
    if (*words)
        return wrong_words("chaos does not know %s", *words);
    if (!on)
        numbers[RATE] = 0;
    return set(numbers);
}
