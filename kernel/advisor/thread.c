/*
 * The thread of the advisors: ten times a second it looks at a few page caches, has each advisor
 * make up its mind, and does what they ask for.
 *
 * It looks at three sorts, each with a limit, so that a turn costs the same however many objects
 * there are: those that notes say something happens to; those that something is being done with,
 * which are few (`hot`); and some of all others that it knows, in turn, among them what is settled.
 * A walk over all objects finds what several CPUs use, by a look at one word for each. A turn at
 * which nothing is found costs some thousand instructions.
 *
 * Each object has one advisor at most that has changed it. What changes an object is one swap at a
 * time, asked for of the runtime's swapper, bound to the class that the advisor has seen: when a
 * storm, or somebody, was faster, nothing is done, and the object is looked at anew. Classes are
 * found and swaps handed in within one active section, as long as which no component goes.
 *
 * Owns: all cases but what cases.c says; the list of hot ones. Fails: what cannot be done is tried
 * again after a rest.
 */
#include "inside.h"

#include "../arch/x86_64/arch.h"
#include "../print.h"

enum {
    NOTED_AT_ONCE = 32,
    OTHERS_AT_ONCE = 16,
    SLOTS_AT_ONCE = 1024,
    HOT_MOST = 16,
    QUIET_MOST = 8, /* looks before a case is closed */
    ATTEMPTS = 4,
};
#define TURN_NS 100000000ul

struct advisor *const advisors_of_caches[ADVISORS_OF_CACHES] = {&advisor_contention, &advisor_order,
                                                                &advisor_loop, &advisor_small};

static uint32_t asked; /* changes when a mode does; slept on */
static struct advice_case *hot[HOT_MOST];
static uint32_t turns; /* so far */
static k42_id walked;  /* where the walk goes on */

/* ---- watching, and being looked at at every turn ---- */

static bool heat(struct advice_case *one) {
    for (unsigned i = 0; i < HOT_MOST && !one->hot; i++)
        if (!hot[i]) {
            hot[i] = one;
            one->hot = true;
        }
    return one->hot;
}

static void cool(struct advice_case *one) {
    if (one->watch)
        watch_end(one->watch);
    one->watch = NULL;
    for (unsigned i = 0; i < HOT_MOST && one->hot; i++)
        if (hot[i] == one) {
            hot[i] = NULL;
            one->hot = false;
        }
}

static void watch(struct advice_case *one, struct advisor *advisor) {
    if (heat(one) && (one->watch || watch_begin(one->id, &one->watch) >= 0)) {
        advisor_count(&advisor->counts.watched);
        return;
    }
    cool(one);
    advice_unwatched(&one->advice[one->whose]);
}

/* ---- changing ---- */

/* Nobody's, as far as advisors are concerned. */
static void let_be(struct advice_case *one) {
    cool(one);
    one->whose = -1;
}

/* In the runtime's own thread. */
static void ended(struct k42_swap *swap) {
    struct change *change = k42_container(swap, struct change, swap);
    __atomic_store_n(&change->ended, 1, __ATOMIC_RELEASE);
}

/* True: it has been asked for. */
static bool ask(struct advice_case *one, struct change *change, struct k42_class *to) {
    struct k42_class *from = k42_class_find(change->from);
    if (!from || !to || from == to || from->interface != to->interface ||
        !k42_class_can_become(from, to))
        return false;
    change->swap = (struct k42_swap){
        .ref = k42_id_ref(one->id), .from = from, .to = to, .attempts = ATTEMPTS, .done = ended};
    k42_copy_text(change->to, sizeof change->to, to->name);
    one->change = change;
    if (case_submit(one, &change->swap))
        return true;
    one->change = NULL;
    return false;
}

static struct change *change_make(struct advice_case *one, const struct look *look,
                                  enum advisor_deed deed) {
    struct advisor *advisor = advisors_of_caches[one->whose];
    struct change *change = heap_allocate_zeroed(sizeof *change);
    if (!change)
        return NULL;
    change->deed = deed;
    k42_copy_text(change->from, sizeof change->from, look->info.class_name);
    advisor->reason(look, change->reason, sizeof change->reason);
    return change;
}

static void say(const struct advice_case *one, const struct change *change, enum advisor_deed deed,
                k42_result result) {
    advisor_say(advisors_of_caches[one->whose],
                &(struct advisor_said){.id = one->id,
                                       .deed = deed,
                                       .result = result,
                                       .from = change->from,
                                       .to = change->to,
                                       .reason = change->reason,
                                       .advice = &one->advice[one->whose]});
}

/* What came of it. */
static void settle_change(struct advice_case *one, const struct change *change, k42_result result) {
    struct advice *advice = &one->advice[one->whose];
    bool made = !result, is_change = change->deed == ADVISOR_CHANGED;
    if (made || result == -ETIMEDOUT || result == -ENOMEM || result == -ENOTSUP)
        say(one, change, made ? change->deed : ADVISOR_FAILED, result);
    if (is_change)
        advice_changed(advice, made);
    else
        advice_returned(advice, made);
    if (made != is_change)
        let_be(one);
}

/* What is no swap is done at once. */
static void do_now(struct advice_case *one, struct change *change) {
    const struct advisor *advisor = advisors_of_caches[one->whose];
    bool back = change->deed != ADVISOR_CHANGED;
    if (!back) {
        k42_copy_text(one->was, sizeof one->was, change->from);
        k42_copy_text(one->is, sizeof one->is, change->from);
    }
    k42_result result = advisor->carry_out(one->id, back);
    settle_change(one, change, result < 0 ? result : 0);
    heap_free(change);
}

/* To what the advisor would have. Active. */
static void make_change(struct advice_case *one, const struct look *look) {
    struct advisor *advisor = advisors_of_caches[one->whose];
    struct change *change = change_make(one, look, ADVISOR_CHANGED);
    struct k42_class *to = NULL;
    enum advisor_mode mode = advisor_mode_of(advisor);
    if (change && k42_select(advisor->interface_, advisor->traits, &to) >= 0) {
        k42_copy_text(change->to, sizeof change->to, to->name);
        if (mode == ADVISOR_ON && heat(one) && advisor->carry_out) {
            do_now(one, change);
            return;
        }
        if (mode == ADVISOR_ON && one->hot && ask(one, change, to))
            return;
        if (mode == ADVISOR_ADVISE)
            say(one, change, ADVISOR_ADVISED, 0);
    }
    heap_free(change);
    advice_declined(&one->advice[one->whose]);
    let_be(one);
}

/* Back to what it was, or if that class has gone to the plain one. Active. */
static void make_return(struct advice_case *one, const struct look *look, enum advisor_deed deed) {
    struct advisor *advisor = advisors_of_caches[one->whose];
    struct change *change = change_make(one, look, deed);
    struct k42_class *to = k42_class_find(one->was);
    bool may = change && advisor_mode_of(advisor) == ADVISOR_ON && heat(one);
    if (may && advisor->carry_out) {
        do_now(one, change);
        return;
    }
    if (!to && k42_select(&fcm_interface, "behind=file sharing=low", &to) < 0)
        to = NULL;
    if (may && ask(one, change, to))
        return;
    heap_free(change);
    advice_returned(&one->advice[one->whose], false);
    cool(one);
}

/* A swap has ended. False: it has not yet. */
static bool take_change(struct advice_case *one) {
    struct change *change = one->change;
    if (!__atomic_load_n(&change->ended, __ATOMIC_ACQUIRE))
        return false;
    if (change->deed == ADVISOR_CHANGED) {
        k42_copy_text(one->was, sizeof one->was, change->from);
        k42_copy_text(one->is, sizeof one->is, change->to);
    }
    one->change = NULL;
    settle_change(one, change, change->swap.report.result);
    heap_free(change);
    return true;
}

/* ---- deciding ---- */

static void act(struct advice_case *one, const struct look *look, enum advice_act what) {
    struct advisor *advisor = advisors_of_caches[one->whose];
    struct change told = {.deed = ADVISOR_SETTLED};
    switch (what) {
    case ADVICE_WATCH:
        watch(one, advisor);
        break;
    case ADVICE_UNWATCH:
        cool(one);
        break;
    case ADVICE_CHANGE:
        make_change(one, look);
        break;
    case ADVICE_UNDO:
        make_return(one, look, ADVISOR_UNDONE);
        break;
    case ADVICE_RETURN:
        make_return(one, look, ADVISOR_RETURNED);
        break;
    case ADVICE_SETTLE:
        advisor->reason(look, told.reason, sizeof told.reason);
        k42_copy_text(told.from, sizeof told.from, one->was);
        k42_copy_text(told.to, sizeof told.to, one->is);
        say(one, &told, ADVISOR_SETTLED, 0);
        cool(one);
        break;
    case ADVICE_NOTHING:
        break;
    }
    if (one->whose >= 0 && one->advice[one->whose].state == ADVICE_CALM)
        let_be(one);
}

static void step(struct advice_case *one, unsigned n, const struct look *look, bool changed) {
    struct advisor *advisor = advisors_of_caches[n];
    struct advice *advice = &one->advice[n];
    struct advice_look said = {0};
    advisor->judge(look, changed, &said);
    said.turns = look->turns;
    if (said.signal || said.work)
        one->last = look->now;
    bool first = advice->state == ADVICE_CALM && !advice->votes && said.signal > 0;
    enum advice_act what = advice_step(advice, &advisor->rules, &said);
    if (first && !advice->rest)
        advisor_count(&advisor->counts.saw);
    if (what != ADVICE_NOTHING)
        one->whose = (int32_t)n;
    act(one, look, what);
}

/* Whether its advisor still has to do with it: not when somebody else has swapped it. */
static bool is_still(const struct advice_case *one, const struct look *look) {
    const struct advisor *advisor = advisors_of_caches[one->whose];
    enum advice_state state = one->advice[one->whose].state;
    return advisor_mode_of(advisor) != ADVISOR_OFF &&
           (state == ADVICE_DOUBT ? advisor->applies(look)
                                  : k42_text_equal(one->is, look->info.class_name));
}

/* Nobody's yet: each advisor looks, and the first that wants to do something has it. */
static void think(struct advice_case *one, const struct look *look) {
    bool busy = false;
    for (unsigned n = 0; n < ADVISORS_OF_CACHES && one->whose < 0; n++) {
        struct advisor *advisor = advisors_of_caches[n];
        if (advisor_mode_of(advisor) == ADVISOR_OFF || !advisor->applies(look))
            continue;
        step(one, n, look, false);
        busy |= one->advice[n].votes || one->advice[n].rest;
    }
    one->quiet = busy || one->whose >= 0 ? 0 : one->quiet + 1;
}

/* One look at one object. False: the case is to be closed. Active. */
static bool consider(struct advice_case *one) {
    struct look look;
    if (one->change && !take_change(one))
        return true;
    if (!look_at(one, &look)) {
        let_be(one);
        return false;
    }
    look.turns = turns - one->turn;
    one->turn = turns;
    if (__atomic_load_n(&one->chosen, __ATOMIC_ACQUIRE)) {
        let_be(one);
        return true;
    }
    if (one->whose >= 0 && !is_still(one, &look)) {
        advice_forget(&one->advice[one->whose]);
        let_be(one);
    }
    if (one->whose >= 0)
        step(one, (unsigned)one->whose, &look, one->advice[one->whose].state != ADVICE_DOUBT);
    else
        think(one, &look);
    return one->quiet <= QUIET_MOST;
}

/* ---- a turn ---- */

static bool visit(struct advice_case *one) {
    if (one->hot)
        return true;
    k42_enter();
    bool stays = consider(one);
    k42_exit();
    return stays;
}

static void take_note(k42_id id) {
    struct advice_case *one = case_open(id);
    if (one)
        (void)visit(one); /* closed when its turn comes */
}

/* What several CPUs use, though nothing slow happens to it. */
static void walk_by(k42_id id) {
    (void)case_open(id);
}

static void turn(void) {
    turns++;
    for (unsigned i = 0; i < HOT_MOST; i++) {
        if (!hot[i])
            continue;
        k42_enter();
        (void)consider(hot[i]);
        k42_exit();
    }
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
    if (notes_open(cpu_count()) < 0 || advisor_set("", mode_asked_for()) < 0 ||
        !k42_platform_spawn("advisor", run, NULL))
        print("advisors: no memory; there are none");
}
