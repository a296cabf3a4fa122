/*
 * What the advisors pay attention to: the few objects that are looked at at every turn, and hooks
 * on those of them that somebody is in doubt about.
 *
 * Owns: the list of these; each case its hook. The thread's alone, without locks. Fails: when the
 * list is full or a hook cannot be placed, the object is looked at later.
 */
#include "inside.h"

enum { HOT_MOST = 32 };

static struct advice_case *hot[HOT_MOST];

bool attention_heat(struct advice_case *one) {
    for (unsigned i = 0; i < HOT_MOST && !one->hot; i++)
        if (!hot[i]) {
            hot[i] = one;
            one->hot = true;
        }
    return one->hot;
}

void attention_cool(struct advice_case *one) {
    if (one->watch)
        watch_end(one->watch);
    if (one->pages_watch)
        pages_watch_end(one->pages_watch);
    one->watch = NULL;
    one->pages_watch = NULL;
    for (unsigned i = 0; i < HOT_MOST && one->hot; i++)
        if (hot[i] == one) {
            hot[i] = NULL;
            one->hot = false;
        }
}

static bool begin(struct advice_case *one, const struct look *look) {
    if (one->watch || one->pages_watch)
        return true;
    return (look->is_pm ? pages_watch_begin(one->id, look->frames, &one->pages_watch)
                        : watch_begin(one->id, &one->watch)) >= 0;
}

void attention_watch(struct advice_case *one, const struct look *look) {
    if (attention_heat(one) && begin(one, look)) {
        advisor_count(&case_advisor(one)->counts.watched);
        return;
    }
    attention_cool(one);
    advice_unwatched(case_advice(one));
}

void attention_visit(void (*visit)(struct advice_case *)) {
    for (unsigned i = 0; i < HOT_MOST; i++)
        if (hot[i])
            visit(hot[i]);
}
