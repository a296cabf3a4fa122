/*
 * Deciding between two classes of page caches by what runs have shown (adaptive.h).
 */
#include "adaptive.h"

#include <stddef.h>

#define SHARED      "fcm.shared"
#define PARTITIONED "fcm.partitioned"

enum { MEETING_PART = 64 };

/* As advisor_contention.c has them; here every look says something. */
static const struct advice_rules rules = {
    .votes = 2, .watch = 3, .probation = 5, .against = 3, .check = 100, .least_gain = -25};

const char *adaptive_class(const struct adaptive *adaptive) {
    return adaptive->class_name ? adaptive->class_name : SHARED;
}

bool adaptive_is_watched(const struct adaptive *adaptive) {
    enum advice_state state = adaptive->advice.state;
    return state == ADVICE_DOUBT || state == ADVICE_PROBATION || state == ADVICE_CHECK;
}

static int signal_of(const struct adaptive *adaptive, const struct adaptive_run *run) {
    if (adaptive_is_watched(adaptive))
        return run->users > 1 && run->meetings * MEETING_PART >= run->reads ? 1 : -1;
    return adaptive->advice.state == ADVICE_CALM && run->users > 1;
}

void adaptive_look(struct adaptive *adaptive, const struct adaptive_run *run) {
    struct advice_look look = {
        .signal = signal_of(adaptive, run), .cost = run->ns, .work = run->reads, .turns = 1};
    adaptive->looks++;
    switch (advice_step(&adaptive->advice, &rules, &look)) {
    case ADVICE_CHANGE:
        adaptive->class_name = PARTITIONED;
        advice_changed(&adaptive->advice, true);
        break;
    case ADVICE_UNDO:
    case ADVICE_RETURN:
        adaptive->class_name = SHARED;
        advice_returned(&adaptive->advice, true);
        break;
    default:
        break;
    }
}
