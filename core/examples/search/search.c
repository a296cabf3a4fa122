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
    int json;
    const char *picture;
    struct settings settings;
};

static const char usage_text[] =
    "usage: search [--threads N] [--pages N] [--seconds S | --searches N]\n"
    "              [--mode shared|partitioned|adaptive] [--json]\n"
    "       search --sweep [--threads MOST] [--pages N] [--rounds N] [--json] [--picture FILE]\n"
    "       search --demo [--threads N] [--pages N] [--rounds N] [--picture FILE]\n";

/* ---- one run ---- */

static void print_run(const struct settings *settings, const struct crew_result *result,
                      const struct subject *subject, struct cache_stats *stats) {
    char class_name[48];
    subject_class(subject, class_name);
    printf("%" PRIu64 " searches of %" PRIu64 " pages of %d bytes by %u threads in %.2f s, %s\n",
           result->searches, settings->pages, CACHE_PAGE_SIZE, settings->threads, result->seconds,
           mode_names[settings->mode]);
    printf("%.0f cycles per search (%.0f of processor time)\n", result->cycles, result->cpu_cycles);
    printf("%" PRIu64 " of %" PRIu64 " holds and releases found a lock taken; %" PRIu64
           " swaps; the cache is of class %s now\n",
           stats->contended, 2 * stats->holds, stats->swaps, class_name);
}

static void print_run_json(const struct settings *settings, const struct crew_result *result) {
    printf("{\"bench\":\"search\",\"name\":\"%s\",\"cpus\":%u,\"value\":%.0f,"
           "\"unit\":\"cycles/search\",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n",
           mode_names[settings->mode], settings->threads, result->cycles);
}

static k42_result run_crew(struct subject *subject, const struct settings *settings,
                           struct crew_result *result) {
    struct crew_plan plan = {
        .cache = subject->cache,
        .pages = settings->pages,
        .threads = settings->threads,
        .searches = settings->searches,
    };
    struct crew *crew = crew_start(&plan);
    if (!crew)
        return -errno;
    crew_measure(crew);
    if (!settings->searches) {
        struct timespec pause = {.tv_sec = (time_t)settings->seconds};
        pause.tv_nsec = (long)((settings->seconds - (double)pause.tv_sec) * 1e9);
        nanosleep(&pause, NULL);
    }
    subject_finish(subject, crew, result);
    return 0;
}

static int run_once(const struct request *request) {
    struct swap_log log;
    struct subject subject;
    struct crew_result finished;
    struct cache_stats stats;
    const struct settings *settings = &request->settings;
    swap_log_begin(&log);
    if (subject_open(&subject, settings->mode, settings->pages, &log) < 0)
        return 1;
    k42_result result = run_crew(&subject, settings, &finished);
    if (result < 0) {
        fprintf(stderr, "search: cannot start %u threads: %s\n", settings->threads,
                k42_error_name(result));
        subject_close(&subject);
        return 1;
    }
    uint64_t failures = subject_check(&subject, &stats);
    if (request->json) {
        print_run_json(settings, &finished);
    } else {
        print_run(settings, &finished, &subject, &stats);
        swap_log_print(&log);
        if (!failures)
            printf("checked: every page and every hold is accounted for\n");
    }
    subject_close(&subject);
    return failures != 0;
}

/* ---- sweep and demonstration ---- */

static int sweep_once(const struct request *request, struct sweep *sweep) {
    struct swap_log log;
    swap_log_begin(&log);
    k42_result result = sweep_run(sweep, &request->settings, &log);
    if (result < 0) {
        fprintf(stderr, "search: the sweep failed: %s\n", k42_error_name(result));
        return 1;
    }
    if (request->json) {
        report_sweep_json(sweep);
        return sweep->failures != 0;
    }
    printf("%" PRIu64 " searches of %" PRIu64 " pages of %d bytes\n", sweep->searches,
           request->settings.pages, CACHE_PAGE_SIZE);
    report_sweep(sweep);
    printf("swaps of the adaptive caches:\n");
    swap_log_print(&log);
    return sweep->failures != 0;
}

static int only_sweep(const struct request *request) {
    struct sweep sweep;
    int failed = sweep_once(request, &sweep);
    if (request->picture && picture_draw(request->picture, &sweep, NULL) < 0)
        failed = 1;
    return failed;
}

/* Successful swaps to a class of this name. */
static unsigned swaps_to(struct swap_log *log, const char *class_name) {
    unsigned found = 0;
    for (unsigned i = 0; i < swap_log_count(log); i++) {
        struct swap_log_entry entry = swap_log_entry(log, i);
        found += entry.report.result >= 0 && !strcmp(entry.class_name, class_name);
    }
    return found;
}

static void conclude(const struct sweep *sweep, struct load *load) {
    const struct sweep_cell *alone = sweep->cells[0];
    const struct sweep_cell *crowd = sweep->cells[sweep->points - 1];
    unsigned up = swaps_to(&load->log, "cache.partitioned");
    unsigned down = swaps_to(&load->log, "cache.shared");
    printf("\nWhat this showed\n");
    printf("  One thread: a search costs %.2f times as much in the partitioned cache as in the "
           "shared one.\n",
           alone[MODE_PARTITIONED].median / alone[MODE_SHARED].median);
    if (sweep->points > 1)
        printf("  %u threads: it costs %.2f times as much in the shared cache as in the "
               "partitioned one,\n  and %.2f times in the adaptive one.\n",
               sweep->threads[sweep->points - 1],
               crowd[MODE_SHARED].median / crowd[MODE_PARTITIONED].median,
               crowd[MODE_ADAPTIVE].median / crowd[MODE_PARTITIONED].median);
    printf("  Under a load of 1, %u and 1 threads the cache swapped itself %u times to "
           "partitioned and %u\n  times to shared while it was searched.\n",
           load->threads, up, down);
    if (!sweep->failures && !load->failures)
        printf("  Every page reads as before, and each of %" PRIu64
               " holds was counted exactly once.\n",
               load->stats.holds);
}

static int demonstrate(const struct request *request) {
    struct sweep sweep;
    static struct load load;
    const char *picture = request->picture ? request->picture : "search.png";
    struct settings settings = request->settings;
    printf("Threads search the same cached file. Its cache is one object, of one of two classes:\n"
           "shared (one table, one lock) or partitioned (a representative per CPU).\n\n");
    fflush(stdout);
    int failed = sweep_once(request, &sweep);
    if (failed && !sweep.points)
        return 1;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors > 1 && settings.threads > (unsigned)processors)
        settings.threads = (unsigned)processors;
    printf("\nAn adaptive cache while the load rises and falls:\n");
    fflush(stdout);
    k42_result result = load_run(&load, &settings);
    if (result < 0) {
        fprintf(stderr, "search: the load failed: %s\n", k42_error_name(result));
        return 1;
    }
    printf("  %7.3f s  one thread becomes %u\n  %7.3f s  one thread again\n", load.rise_seconds,
           load.threads, load.fall_seconds);
    swap_log_print(&load.log);
    if (picture_draw(picture, &sweep, &load) == 0)
        printf("\npicture: %s\n", picture);
    conclude(&sweep, &load);
    return failed || load.failures;
}

/* ---- command line ---- */

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
        request->json = 1;
        return 0;
    case 'o':
        request->picture = optarg;
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
        .settings = {.mode = MODE_ADAPTIVE, .pages = 256, .seconds = 1, .rounds = 9},
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
        return run_once(request);
    case ACTION_SWEEP:
        return only_sweep(request);
    case ACTION_DEMO:
        return demonstrate(request);
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
