/*
 * What an administrator asks of components: see component.h.
 *
 * Owns: whose turn it is. A turn lasts as long as it takes, grace periods included, so whoever
 * waits for one sleeps; and a class found by name stays, since only an unload could take it away.
 */
#include "component.h"

#include "../print.h"
#include "../sched/thread.h"
#include "runtime.h"

#include <k42/component.h>

#define TURN_NS 10000000ul
/* Nobody waits for an upgrade but who asked: callers wait only while a swap blocks. */
#define PATIENT_NS 100000000ul
#define ATTEMPTS   16u

static uint32_t taken;

void component_turn_begin(void) {
    while (__atomic_exchange_n(&taken, 1, __ATOMIC_ACQUIRE))
        thread_park(&taken, 1, TURN_NS);
}

void component_turn_end(void) {
    __atomic_store_n(&taken, 0, __ATOMIC_RELEASE);
    thread_wake_parked(&taken, 1);
}

static k42_result load(const char *name, const void *image, size_t size,
                       struct k42_component **component, char *why, size_t why_size) {
    struct k42_ledger ledger;
    k42_result result = k42_component_load_image(name, image, size, component, why, why_size);
    if (result) {
        print("component: %s", why);
        return result;
    }
    k42_component_ledger(*component, &ledger);
    print("component: %s is loaded from %s: %lu classes", ledger.name, name, ledger.classes);
    return 0;
}

k42_result component_load(const char *name, const void *image, size_t size, char *loaded, char *why,
                          size_t why_size) {
    struct k42_component *component;
    struct k42_ledger ledger;
    if (k42_active())
        return -EDEADLK;
    component_turn_begin();
    k42_result result = load(name, image, size, &component, why, why_size);
    if (!result && loaded) {
        k42_component_ledger(component, &ledger);
        k42_copy_text(loaded, sizeof ledger.name, ledger.name);
    }
    component_turn_end();
    return result;
}

k42_result component_hold(const char *name, const void *image, size_t size,
                          struct k42_component **component, char *why, size_t why_size) {
    k42_result result = load(name, image, size, component, why, why_size);
    if (!result)
        k42_ledger_add(k42_component_module(*component), K42_LEDGER_RUNS, 1);
    return result;
}

k42_result component_let_go(struct k42_component *component, char *why, size_t why_size) {
    struct k42_ledger ledger;
    k42_component_ledger(component, &ledger);
    component_abandon(component);
    k42_result result = k42_component_unload(component, why, why_size);
    if (result)
        k42_ledger_add(k42_component_module(component), K42_LEDGER_RUNS, 1);
    else
        print("component: %s is unloaded", ledger.name);
    return result;
}

void component_abandon(struct k42_component *component) {
    k42_ledger_add(k42_component_module(component), K42_LEDGER_RUNS, -1);
}

static k42_result unknown(const char *what, const char *name, char *why, size_t why_size) {
    k42_format_text(why, why_size, "there is no %s %s", what, name);
    return -ENOENT;
}

static k42_result unload(const char *name, const char *to, char *why, size_t why_size) {
    struct k42_component *component = k42_component_find(name);
    struct k42_class *class_ = to[0] ? k42_class_find(to) : NULL;
    if (!component)
        return unknown("component", name, why, why_size);
    if (to[0] && !class_)
        return unknown("class", to, why, why_size);
    return k42_component_unload_to(component, class_, why, why_size);
}

k42_result component_unload(const char *name, const char *to, char *why, size_t why_size) {
    if (k42_active())
        return -EDEADLK;
    component_turn_begin();
    k42_result result = unload(name, to, why, why_size);
    component_turn_end();
    print("component: %s%s", result ? why : name, result ? "" : " is unloaded");
    return result;
}

/* ---- upgrade ---- */

static k42_result turn_one(struct k42_class *to, enum k42_upgrade_mode mode,
                           struct component_upgrade *done, char *why, size_t why_size) {
    struct k42_upgrade upgrade = {
        .to = to, .mode = mode, .deadline_ns = PATIENT_NS, .attempts = ATTEMPTS};
    k42_result result = k42_upgrade(&upgrade);
    done->total += upgrade.total;
    done->converted += upgrade.converted;
    done->failed += upgrade.failed;
    done->vanished += upgrade.vanished;
    if (result == -EIO)
        k42_format_text(why, why_size,
                        "class %s is version %u from now on, but %lu of %lu instances stay as they "
                        "are; %s",
                        to->name, to->version, upgrade.failed, upgrade.total,
                        upgrade.last_failure.text);
    else if (result < 0)
        k42_format_text(why, why_size, "class %s to version %u: %s; %s", to->name, to->version,
                        k42_error_name(result),
                        upgrade.last_failure.text[0] ? upgrade.last_failure.text
                                                     : "nothing was changed");
    else
        print("component: class %s is version %u from now on; of %lu instances %lu are converted",
              to->name, to->version, upgrade.total, upgrade.converted);
    return result;
}

struct search {
    const char *component, *class_name;
    uint32_t version;
    enum k42_upgrade_mode mode;
    struct component_upgrade *done;
    char *why;
    size_t why_size;
    struct k42_class *found[32];
    unsigned count;
};

static long find(const struct k42_class_info *info, void *context) {
    struct search *search = context;
    bool wanted = search->component
                      ? info->component && k42_text_equal(info->component, search->component)
                      : k42_text_equal(info->class_->name, search->class_name) &&
                            info->class_->version == search->version;
    if (wanted && search->count < sizeof search->found / sizeof search->found[0])
        search->found[search->count++] = info->class_;
    return 0;
}

/* Classes are found first, since the list is walked anew for each. */
static k42_result turn_all(struct search *search) {
    k42_result result = 0;
    k42_each_class(find, search);
    if (!search->count) {
        if (search->component)
            return unknown("component with classes called", search->component, search->why,
                           search->why_size);
        k42_format_text(search->why, search->why_size, "there is no class %s of version %u",
                        search->class_name, search->version);
        return -ENOENT;
    }
    /* Instances that stay as they are keep no other class from its turn. */
    for (unsigned i = 0; i < search->count && (!result || result == -EIO); i++) {
        k42_result one =
            turn_one(search->found[i], search->mode, search->done, search->why, search->why_size);
        result = one ? one : result;
    }
    return result;
}

static k42_result turn(struct search *search) {
    *search->done = (struct component_upgrade){0};
    if (k42_active())
        return -EDEADLK;
    component_turn_begin();
    k42_result result = turn_all(search);
    component_turn_end();
    if (result)
        print("component: upgrade: %s", search->why);
    return result;
}

k42_result component_upgrade(const char *name, enum k42_upgrade_mode mode,
                             struct component_upgrade *done, char *why, size_t why_size) {
    struct search search = {
        .component = name, .mode = mode, .done = done, .why = why, .why_size = why_size};
    return turn(&search);
}

k42_result component_turn_class(const char *class_name, uint32_t version,
                                enum k42_upgrade_mode mode, struct component_upgrade *done,
                                char *why, size_t why_size) {
    struct search search = {.class_name = class_name,
                            .version = version,
                            .mode = mode,
                            .done = done,
                            .why = why,
                            .why_size = why_size};
    return turn(&search);
}
