/*
 * Deciding between two classes of page caches by what runs have shown (adaptive.h).
 */
#include "adaptive.h"

#define SHARED      "fcm.shared"
#define PARTITIONED "fcm.partitioned"
#define MEETING     1.0 /* in a thousand pages: CPUs are in each other's way */

/* As advisor_contention.c has them; here every look says something. */
static const struct advice_rules rules = {
    .votes = 2, .watch = 3, .probation = 5, .against = 3, .check = 100, .least_gain = -25};

const char *adaptive_class(const struct adaptive *adaptive) {
    return adaptive->class_name ? adaptive->class_name : SHARED;
}

/* Of a partitioned cache nothing can be said: there CPUs do not meet. */
static int signal_of(const struct adaptive *adaptive, double met) {
    if (adaptive->class_name && adaptive->class_name[4] == PARTITIONED[4])
        return 0;
    return met >= MEETING ? 1 : -1;
}

void adaptive_look(struct adaptive *adaptive, double met, double ns, uint64_t pages) {
    struct advice_look look = {
        .signal = signal_of(adaptive, met), .cost = (uint64_t)ns, .work = pages, .turns = 1};
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
