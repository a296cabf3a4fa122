/*
 * Small files: those that are only read are kept as their bytes, without frame and tree; one that
 * grows beyond that, is written to, or is mapped becomes a plain one again.
 *
 * Reads of pages that are there are counted nowhere, so a file that is small enough, clean and not
 * mapped is watched for two seconds.
 */
#include "inside.h"

enum { MOST_PAGES = 16, READS = 2 };

static bool is_small(const struct look *look) {
    return look->pages && look->pages <= MOST_PAGES && !(look->pages & (look->pages - 1));
}

static bool applies(const struct look *look) {
    return is_small(look) && k42_text_equal(look->info.class_name, "fcm.shared");
}

static void judge(const struct look *look, bool changed, struct advice_look *said) {
    struct fcm_usage usage = {0};
    if (!is_small(look)) {
        said->signal = -1;
        return;
    }
    fcm_ref fcm = (fcm_ref)k42_id_ref(look->info.id);
    if (k42_call(fcm, usage, &usage) < 0)
        return;
    bool used_otherwise =
        usage.dirty || usage.attachments || look->watched.changes || look->watched.maps;
    said->work = look->watched.reads != 0;
    said->cost = said->work ? usage.present : 0;
    if (used_otherwise)
        said->signal = -1;
    else if (look->is_watched)
        said->signal = changed ? look->watched.reads != 0 : look->in_all.reads >= READS;
    else
        said->signal = changed ? usage.present ? -1 : 1 : usage.present != 0;
}

static void reason(const struct look *look, char *text, size_t size) {
    k42_format_text(text, size, "%lu pages, read %lu times, changed %lu, mapped %lu", look->pages,
                    look->in_all.reads, look->in_all.changes, look->in_all.maps);
}

struct advisor advisor_small = {
    .name = "small",
    .about = "small files that are only read are kept as their bytes",
    .unit = "pages",
    .traits = "behind=file size=small",
    .plain = "behind=file sharing=low",
    .interface_ = &fcm_interface,
    .rules = {.votes = 2, .watch = 20, .probation = 3, .against = 3, .least_gain = 50},
    .applies = applies,
    .judge = judge,
    .reason = reason,
};
