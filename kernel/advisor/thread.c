/*
 * The thread of the advisors: ten times a second it looks at a few objects, has each advisor make
 * up its mind, and does what they ask for.
 *
 * It looks at three sorts, each with a limit, so that a turn costs the same however many objects
 * there are: those that notes say something happens to; those that something is being done with,
 * which are few (attention.c); and some of all others that it knows, in turn, among them what is
 * settled. A walk over all objects finds what several CPUs use, by a look at one word for each. A
 * turn at which nothing is found costs some thousand instructions.
 *
 * Owns: all cases but what cases.c says.
 */
#include "inside.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"

enum {
    NOTED_AT_ONCE = 32,
    OTHERS_AT_ONCE = 16,
    SLOTS_AT_ONCE = 1024,
};
#define TURN_NS 100000000ul

struct advisor *const advisors_that_look[ADVISORS_THAT_LOOK] = {
    &advisor_contention, &advisor_order, &advisor_loop, &advisor_small, &advisor_paging};

static uint32_t asked; /* changes when a mode does; slept on */
static uint32_t turns; /* so far */
static k42_id walked;  /* where the walk goes on */

/* ---- a turn ---- */

static bool look_once(struct advice_case *one) {
    k42_enter();
    bool stays = consider(one, turns);
    k42_exit();
    return stays;
}

static void look_again(struct advice_case *one) {
    (void)look_once(one); /* closed, if it is to be, when its turn among the others comes */
}

static bool visit(struct advice_case *one) {
    return one->hot || look_once(one);
}

static void take_note(k42_id id) {
    struct advice_case *one = case_open(id);
    if (one)
        (void)visit(one); /* closed when its turn comes */
}

/* What several CPUs use, though nothing slow happens to it. Most are files in memory, which stay as
 * they are, and would take the places of the others. */
static void walk_by(k42_id id) {
    k42_enter();
    const struct k42_class *class_ = k42_class_of(k42_id_ref(id));
    bool may = class_ && contention_may_help(class_->name);
    k42_exit();
    if (may)
        (void)case_open(id);
}

static void turn(void) {
    turns++;
    attention_visit(look_again);
    notes_take(NOTED_AT_ONCE, take_note);
    cases_visit(OTHERS_AT_ONCE, visit);
    walked = k42_shared_from(walked, SLOTS_AT_ONCE, &fcm_interface, walk_by);
}

static void run(void *unused) {
    (void)unused;
    if (k42_attach("advisor") < 0)
        k42_platform_panic("the advisors' thread cannot attach");
    for (;;) {
        uint32_t seen = __atomic_load_n(&asked, __ATOMIC_ACQUIRE);
        bool awake = advisors_awake();
        turn();
        k42_platform_park(&asked, seen, awake ? TURN_NS : 0);
    }
}

void advisor_wake(void) {
    __atomic_add_fetch(&asked, 1, __ATOMIC_RELEASE);
    k42_platform_wake(&asked, 1);
}

/* ---- beginning ---- */

static enum advisor_mode mode_asked_for(void) {
    char text[16];
    if (!boot_option("advisors", text, sizeof text) || k42_text_equal(text, "on"))
        return ADVISOR_ON;
    if (k42_text_equal(text, "off"))
        return ADVISOR_OFF;
    if (k42_text_equal(text, "advise"))
        return ADVISOR_ADVISE;
    print("advisors=%s: it is on, advise or off", text);
    return ADVISOR_ON;
}

void advisor_open(void) {
    if (cases_open() < 0 || notes_open(cpu_count()) < 0 || advisor_set("", mode_asked_for()) < 0 ||
        !k42_platform_spawn("advisor", run, NULL))
        print("advisors: no memory; there are none");
}
