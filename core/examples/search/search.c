/*
 * search: threads search the same set of cached pages, and the cache chooses its own class.
 *
 * The program of figure 1 of "Enabling autonomic behavior in systems software with hot swapping":
 * a shared cache is best while one thread searches and collapses under many; a partitioned one is
 * the other way round; a cache that swaps itself is as good as the better of the two.
 *
 * Exits 0; 1 when a check or a system call failed; 2 for wrong usage.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "experiment.h"

enum action {
    ACTION_RUN,
    ACTION_SWEEP,
    ACTION_DEMO,
};

struct request {
    enum action action;
    struct settings settings;
};

static const char usage_text[] =
    "usage: search [--threads N] [--pages N] [--seconds S | --searches N]\n"
    "              [--mode shared|partitioned|adaptive] [--json]\n"
    "       search --sweep [--threads MOST] [--pages N] [--rounds N] [--json] [--picture FILE]\n"
    "       search --demo [--threads N] [--pages N] [--rounds N] [--picture FILE]\n";

static int wrong(const char *option, const char *text, const char *wanted) {
    fprintf(stderr, "search: --%s takes %s, not '%s'\n%s", option, wanted, text, usage_text);
    return -1;
}

static int parse_count(const char *option, const char *text, uint64_t most, uint64_t *count) {
    char *end, wanted[64];
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || !value || value > most) {
        snprintf(wanted, sizeof(wanted), "a number from 1 to %" PRIu64, most);
        return wrong(option, text, wanted);
    }
    *count = value;
    return 0;
}

static int parse_seconds(const char *text, double *seconds) {
    char *end;
    *seconds = strtod(text, &end);
    if (end == text || *end || !isfinite(*seconds) || *seconds <= 0 || *seconds > 86400)
        return wrong("seconds", text, "a time from above 0 to 86400");
    return 0;
}

static int parse_mode(const char *text, enum mode *mode) {
    for (unsigned i = 0; i < MODES; i++) {
        if (!strcmp(text, mode_names[i])) {
            *mode = i;
            return 0;
        }
    }
    return wrong("mode", text, "shared, partitioned or adaptive");
}

static const struct option options[] = {
    {"threads", required_argument, NULL, 't'}, {"pages", required_argument, NULL, 'p'},
    {"seconds", required_argument, NULL, 's'}, {"searches", required_argument, NULL, 'n'},
    {"rounds", required_argument, NULL, 'r'},  {"mode", required_argument, NULL, 'm'},
    {"sweep", no_argument, NULL, 'w'},         {"demo", no_argument, NULL, 'd'},
    {"json", no_argument, NULL, 'j'},          {"picture", required_argument, NULL, 'o'},
    {"help", no_argument, NULL, 'h'},          {0},
};

static int parse_option(int option, struct request *request) {
    struct settings *settings = &request->settings;
    uint64_t count = 0;
    int result = 0;
    switch (option) {
    case 't':
        result = parse_count("threads", optarg, CREW_MAX, &count);
        settings->threads = (unsigned)count;
        return result;
    case 'p':
        return parse_count("pages", optarg, 1 << 22, &settings->pages);
    case 's':
        return parse_seconds(optarg, &settings->seconds);
    case 'n':
        return parse_count("searches", optarg, UINT32_MAX, &settings->searches);
    case 'r':
        result = parse_count("rounds", optarg, 101, &count);
        settings->rounds = (unsigned)count;
        return result;
    case 'm':
        return parse_mode(optarg, &settings->mode);
    case 'w':
        request->action = ACTION_SWEEP;
        return 0;
    case 'd':
        request->action = ACTION_DEMO;
        return 0;
    case 'j':
        settings->json = 1;
        return 0;
    case 'o':
        settings->picture = optarg;
        return 0;
    case 'h':
        printf("%s", usage_text);
        exit(0);
    default:
        fprintf(stderr, "%s", usage_text);
        return -1;
    }
}

/* What is measured when nothing is said: as far as the machine goes, and a bit beyond. */
static unsigned default_threads(enum action action) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (action == ACTION_RUN)
        return 2;
    return processors > 4 ? (processors < CREW_MAX ? (unsigned)processors : CREW_MAX) : 4;
}

static int parse(int argc, char **argv, struct request *request) {
    *request = (struct request){
        .settings = {.mode = MODE_ADAPTIVE, .pages = 256, .seconds = 1, .rounds = 7},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (parse_option(option, request) < 0)
            return -1;
    }
    if (optind < argc) {
        fprintf(stderr, "search: what is '%s'?\n%s", argv[optind], usage_text);
        return -1;
    }
    if (!request->settings.threads)
        request->settings.threads = default_threads(request->action);
    return 0;
}

static int act(const struct request *request) {
    switch (request->action) {
    case ACTION_RUN:
        return run_once(&request->settings);
    case ACTION_SWEEP:
        return run_sweep(&request->settings);
    case ACTION_DEMO:
        return run_demo(&request->settings);
    }
    return 2;
}

int main(int argc, char **argv) {
    struct request request;
    if (parse(argc, argv, &request) < 0)
        return 2;
    k42_result result = k42_init(NULL);
    if (result >= 0)
        result = k42_attach("search");
    if (result < 0) {
        fprintf(stderr, "search: the object runtime does not start: %s\n", k42_error_name(result));
        return 1;
    }
    int status = act(&request);
    result = k42_detach();
    if (result >= 0)
        result = k42_shutdown();
    if (result < 0) {
        fprintf(stderr, "search: the object runtime does not end: %s\n", k42_error_name(result));
        return 1;
    }
    return status;
}
