/*
 * Whether a policy misbehaves: a call has been inside for too long; too many calls fail; a number
 * that somebody cares for is worse than it was before.
 *
 * The run's thread looks, many times a second, and calls nothing of the policy's, so that it sees a
 * policy that is stuck; but for a metric that only the objects themselves can tell. Owns: nothing.
 */
#include "run.h"

enum { FAILED_LEAST = 8, CALLS_LEAST = 16 };

void policy_sample(const struct policy_run *run, struct policy_sample *sample) {
    struct policy_counts counts;
    policy_counts_sum(run, &counts);
    *sample = (struct policy_sample){.calls = counts.calls, .failed = counts.failed};
    if (run->terms.metric[0])
        sample->metric = policy_metric_read(run, run->terms.metric);
}

void policy_watch_begin(struct policy_run *run, uint64_t now) {
    policy_counts_sum(run, &run->base);
    policy_sample(run, &run->then);
    run->window_ns = run->flipped_ns = now;
}

/* ---- a call that does not end ---- */

struct stall {
    k42_id id;
    struct k42_suspect suspect;
};

static void look_inside(const struct policy_object *object, void *context) {
    struct stall *stall = context;
    int cpu = stall->id ? -1 : k42_cpu_inside(object->id);
    if (cpu < 0)
        return;
    stall->id = object->id;
    k42_cpu_suspect((uint32_t)cpu, object->id, &stall->suspect);
}

/* None that came in the older parity are left: they are those of now from now on. */
static enum policy_why watch_stall(struct policy_run *run, uint64_t now, char *why, size_t size) {
    uint32_t epoch = run->epoch;
    struct stall stall = {0};
    if (!policy_inside(run, (epoch & 1) ^ 1)) {
        k42_store_release(&run->epoch, epoch + 1);
        run->flipped_ns = now;
        return POLICY_RUNS;
    }
    if (now - run->flipped_ns < run->terms.stall_ns)
        return POLICY_RUNS;
    policy_objects_each(run, look_inside, &stall);
    k42_format_text(why, size, "a call of %s by %s (thread %u) has been in object %u for %lu ms",
                    stall.suspect.method, stall.suspect.name, stall.suspect.thread, stall.id,
                    (now - run->flipped_ns) / 1000000);
    return POLICY_STALLED;
}

/* ---- what calls come to ---- */

static enum policy_why watch_failures(const struct policy_run *run, uint64_t calls, uint64_t failed,
                                      char *why, size_t size) {
    if (failed < FAILED_LEAST || failed * 100 <= calls * run->terms.error_percent)
        return POLICY_RUNS;
    k42_format_text(why, size, "%lu of %lu calls failed; %u %% may", failed, calls,
                    run->terms.error_percent);
    return POLICY_FAILED;
}

/* Per call, as a number with three digits behind the point. */
static void format_rate(char *text, size_t size, uint64_t metric, uint64_t calls) {
    uint64_t rate = metric * 1000 / calls;
    k42_format_text(text, size, "%lu.%lu%lu%lu", rate / 1000, rate / 100 % 10, rate / 10 % 10,
                    rate % 10);
}

static enum policy_why watch_metric(const struct policy_run *run, const struct policy_sample *now,
                                    char *why, size_t size) {
    uint64_t calls = now->calls - run->then.calls;
    uint64_t metric = now->metric > run->then.metric ? now->metric - run->then.metric : 0;
    const struct policy_sample *before = &run->before;
    char was[24], is[24];
    if (!before->calls ||
        (unsigned __int128)metric * before->calls * 100 <=
            (unsigned __int128)before->metric * calls * (100 + run->terms.worse_percent))
        return POLICY_RUNS;
    format_rate(was, sizeof was, before->metric, before->calls);
    format_rate(is, sizeof is, metric, calls);
    k42_format_text(why, size, "%s of a call were %s before, and are %s: more than %u %% worse",
                    run->terms.metric, was, is, run->terms.worse_percent);
    return POLICY_WORSE;
}

enum policy_why policy_watch(struct policy_run *run, uint64_t now, char *why, size_t size) {
    struct policy_sample sample;
    enum policy_why verdict = watch_stall(run, now, why, size);
    if (verdict != POLICY_RUNS)
        return verdict;
    bool window_over = now - run->window_ns >= run->terms.window_ns;
    struct policy_counts counts;
    policy_counts_sum(run, &counts);
    sample = (struct policy_sample){.calls = counts.calls, .failed = counts.failed};
    /* Of late; and in all, for an object that is seldom called. */
    verdict = watch_failures(run, sample.calls - run->then.calls, sample.failed - run->then.failed,
                             why, size);
    if (verdict == POLICY_RUNS)
        verdict = watch_failures(run, sample.calls - run->base.calls,
                                 sample.failed - run->base.failed, why, size);
    if (verdict != POLICY_RUNS || !window_over || sample.calls - run->then.calls < CALLS_LEAST)
        return verdict;
    policy_sample(run, &sample);
    verdict = run->terms.metric[0] ? watch_metric(run, &sample, why, size) : POLICY_RUNS;
    run->then = sample;
    run->window_ns = now;
    return verdict;
}
