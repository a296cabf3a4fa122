/*
 * A run of a policy: a thread that loads the component, gives its policy to objects, looks after
 * them, and has everything be again what it was.
 *
 * Owns: the list of runs; its reference to the run. Locking: the components' turn, for all that
 * changes objects, components or the list; what is told, under the run's own lock, which nothing is
 * called with. Fails: with a sentence, and then nothing has changed.
 *
 * The order of the way back is what makes it safe: no object is of the component's classes any
 * more, then the component is unloaded, then no call counts in the run any more (a grace period,
 * for calls that came when an object was still this run's), then the run's memory goes.
 *
 * The next version replaces a run object by object, from the one class to the other, with no moment
 * in between: it takes over the records, and with them what each object was before. A run that has
 * lost all it had ends.
 */
#include "run.h"

#include "../component/component.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"

#include <errno.h>

#define LOOK_NS 20000000ul
enum { LOOKS_A_SCOPE = 5, UNLOADS = 100, UNLOAD_PAUSE = 5 };

static struct policy_run *runs; /* with the turn */

/* ---- what is told ---- */

static void say(struct policy_run *run, enum policy_state state, enum policy_why why,
                const char *text) {
    k42_lock(&run->lock);
    run->told.state = state;
    run->told.why = why;
    if (text)
        k42_copy_text(run->told.text, sizeof run->told.text, text);
    __atomic_fetch_add(&run->told.changes, 1, __ATOMIC_SEQ_CST);
    k42_unlock(&run->lock);
    wait_notify(run->owner, POLICY_CHANGED, WAIT_READ, WAIT_ALL);
}

/* ---- becoming active ---- */

static bool has_ended(const struct policy_run *run) {
    return k42_load_acquire(&run->ends);
}

/* Sleeps, or until the owner asks something. */
static void rest(struct policy_run *run, uint64_t ns) {
    uint32_t asked = k42_load_acquire(&run->asked);
    if (!has_ended(run) && k42_load_acquire(&run->told.state) != POLICY_BEGINS)
        k42_platform_park(&run->asked, asked, ns);
}

static k42_result load(struct policy_run *run, char *why, size_t size) {
    struct k42_ledger ledger;
    if (run->terms.metric[0] && !policy_metric_known(run->terms.metric)) {
        k42_format_text(why, size, "nothing is counted that is called %s", run->terms.metric);
        return -EINVAL;
    }
    if (run->terms.scope[0] && !k42_class_find(run->terms.scope)) {
        k42_format_text(why, size, "there is no class %s", run->terms.scope);
        return -ENOENT;
    }
    k42_result result =
        component_hold("the policy", run->image, run->image_size, &run->component, why, size);
    if (result)
        return result;
    k42_component_ledger(run->component, &ledger);
    k42_copy_text(run->told.component, sizeof run->told.component, ledger.name);
    k42_platform_free(run->image);
    run->image = NULL;
    return 0;
}

/* A scope of which there is a run already: the class that it has made of the scope's is meant. */
static void adopt_scope(struct policy_run *run) {
    for (const struct policy_run *other = runs; other; other = other->next)
        if (run->terms.scope[0] && other->terms.scope[0] &&
            k42_text_equal(other->told.class_name, run->terms.scope))
            k42_copy_text(run->terms.scope, sizeof run->terms.scope, other->terms.scope);
}

/* Measures, over a window, what is to be compared with. */
static void measure_before(struct policy_run *run) {
    struct policy_sample first, last;
    uint32_t asked = k42_load_acquire(&run->asked);
    policy_sample(run, &first);
    if (!has_ended(run))
        k42_platform_park(&run->asked, asked, run->terms.window_ns);
    policy_sample(run, &last);
    run->before = (struct policy_sample){
        .calls = last.calls - first.calls,
        .failed = last.failed - first.failed,
        .metric = last.metric > first.metric ? last.metric - first.metric : 0,
    };
}

/* Others that have lost their last object to this run have been replaced by it. */
static void end_replaced(struct policy_run *run) {
    for (struct policy_run *other = runs; other; other = other->next) {
        bool same = other->terms.scope[0] && k42_text_equal(other->terms.scope, run->terms.scope);
        if (other == run || other->replaced_by || other->objects || !(same || run->told.taken) ||
            other->told.state != POLICY_ACTIVE)
            continue;
        other->replaced_by = run;
        if (!run->before.calls)
            run->before = other->before;
        __atomic_fetch_add(&other->asked, 1, __ATOMIC_RELEASE);
        k42_platform_wake(&other->asked, 1);
    }
}

static k42_result take(struct policy_run *run, char *why, size_t size) {
    component_turn_begin();
    k42_result result = run->terms.scope[0] ? policy_objects_find(run) : 0;
    if (!result)
        result = policy_objects_take(run, why, size);
    end_replaced(run);
    component_turn_end();
    return result;
}

static void name_class(struct policy_run *run) {
    struct k42_module *module = k42_component_module(run->component);
    const struct k42_class *class_ = NULL;
    struct k42_object_info info;
    if (run->objects && k42_inspect(k42_id_ref(run->objects->id), &info) >= 0)
        class_ = policy_class(run, info.interface_name);
    if (!class_ && module->classes < module->classes_end)
        class_ = *module->classes;
    k42_copy_text(run->told.class_name, sizeof run->told.class_name, class_ ? class_->name : "");
}

/* Gives the policy to run->ids, or to what the scope has. What cannot have it is said. */
static k42_result widen(struct policy_run *run, char *why, size_t size) {
    component_turn_begin();
    k42_result result = run->terms.scope[0] ? policy_objects_find(run) : 0;
    policy_objects_note(run);
    component_turn_end();
    if (run->terms.metric[0] && run->objects && !run->before.calls)
        measure_before(run);
    if (result || has_ended(run))
        return result;
    result = take(run, why, size);
    name_class(run);
    policy_watch_begin(run, k42_platform_now_ns());
    return result;
}

/* 0, or why it cannot run. */
static k42_result begin(struct policy_run *run, char *why, size_t size) {
    component_turn_begin();
    k42_result result = load(run, why, size);
    if (!result) {
        adopt_scope(run);
        run->next = runs;
        runs = run;
    }
    component_turn_end();
    if (result)
        return result;
    result = widen(run, why, size);
    return run->terms.scope[0] || run->objects ? 0 : result;
}

/* ---- being active ---- */

static void say_active(struct policy_run *run, const char *why) {
    if (run->objects)
        print("policy: %s serves %lu objects", run->told.component, run->object_count);
    say(run, POLICY_ACTIVE, POLICY_RUNS, why);
}

static void look_after_scope(struct policy_run *run) {
    char unread[POLICY_TEXT];
    component_turn_begin();
    policy_objects_prune(run);
    if (run->terms.scope[0] && !policy_objects_find(run) && run->id_count) {
        policy_objects_note(run);
        (void)!policy_objects_take(run, unread, sizeof unread);
    }
    component_turn_end();
}

/* Until there is a reason to end. */
static enum policy_why look_after(struct policy_run *run, char *why, size_t size) {
    for (unsigned looks = 1;; looks++) {
        if (has_ended(run)) {
            k42_copy_text(why, size, "");
            return POLICY_ASKED;
        }
        if (k42_load_acquire(&run->replaced_by)) {
            k42_copy_text(why, size, "another one has replaced it");
            return POLICY_REPLACED;
        }
        if (k42_load_acquire(&run->told.state) == POLICY_BEGINS) {
            why[0] = 0;
            (void)!widen(run, why, size);
            say_active(run, why);
        }
        enum policy_why verdict = policy_watch(run, k42_platform_now_ns(), why, size);
        if (verdict != POLICY_RUNS)
            return verdict;
        if (looks % LOOKS_A_SCOPE == 0)
            look_after_scope(run);
        rest(run, LOOK_NS);
    }
}

/* ---- the way back ---- */

/* Tells what holds it up, once for each number of objects. */
static void say_held(struct policy_run *run, uint64_t held, const char *text) {
    if (run->told.held == held)
        return;
    if (held)
        print("policy: %s: %lu objects are held up: %s", run->told.component, held, text);
    run->told.held = held;
    say(run, POLICY_GOES, run->told.why, held ? text : NULL);
}

/* All objects are what they were. Whoever makes instances of its classes meanwhile is not waited
 * for without end: then the component stays. */
static void go_back(struct policy_run *run) {
    char text[POLICY_TEXT] = "";
    uint64_t held = 0;
    k42_result result = -EBUSY;
    for (unsigned tries = 0; result && (held || tries < UNLOADS); tries++) {
        if (tries)
            thread_sleep(tries < UNLOADS / 4 ? LOOK_NS : UNLOAD_PAUSE * LOOK_NS);
        component_turn_begin();
        held = policy_objects_return(run, tries, text, sizeof text);
        if (!held)
            result = component_let_go(run->component, text, sizeof text);
        component_turn_end();
        say_held(run, held, text);
    }
    if (result) {
        print("policy: %s stays loaded: %s", run->told.component, text);
        component_turn_begin();
        policy_objects_forget(run);
        component_abandon(run->component);
        component_turn_end();
    }
}

/* Nobody counts in it any more, nor finds it. */
static void leave_list(struct policy_run *run) {
    for (uint32_t hooks; (hooks = k42_load_acquire(&run->hooks));)
        k42_platform_park(&run->hooks, hooks, LOOK_NS);
    (void)!k42_synchronize();
    component_turn_begin();
    struct policy_run **link = &runs;
    while (*link && *link != run)
        link = &(*link)->next;
    if (*link)
        *link = run->next;
    component_turn_end();
}

static const char *const whys[] = {
    [POLICY_RUNS] = "runs",          [POLICY_REFUSED] = "is refused",
    [POLICY_ASKED] = "is let go",    [POLICY_REPLACED] = "is replaced",
    [POLICY_STALLED] = "is stalled", [POLICY_FAILED] = "fails",
    [POLICY_WORSE] = "is worse",
};

void policy_thread(void *context) {
    struct policy_run *run = context;
    char why[256] = "";
    if (k42_attach("policy") < 0)
        k42_platform_panic("the thread of a policy cannot attach");
    enum policy_why verdict = POLICY_REFUSED;
    k42_result result = begin(run, why, sizeof why);
    if (!result) {
        say_active(run, why);
        verdict = look_after(run, why, sizeof why);
    }
    run->told.result = result;
    say(run, POLICY_GOES, verdict, why);
    print("policy: %s %s%s%s", run->told.component, whys[verdict], *why ? ": " : "", why);
    if (run->component)
        go_back(run);
    leave_list(run);
    say(run, POLICY_OVER, verdict, why);
    policy_let_go(run);
}
