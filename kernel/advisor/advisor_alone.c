/*
 * Objects that become another kind of themselves by their use (../change.h): pipes with one writer
 * and one reader, open files whose offset one thread moves.
 *
 * They see it themselves, and become ones for several users at once when a second one comes, since
 * he waits for that. The way back, after one has come again and again, is an improvement only: that
 * is what these advisors decide. No state but modes and counts.
 */
#include "inside.h"

struct advisor advisor_pipes = {
    .name = "pipes",
    .about = "pipes with one writer and one reader need no lock; a second one is seen at once",
};
struct advisor advisor_offsets = {
    .name = "offsets",
    .about = "files whose offset one thread moves need no lock; a second one is seen at once",
};

static const struct {
    const char *several, *single;
    struct advisor *advisor;
} kinds[] = {
    {"pipe.general", "pipe.spsc", &advisor_pipes},
    {"file.shared", "file.exclusive", &advisor_offsets},
};

static bool is(const struct k42_class *class_, const char *name) {
    return k42_text_equal(class_->name, name);
}

static void say(struct advisor *advisor, k42_id id, enum advisor_deed deed,
                const struct k42_class *from, const struct k42_class *to, const char *why) {
    advisor_say(advisor,
                &(struct advisor_said){
                    .id = id, .deed = deed, .from = from->name, .to = to->name, .reason = why});
}

bool advisor_allows(k42_id id, const struct k42_class *from, const struct k42_class *to) {
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct advisor *advisor = kinds[i].advisor;
        if (!is(from, kinds[i].several) || !is(to, kinds[i].single))
            continue;
        enum advisor_mode mode = advisor_mode_of(advisor);
        if (mode != ADVISOR_OFF)
            advisor_count(&advisor->counts.saw);
        if (mode == ADVISOR_ADVISE)
            say(advisor, id, ADVISOR_ADVISED, from, to, "the same thread came again and again");
        return mode == ADVISOR_ON || !mode;
    }
    return true;
}

void advisor_changed_itself(k42_id id, const struct k42_class *from, const struct k42_class *to) {
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is(from, kinds[i].several) && is(to, kinds[i].single))
            say(kinds[i].advisor, id, ADVISOR_CHANGED, from, to,
                "the same thread came again and again");
        else if (is(from, kinds[i].single) && is(to, kinds[i].several))
            say(kinds[i].advisor, id, ADVISOR_RETURNED, from, to, "a second thread came");
}
