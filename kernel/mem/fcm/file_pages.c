/*
 * Making the pages of a file together with what is behind them. Owns nothing, locks nothing; of
 * which class caches are is chosen at boot, before there are files.
 */
#include "file_pages.h"

static struct k42_class *made_of = &fcm_shared;

void file_pages_choose(struct k42_class *class_) {
    made_of = class_;
}

k42_result file_pages_make(struct k42_class *fr_class, const void *from, uint64_t size,
                           struct file_pages *made) {
    k42_result result = k42_make(fr_class, from, &made->fr);
    if (result < 0)
        return result;
    struct fcm_file file = {.pm = pm_machine, .fr = (fr_ref)made->fr, .size = size};
    result = k42_make(made_of, &file, &made->fcm);
    if (result < 0)
        (void)!k42_destroy(made->fr);
    return result;
}

void file_pages_drop(const struct file_pages *pages) {
    (void)!k42_destroy(pages->fcm);
    (void)!k42_destroy(pages->fr);
}
