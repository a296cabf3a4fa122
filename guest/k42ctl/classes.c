/*
 * k42ctl classes: the classes there are. k42ctl stats: the runtime's counters.
 */
#include "k42ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void class_json(const struct k42_control_class *one) {
    json_object(NULL);
    json_text("name", one->name);
    json_number("version", one->version);
    json_flag("current", one->flags & K42_CONTROL_CURRENT);
    json_text("interface", one->interface_);
    json_number("interface_version", one->interface_version);
    json_text("traits", one->traits);
    json_text("component", one->component);
    json_flag("clustered", one->flags & K42_CONTROL_CLUSTERED);
    json_flag("swappable", one->flags & K42_CONTROL_CAN_SWAP);
    json_flag("atomic", one->flags & K42_CONTROL_ATOMIC);
    json_number("instances", one->instances);
    json_number("swaps", one->swaps);
    json_end();
}

static void class_row(const struct k42_control_class *one) {
    table_cell("%s", one->name);
    table_cell("%s", one->interface_);
    table_cell("%u%s", one->version, one->flags & K42_CONTROL_CURRENT ? "" : " (old)");
    table_cell("%lu", one->instances);
    table_cell("%lu", one->swaps);
    table_cell("%s", one->component[0] ? one->component : "kernel");
    table_cell("%s%s%s", one->traits,
               one->traits[0] && !(one->flags & K42_CONTROL_CAN_SWAP) ? "; " : "",
               one->flags & K42_CONTROL_CAN_SWAP ? "" : "cannot be swapped");
}

int classes_command(char **words) {
    static const char *const titles[] = {"CLASS",  "INTERFACE", ">VERSION", ">OBJECTS",
                                         ">SWAPS", "FROM",      "TRAITS"};
    const char *interface_ = NULL, *name = NULL;
    size_t count, shown = 0;
    while (*words)
        if (!option_value(&words, "--interface", &interface_) &&
            !option_value(&words, "--class", &name))
            return wrong_words("classes does not know %s", *words);
    if (name)
        class_must_be(name);
    const struct k42_control_class *list = classes(&count);
    if (as_json) {
        json_object(NULL);
        json_array("classes");
    } else {
        table_begin(titles, sizeof titles / sizeof *titles);
    }
    for (size_t i = 0; i < count; i++)
        if ((!interface_ || !strcmp(list[i].interface_, interface_)) &&
            (!name || !strcmp(list[i].name, name))) {
            (as_json ? class_json : class_row)(&list[i]);
            shown++;
        }
    if (as_json) {
        json_end();
        json_end();
    } else if (shown) {
        table_end();
    }
    if (!shown)
        return refused("there is no interface %s; 'k42ctl classes' lists them", interface_);
    return DONE;
}

int stats_command(char **words) {
    struct answer answer;
    if (*words)
        return wrong_words("stats does not know %s", *words);
    if (!ask(K42_CONTROL_STATS, NULL, 0, NULL, 0, &answer))
        return refused("the kernel does not tell: %s", strerror(errno));
    const struct k42_control_stats *stats = answer.records;
    const struct {
        const char *key, *name;
        uint64_t number;
    } lines[] = {
        {"objects", "objects", stats->objects},
        {"created", "created", stats->created},
        {"destroyed", "destroyed", stats->destroyed},
        {"misses", "misses", stats->misses},
        {"swaps", "swaps", stats->swaps},
        {"aborted_swaps", "aborted swaps", stats->aborts},
        {"swaps_under_way", "swaps under way", stats->mediators},
        {"hooks", "hooks", stats->interposers},
        {"grace_periods", "grace periods", stats->grace_periods},
        {"deferred", "deferred", stats->deferred},
        {"frames", "frames", stats->frames},
        {"frames_used", "frames used", stats->frames_used},
        {"processors", "processors", stats->cpus},
    };
    if (as_json)
        json_object(NULL);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (as_json)
            json_number(lines[i].key, lines[i].number);
        else
            printf("%-16s %12lu\n", lines[i].name, lines[i].number);
    if (as_json)
        json_end();
    return DONE;
}
