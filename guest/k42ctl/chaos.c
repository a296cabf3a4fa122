/*
 * k42ctl chaos: the storm that swaps random objects, by /proc/k42/chaos.
 */
#include "k42ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "/proc/k42/chaos"
#define MOST_RATE 100000

static int set(uint64_t rate, uint64_t seed) {
    FILE *file = fopen(FILE_NAME, "w");
    bool done = file && fprintf(file, "%lu %lu", rate, seed) > 0;
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

int chaos_command(char **words) {
    uint64_t rate = 1000, seed = 1;
    const char *value;
    if (!*words)
        return show();
    bool on = option(&words, "on");
    if (!on && !option(&words, "off"))
        return wrong_words("chaos is 'on' or 'off', not %s", *words);
    while (on && *words)
        if (option_value(&words, "--rate", &value)) {
            if (!number_of(value, MOST_RATE, &rate) || !rate)
                return wrong_words("--rate is a number from 1 to %d, not %s", MOST_RATE, value);
        } else if (option_value(&words, "--seed", &value)) {
            if (!number_of(value, UINT32_MAX, &seed))
                return wrong_words("--seed is a number, not %s", value);
        } else {
            break;
        }
    if (*words)
        return wrong_words("chaos does not know %s", *words);
    return set(on ? rate : 0, seed);
}
