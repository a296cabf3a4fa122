/*
 * Contention: a page cache that several CPUs read at the same time becomes one that is spread over
 * them.
 *
 * That several CPUs use it is known at no cost: a bit for each in one word of the object. Then some
 * of its reads are watched: only when several CPUs each make a good part of them, and are in it at
 * the same time, does spreading help; a thread that moves from one to the other is none. On
 * probation a read must not take longer than before. What is spread is watched for some reads now
 * and then, and made what it was when several times only one CPU was seen, or none.
 *
 * Every class whose readers change words of pages that all CPUs share is its matter: the plain one,
 * the pinned, that of large pages, and the streaming one of a file that memory would hold. Reads of
 * a small file's bytes change nothing, so CPUs are not in each other's way there.
 */
#include "inside.h"

#include "../mem/frame/frame.h"

enum { READS = 64, LARGE_PART = 4 };

/* What was read once and in order would be kept. */
static bool would_fit(const struct look *look) {
    struct frame_statistics now;
    frames_count(&now);
    return look->pages <= (now.free + now.idle) / LARGE_PART;
}

bool contention_may_help(const char *class_name) {
    static const char *const classes[] = {"fcm.shared", "fcm.pinned", "fcm.large", "fcm.stream"};
    for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++)
        if (k42_text_equal(class_name, classes[i]))
            return true;
    return false;
}

static bool applies(const struct look *look) {
    return contention_may_help(look->info.class_name) &&
           (!k42_text_equal(look->info.class_name, "fcm.stream") || would_fit(look));
}

/* Too few reads say nothing, however long they took to come; they add up. CPUs meet in bursts, so
 * what counts is all that was seen. */
static void judge(const struct look *look, bool changed, struct advice_look *said) {
    const struct watched *watched = &look->watched;
    if (!look->is_watched) {
        said->signal = !changed && look->info.cpus > 1;
        return;
    }
    if (watched->reads < READS)
        return;
    said->signal = watched_meet(&look->in_all) ? 1 : -1;
    said->cost = watched->ns;
    said->work = watched->timed;
}

static void reason(const struct look *look, char *text, size_t size) {
    k42_format_text(text, size, "%u CPUs made %lu reads, of which %lu met", look->in_all.readers,
                    look->in_all.reads, look->in_all.meetings);
}

struct advisor advisor_contention = {
    .name = "contention",
    .about = "page caches that several CPUs read are spread over them",
    .unit = "ns a read",
    .traits = "behind=file sharing=high",
    .interface_ = &fcm_interface,
    .plain = "behind=file sharing=low",
    .rules = {.votes = 2,
              .watch = 3,
              .patience = 100,
              .probation = 5,
              .against = 3,
              .check = 100,
              .least_gain = -25,
              .silence = true},
    .applies = applies,
    .judge = judge,
    .reason = reason,
};
