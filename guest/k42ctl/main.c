/*
 * k42ctl: what an administrator asks of the running kernel. The table of commands, and words.
 *
 * Ends with 0, with 1 when the kernel refused, with 2 when it was called wrongly, with 3 when a
 * policy misbehaved.
 */
#include "k42ctl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool as_json;

static const struct command commands[] = {
    {"objects", objects_command, "[--class C | --interface I | --pid N | --file PATH]",
     "the live objects, by process and file",
     "  --class C, --interface I  each of those\n"
     "  --pid N                   those of one process\n"
     "  --file PATH               those of one file\n"},
    {"show", show_command, "REF ...", "all that is known of an object", NULL},
    {"classes", classes_command, "[--interface I] [--class C]",
     "the classes, their traits and instances", NULL},
    {"stats", stats_command, "", "the object runtime's counters", NULL},
    {"swap", swap_command, "OBJECTS [TO | --select TRAITS] [OPTION ...]",
     "replace objects by ones of another class while they are used",
     "  TO                        the class; without it, each one's own again\n"
     "  --select 'KEY=VALUE ...'  the class that fits these traits best\n"
     "  --deadline TIME           give up when calls have not left by then (usually 10ms)\n"
     "  --attempts N              try so often (usually 4)\n"},
    {"watch", watch_command, "OBJECTS [--interval TIME] [--times N] [-- COMMAND ...]",
     "count calls of objects, and how long they take",
     "  --interval TIME           show the counts that often (usually 1s)\n"
     "  --times N                 so often in all\n"
     "  -- COMMAND ...            run it meanwhile, and show the counts at its end\n"},
    {"interpose", interpose_command, "OBJECTS [OPTION ...] [-- COMMAND ...]",
     "delay calls of objects, or answer in their place; for tests",
     "  --method M                calls of this method only\n"
     "  --delay TIME              each takes so much longer\n"
     "  --error E                 each answers this error (a number, or a name such as EIO)\n"
     "  --calls N                 so many of them, then no more\n"
     "  -- COMMAND ...            as long as it runs; otherwise until this program is ended\n"},
    {"load", load_command, "FILE", "load a component that './k42 build FILE.c' made", NULL},
    {"unload", unload_command, "COMPONENT [--to CLASS]",
     "unload a component that nothing uses any more, or say what does",
     "  --to CLASS                its instances become of that class first\n"},
    {"upgrade", upgrade_command, "COMPONENT | CLASS VERSION [--eager | --lazy | --new]",
     "make other versions of classes the current ones, and convert their instances",
     "  COMPONENT                 a file, which is loaded, or the name of a loaded one: its\n"
     "                            classes\n"
     "  CLASS VERSION             that one, for instance to go back\n"
     "  --eager                   all instances now (usually)\n"
     "  --lazy                    each when it is used next\n"
     "  --new                     none: those that are made from now on are of that version\n"},
    {"updates", updates_command, "[DIR [--every TIME]]",
     "take newer versions in from a directory by themselves; without a word, what came of it",
     "  DIR                       where components appear, and perhaps a file 'policy'; this\n"
     "                            goes on until the program is ended\n"
     "  --every TIME              look so often (usually 250ms)\n"},
    {"policy", policy_command, "run FILE --on SCOPE [OPTION ...] [-- COMMAND ...]",
     "have a component serve objects for as long as this program runs",
     "  --on file:PATH            what that file has of the component's interface\n"
     "  --on pid:N                what that process has\n"
     "  --on container:N          what that process and its descendants have\n"
     "  --on class:C              each object of that class, now and from now on\n"
     "  --class C                 this one of the component's classes\n"
     "  --stall TIME              go back when a call lasts longer (usually 1s)\n"
     "  --errors N%               go back when more of the calls fail (usually 10%)\n"
     "  --watch METRIC            compare with before: latency, errors, waits; of page caches\n"
     "                            misses, requests, ahead, evicted, contended; all for each call\n"
     "  --worse-than N%           go back when it is worse by so much (usually 10%)\n"
     "  --window TIME             compare over that time (usually 1s)\n"
     "  --canary                  begin with the object that is called most; widen, or go back\n"
     "  -- COMMAND ...            as long as it runs; otherwise until this program is ended\n"},
    {"advisors", advisors_command, "[on | advise | off] [NAME] | --log",
     "what the advisors saw, did and gained, and what they may do",
     "  on, advise, off           they may act; only say what they would do; or neither\n"
     "  NAME                      that advisor alone\n"
     "  --log                     the last decisions, with their reasons\n"},
    {"chaos", chaos_command, "[on [--rate N] [--seed N] [--delay N] [--fail N] | off]",
     "swap random objects again and again, for tests; without a word, what came of it",
     "  --rate N                  so many a second are wanted (usually 1000)\n"
     "  --seed N                  draws others (usually 1)\n"
     "  --delay N                 so many calls a second take longer\n"
     "  --fail N                  so many end with an error, where programs may see one\n"},
    {"reboot", reboot_command, "[--fast IMAGE [--initrd FILE] [--append TEXT]]",
     "restart the machine, or go over to another kernel",
     "  --fast IMAGE              to the kernel in that file, at once, without firmware; with\n"
     "    --initrd FILE             its initial file system\n"
     "    --append TEXT             its options\n"},
};
enum { COMMANDS = sizeof commands / sizeof *commands };
static const struct command *running;

/* ---- trouble ---- */

static void say(const char *format, va_list list) {
    fflush(stdout);
    fputs("k42ctl: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

int wrong_words(const char *format, ...) {
    va_list list;
    va_start(list, format);
    say(format, list);
    va_end(list);
    if (running)
        fprintf(stderr, "usage: k42ctl %s %s\n", running->name, running->usage);
    fprintf(stderr, "'k42ctl help%s%s' tells more\n", running ? " " : "",
            running ? running->name : "");
    return WRONG_WORDS;
}

int refused(const char *format, ...) {
    va_list list;
    va_start(list, format);
    say(format, list);
    va_end(list);
    return REFUSED;
}

void give_up(const char *format, ...) {
    va_list list;
    va_start(list, format);
    say(format, list);
    exit(REFUSED);
}

void *enlarge(void *memory, size_t size) {
    void *larger = realloc(memory, size);
    if (!larger)
        give_up("out of memory");
    return larger;
}

void *allocate(size_t size) {
    return memset(enlarge(NULL, size), 0, size);
}

/* ---- words ---- */

bool option(char ***words, const char *name) {
    if (!**words || strcmp(**words, name) != 0)
        return false;
    ++*words;
    return true;
}

bool option_value(char ***words, const char *name, const char **value) {
    if (!option(words, name))
        return false;
    if (!**words)
        exit(wrong_words("something must follow %s", name));
    *value = *(*words)++;
    return true;
}

bool number_of(const char *word, uint64_t most, uint64_t *number) {
    char *end;
    if (*word < '0' || *word > '9')
        return false;
    *number = strtoul(word, &end, 10);
    return !*end && *number <= most;
}

bool time_of(const char *word, uint64_t most_ns, uint64_t *ns) {
    static const struct {
        const char *unit;
        uint64_t ns;
    } units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"", 1000000}, {"s", 1000000000}};
    char *end;
    if (*word < '0' || *word > '9')
        return false;
    uint64_t value = strtoul(word, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(end, units[i].unit)) {
            *ns = value * units[i].ns;
            return value <= most_ns / units[i].ns;
        }
    return false;
}

/* ---- help ---- */

static const struct command *find(const char *name) {
    for (unsigned i = 0; i < COMMANDS; i++)
        if (!strcmp(commands[i].name, name))
            return &commands[i];
    return NULL;
}

static void help_all(void) {
    printf("usage: k42ctl COMMAND ... [--json]\n\nAsks something of the running kernel.\n\n"
           "commands:\n");
    for (unsigned i = 0; i < COMMANDS; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].about);
    printf("  %-10s %s\n", "help", "this, or with a command's name about that");
    printf("\nOnly root may change something. --json prints one JSON value for each answer.\n");
}

static int help(char **words) {
    if (!*words) {
        help_all();
        return DONE;
    }
    const struct command *about = find(*words);
    if (!about)
        return wrong_words("there is no command %s", *words);
    printf("usage: k42ctl %s %s\n\n%c%s.\n", about->name, about->usage, toupper(*about->about),
           about->about + 1);
    if (strstr(about->usage, "OBJECTS"))
        printf("\nOBJECTS are\n%s", subject_more);
    if (about->more)
        printf("\noptions:\n%s", about->more);
    return DONE;
}

/* --json may stand anywhere before a "--". */
static void take_json(char **words) {
    char **to = words;
    for (; *words && strcmp(*words, "--") != 0; words++)
        if (!strcmp(*words, "--json"))
            as_json = true;
        else
            *to++ = *words;
    do
        *to++ = *words;
    while (*words++);
}

int main(int count, char **arguments) {
    if (count < 2)
        return wrong_words("a command is missing");
    take_json(arguments + 1);
    const char *name = arguments[1] ? arguments[1] : "help";
    if (!strcmp(name, "help") || !strcmp(name, "--help"))
        return help(arguments + 2);
    const struct command *command = find(name);
    if (!command)
        return wrong_words("there is no command %s", name);
    if (arguments[2] && !strcmp(arguments[2], "--help"))
        return help(arguments + 1);
    running = command;
    return command->run(arguments + 2);
}
