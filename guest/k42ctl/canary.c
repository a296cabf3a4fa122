/*
 * k42ctl policy --canary: one object has the policy first, the one that is called most. What each
 * of its calls costs then is compared with what it cost before, and with how the others' changed
 * meanwhile, since what programs do may have changed as well.
 */
#include "policy_run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WORTH_COMPARING = 16 }; /* calls in a window */

/* Of an object, ever growing. */
struct reading {
    uint64_t calls, value;
};

static struct k42_control_placed hooks[K42_CONTROL_IDS];
static size_t hook_count;

static void place_hooks(const uint32_t *ids, size_t count) {
    struct k42_control_interpose plain = {0};
    struct answer answer;
    if (!ask(K42_CONTROL_INTERPOSE, &plain, sizeof plain, ids, (uint32_t)count, &answer))
        give_up("the kernel places no hooks: %s", strerror(errno));
    memcpy(hooks, answer.records, count * sizeof *hooks);
    hook_count = count;
}

static struct reading read_calls(const struct k42_control_placed *hook, const char *metric) {
    struct k42_control_one one = {hook->hook};
    struct reading reading = {0};
    struct answer answer;
    if (hook->result || !ask(K42_CONTROL_CALLS, &one, sizeof one, NULL, 0, &answer))
        return reading;
    const struct k42_control_calls *calls = answer.records;
    for (uint32_t i = 0; i < answer.head->count; i++) {
        reading.calls += calls[i].calls;
        reading.value += !strcmp(metric, "latency")  ? calls[i].total_ns
                         : !strcmp(metric, "errors") ? calls[i].failed
                         : !strcmp(metric, "waits")  ? calls[i].waits
                                                     : 0;
    }
    return reading;
}

static struct reading read_object(const struct k42_control_placed *hook, const char *metric) {
    struct reading reading = read_calls(hook, metric);
    struct k42_control_one one = {hook->id};
    struct answer answer;
    if (!ask(K42_CONTROL_COUNTERS, &one, sizeof one, NULL, 0, &answer))
        return reading;
    const struct k42_control_counter *counters = answer.records;
    for (uint32_t i = 0; i < answer.head->count; i++)
        if (!strcmp(counters[i].name, metric))
            reading.value = counters[i].value;
    return reading;
}

static void read_all(struct reading *readings, const char *metric) {
    for (size_t i = 0; i < hook_count; i++)
        readings[i] = read_object(&hooks[i], metric);
}

/* Over a window: of one, and of all others. */
static struct reading between(const struct reading *from, const struct reading *to, size_t canary,
                              bool others) {
    struct reading sum = {0};
    for (size_t i = 0; i < hook_count; i++)
        if ((i == canary) != others && to[i].calls >= from[i].calls &&
            to[i].value >= from[i].value) {
            sum.calls += to[i].calls - from[i].calls;
            sum.value += to[i].value - from[i].value;
        }
    return sum;
}

static double each(struct reading reading) {
    return reading.calls ? (double)reading.value / (double)reading.calls : 0;
}

/* By how much the others' calls cost more than before; 1 when they tell nothing. */
static double trend(struct reading before, struct reading now) {
    if (before.calls < WORTH_COMPARING || now.calls < WORTH_COMPARING || !before.value)
        return 1;
    return each(now) / each(before);
}

/* The one that was called most between two readings, of those that have not been tried. */
static size_t most_called(const struct reading *from, const struct reading *to, const bool *tried) {
    size_t most = hook_count;
    for (size_t i = 0; i < hook_count; i++)
        if (!tried[i] &&
            (most == hook_count || to[i].calls - from[i].calls > to[most].calls - from[most].calls))
            most = i;
    return most;
}

/* Gives one the policy, the one that was called most of those that can have it; hook_count: none,
 * and `run` says why, or that it has ended. */
static size_t choose(const struct reading *from, const struct reading *to,
                     struct k42_control_run *run) {
    bool tried[K42_CONTROL_IDS] = {false};
    for (size_t at; (at = most_called(from, to, tried)) < hook_count; tried[at] = true) {
        *run = policy_widen(&hooks[at].id, 1);
        if (run->state != K42_RUN_ACTIVE)
            break;
        if (run->objects)
            return at;
    }
    return hook_count;
}

static int widen(const struct served *served, const char *why) {
    struct k42_control_run run = policy_widen(served->ids, served->count);
    if (!as_json) {
        printf("%s; all of %s have the policy now\n", why, served->scope);
        fflush(stdout);
    }
    return run.state == K42_RUN_ACTIVE ? DONE : ROLLED_BACK;
}

int canary_run(const struct canary *canary, const struct served *served) {
    static struct reading start[K42_CONTROL_IDS], middle[K42_CONTROL_IDS], end[K42_CONTROL_IDS];
    static struct reading changed[K42_CONTROL_IDS];
    const char *metric = canary->metric ? canary->metric : "latency";
    char why[256];
    place_hooks(served->ids, served->count < K42_CONTROL_IDS ? served->count : K42_CONTROL_IDS);
    read_all(start, metric);
    if (!policy_rest(canary->window_ns))
        return ROLLED_BACK;
    read_all(middle, metric);
    struct k42_control_run run;
    size_t chosen = choose(start, middle, &run);
    if (chosen == hook_count)
        return run.state == K42_RUN_ACTIVE ? refused("%s", run.text) : ROLLED_BACK;
    if (!as_json) {
        printf("object %u, called %lu times in a window, is the canary\n", hooks[chosen].id,
               middle[chosen].calls - start[chosen].calls);
        fflush(stdout);
    }
    read_all(changed, metric);
    if (!policy_rest(canary->window_ns))
        return ROLLED_BACK;
    read_all(end, metric);
    struct reading before = between(start, middle, chosen, false),
                   now = between(changed, end, chosen, false);
    if (before.calls < WORTH_COMPARING || now.calls < WORTH_COMPARING) {
        refused("the canary was called %lu times before, %lu times since: too seldom to compare",
                before.calls, now.calls);
        return ROLLED_BACK;
    }
    double others =
        trend(between(start, middle, chosen, true), between(changed, end, chosen, true));
    double limit = each(before) * others * (100 + (double)canary->worse) / 100;
    snprintf(why, sizeof why,
             "%s of a call: %.3f with the policy, %.3f before, times %.2f for how "
             "the others changed",
             metric, each(now), each(before), others);
    if (each(now) <= limit)
        return widen(served, why);
    refused("%s: more than %lu%% worse, so what was before comes back", why, canary->worse);
    return ROLLED_BACK;
}
