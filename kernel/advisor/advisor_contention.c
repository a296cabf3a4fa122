/*
 * Contention: a page cache that several CPUs read at the same time becomes one that is spread over
 * them.
 *
 * That several CPUs use it is known at no cost: a bit for each in one word of the object. Then its
 * reads are watched for half a second: only when several CPUs each make a good part of many, and
 * are in it at the same time, does spreading help; a thread that moves from one to the other is
 * none. On probation a read must not take longer than before. What is spread is watched for a tenth
 * of a second now and then, and made what it was when several times only one CPU was seen.
 */
#include "inside.h"

enum { READS = 8, MEETING_PART = 64 };

static bool applies(const struct look *look) {
    return k42_text_equal(look->info.class_name, "fcm.shared") ||
           k42_text_equal(look->info.class_name, "fcm.pinned");
}

static bool meet(const struct watched *watched) {
    return watched->readers > 1 && watched->reads >= READS &&
           watched->meetings * MEETING_PART >= watched->reads;
}

static void judge(const struct look *look, bool changed, struct advice_look *said) {
    *said = (struct advice_look){.cost = look->watched.ns, .work = look->watched.timed};
    if (look->is_watched)
        said->signal = meet(&look->watched) ? 1 : -1;
    else if (!changed)
        said->signal = look->info.cpus > 1;
}

static void reason(const struct look *look, char *text, size_t size) {
    k42_format_text(text, size, "%u CPUs made %lu reads in a turn, of which %lu met",
                    look->watched.readers, look->watched.reads, look->watched.meetings);
}

struct advisor advisor_contention = {
    .name = "contention",
    .about = "page caches that several CPUs read are spread over them",
    .unit = "ns a read",
    .traits = "behind=file sharing=high",
    .interface_ = &fcm_interface,
    .rules =
        {.votes = 2, .watch = 5, .probation = 5, .against = 3, .check = 100, .least_gain = -25},
    .applies = applies,
    .judge = judge,
    .reason = reason,
};
