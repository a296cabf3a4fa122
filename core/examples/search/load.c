/*
 * A load that rises and falls: one thread searches, others join it, and leave again; once with an
 * adaptive cache, whose swaps show in the speed of the search, and once with a shared one that
 * stays as it is.
 *
 * Each part lasts until the cache has reacted to it, within limits: the machine may be busy with
 * other things, and threads that never run at the same time do not contend.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiment.h"

#define SAMPLE_MS      25
#define LEAST_PART     0.7 /* seconds */
#define MOST_PART      2.5
#define AFTER_REACTION 0.6

struct observer {
    struct load *load;
    struct subject *subject;
    struct crew *crew;
    uint64_t searches; /* at the last sample */
    double at_seconds;
};

static void sample(struct observer *observer) {
    const struct timespec pause = {.tv_nsec = SAMPLE_MS * 1000000};
    nanosleep(&pause, NULL);
    struct load *load = observer->load;
    double now = swap_log_now(&load->log);
    uint64_t searches = crew_searches(observer->crew);
    if (load->samples < LOAD_SAMPLES) {
        load->sample[load->samples++] = (struct load_sample){
            .at_seconds = now,
            .searches_per_ms =
                (double)(searches - observer->searches) / ((now - observer->at_seconds) * 1000),
        };
    }
    observer->searches = searches;
    observer->at_seconds = now;
}

/* Observes until a time. */
static void observe_for(struct observer *observer, double until_seconds) {
    while (swap_log_now(&observer->load->log) < until_seconds)
        sample(observer);
}

/* Observes until the class has had this name for a while, within limits. */
static void observe_until(struct observer *observer, const char *class_name) {
    double began = swap_log_now(&observer->load->log);
    double reacted = 0;
    for (;;) {
        sample(observer);
        double now = swap_log_now(&observer->load->log);
        char name[48];
        subject_class(observer->subject, name);
        if (!reacted && !strcmp(name, class_name))
            reacted = now;
        if (now - began > MOST_PART)
            return;
        if (reacted && now - began > LEAST_PART && now - reacted > AFTER_REACTION)
            return;
    }
}

static void rise(struct observer *observer) {
    observer->load->rise_seconds = swap_log_now(&observer->load->log);
    crew_set_active(observer->crew, observer->load->threads);
}

static void fall(struct observer *observer) {
    observer->load->fall_seconds = swap_log_now(&observer->load->log);
    crew_set_active(observer->crew, 1);
}

static void rise_and_fall(struct observer *observer) {
    observe_until(observer, "cache.shared");
    rise(observer);
    observe_until(observer, "cache.partitioned");
    fall(observer);
    observe_until(observer, "cache.shared");
    observer->load->end_seconds = swap_log_now(&observer->load->log);
}

/* The same at the times of another load. */
static void rise_and_fall_like(struct observer *observer, const struct load *other) {
    observe_for(observer, other->rise_seconds);
    rise(observer);
    observe_for(observer, other->fall_seconds);
    fall(observer);
    observe_for(observer, other->end_seconds);
    observer->load->end_seconds = other->end_seconds;
}

k42_result load_run(struct load *load, const struct settings *settings, const struct load *like) {
    struct subject subject;
    *load = (struct load){.threads = settings->threads > 1 ? settings->threads : 2};
    swap_log_begin(&load->log);
    k42_result result =
        subject_open(&subject, like ? MODE_SHARED : MODE_ADAPTIVE, settings->pages, &load->log);
    if (result < 0)
        return result;
    struct crew_plan plan = {
        .cache = subject.cache,
        .pages = settings->pages,
        .threads = load->threads,
        .active = 1,
    };
    struct crew *crew = crew_start(&plan);
    if (!crew) {
        subject_close(&subject);
        return -errno;
    }
    struct observer observer = {.load = load, .subject = &subject, .crew = crew};
    observer.at_seconds = swap_log_now(&load->log);
    if (like)
        rise_and_fall_like(&observer, like);
    else
        rise_and_fall(&observer);
    struct crew_result finished;
    subject_finish(&subject, crew, &finished);
    load->failures = subject_check(&subject, &load->stats);
    subject_close(&subject);
    return 0;
}

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

double load_speed(const struct load *load, double from_seconds, double until_seconds) {
    double speeds[LOAD_SAMPLES];
    unsigned count = 0;
    for (unsigned i = 0; i < load->samples; i++) {
        const struct load_sample *one = &load->sample[i];
        if (one->at_seconds >= from_seconds && one->at_seconds < until_seconds)
            speeds[count++] = one->searches_per_ms;
    }
    qsort(speeds, count, sizeof(*speeds), by_size);
    return count ? speeds[count / 2] : 0;
}
