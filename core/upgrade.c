/*
 * Upgrade: from one version of a class to another, all its instances.
 *
 * First the factory is swapped, so that no more old ones are made; then the instances, found by
 * walking the pages of slots of the interfaces that the class's versions speak. Eagerly: batches of
 * swaps that share grace periods. Lazily: each entry gets the LAZY flag and its slots are emptied;
 * the next miss takes the flag and queues the instance for the swapper, while its caller goes on in
 * the old version.
 *
 * Owns: family->upgrading, one upgrade of a class at a time. Locking: none across swaps. Fails: per
 * instance, counted; as a whole when the factory cannot be swapped, and then nothing has changed.
 */
#include "entry.h"
#include "events.h"
#include "transfer.h"

#include <k42/class.h>

#define BATCH_DEFAULT 1024u
/* What one page of slots may have, which is too much for a kernel's stack where swaps are begun. */
#define FOUND_BYTES      (sizeof(struct prey) * K42_SLOTS_PER_PAGE)
#define REST_NS          20000
#define ATTEMPTS_DEFAULT 8u

/* An instance found. Its number may be another object's by its turn: then it is no longer `class_`.
 */
struct prey {
    k42_id id;
    struct k42_class *class_;
};

/* Visits live entries whose object is of the family, but not of class `except`. */
struct hunt {
    const struct k42_family *family;
    const struct k42_class *except;
    uint32_t number; /* interface */
    uint32_t page;
};

/* The class of an entry's object if it is to be converted, or NULL. */
static struct k42_class *prey_class(const struct hunt *hunt, struct k42_entry *entry) {
    if (!k42_entry_usable(k42_load_acquire(&entry->state)))
        return NULL;
    struct k42_class *class_ = k42_entry_bottom(entry)->class_;
    bool wanted =
        class_ != hunt->except && class_->record && class_->record->family == hunt->family;
    return wanted ? class_ : NULL;
}

/* The next page with slots of an interface that a version of the class speaks; false: no more. */
static bool hunt_page(struct hunt *hunt) {
    if (hunt->page)
        hunt->page = k42_page_next(hunt->page);
    while (!hunt->page) {
        uint32_t next = 0;
        k42_lock(&k42_registry_lock);
        for (struct k42_class_record *r = k42_class_records; r; r = r->next)
            if (r->family == hunt->family && r->interface_number > hunt->number &&
                (!next || r->interface_number < next))
                next = r->interface_number;
        k42_unlock(&k42_registry_lock);
        if (!next)
            return false;
        hunt->number = next;
        hunt->page = k42_page_first(next);
    }
    return true;
}

/* Those on the present page, at most a page's worth; the thread is made active for the look. */
static k42_result hunt_look(const struct hunt *hunt, struct prey *found, uint32_t *count) {
    struct k42_visit visit;
    k42_result result = k42_visit_begin(&visit);
    *count = 0;
    if (result < 0)
        return result;
    k42_id first = hunt->page * K42_SLOTS_PER_PAGE;
    for (k42_id id = first; id < first + K42_SLOTS_PER_PAGE; id++) {
        struct k42_class *class_ = prey_class(hunt, &k42_entries[id]);
        if (class_)
            found[(*count)++] = (struct prey){id, class_};
    }
    k42_visit_end(&visit);
    return 0;
}

uint64_t k42_class_instances(const struct k42_class *class_, k42_id *first) {
    uint64_t instances = 0;
    struct k42_visit visit;
    if (!class_->record || k42_visit_begin(&visit) < 0)
        return 0;
    for (uint32_t page = k42_page_first(class_->record->interface_number); page;
         page = k42_page_next(page)) {
        for (k42_id id = page * K42_SLOTS_PER_PAGE; id < (page + 1) * K42_SLOTS_PER_PAGE; id++) {
            struct k42_entry *entry = &k42_entries[id];
            if (!k42_entry_usable(k42_load_acquire(&entry->state)) ||
                k42_entry_bottom(entry)->class_ != class_)
                continue;
            if (!instances++ && first)
                *first = id;
        }
    }
    k42_visit_end(&visit);
    return instances;
}

/* ---- eager ---- */

struct eager {
    struct k42_upgrade *upgrade;
    struct k42_swap *requests;
    struct k42_swap **pointers;
    uint32_t size, filled;
};

static void eager_flush(struct eager *eager) {
    struct k42_upgrade *upgrade = eager->upgrade;
    if (!eager->filled)
        return;
    k42_result result = k42_swap_batch(eager->pointers, eager->filled);
    for (uint32_t i = 0; i < eager->filled; i++) {
        const struct k42_swap_report *report = &eager->requests[i].report;
        if (result < 0) {
            upgrade->failed++;
        } else if (report->result == 0) {
            upgrade->converted++;
        } else if (report->result == -K42_STALE || report->result == -ESTALE) {
            upgrade->vanished++;
        } else {
            upgrade->failed++;
            upgrade->last_failure = *report;
        }
    }
    if (eager->filled == eager->size) {
        /* Callers that this thread has preempted go on now, not when its slice is over. */
        uint32_t never = 0;
        k42_platform_park(&never, 0, REST_NS);
    }
    eager->filled = 0;
    k42_event_upgrade_progress(upgrade->to->name, upgrade->converted, upgrade->total);
    if (upgrade->progress && upgrade->progress(upgrade))
        upgrade->aborted = 1;
}

static void eager_add(struct eager *eager, const struct prey *prey) {
    const struct k42_upgrade *upgrade = eager->upgrade;
    struct k42_swap *request = &eager->requests[eager->filled++];
    *request = (struct k42_swap){
        .ref = k42_id_ref(prey->id),
        .to = upgrade->to,
        .from = prey->class_,
        .deadline_ns = upgrade->deadline_ns,
        .attempts = upgrade->attempts ? upgrade->attempts : ATTEMPTS_DEFAULT,
    };
    if (eager->filled == eager->size)
        eager_flush(eager);
}

static k42_result eager_run(struct k42_upgrade *upgrade, struct hunt hunt) {
    struct eager eager = {.upgrade = upgrade,
                          .size = upgrade->batch ? upgrade->batch : BATCH_DEFAULT};
    struct prey *found = k42_platform_alloc(FOUND_BYTES);
    uint32_t count;
    k42_result result = 0;
    eager.requests = k42_platform_alloc(sizeof *eager.requests * eager.size);
    eager.pointers = k42_platform_alloc(sizeof *eager.pointers * eager.size);
    if (!eager.requests || !eager.pointers || !found)
        result = -ENOMEM;
    for (uint32_t i = 0; !result && i < eager.size; i++)
        eager.pointers[i] = &eager.requests[i];
    while (!result && !upgrade->aborted && hunt_page(&hunt)) {
        result = hunt_look(&hunt, found, &count);
        for (uint32_t i = 0; i < count && !upgrade->aborted; i++)
            eager_add(&eager, &found[i]);
    }
    if (!result && !upgrade->aborted)
        eager_flush(&eager);
    k42_platform_free(eager.requests);
    k42_platform_free(eager.pointers);
    k42_platform_free(found);
    return result;
}

/* ---- lazy ---- */

/* From its next miss on, which emptying its slots brings about, the instance is to be converted. */
static void lazy_mark(k42_id id) {
    struct k42_entry *entry = &k42_entries[id];
    if (k42_entry_claim(entry, 0, K42_ENTRY_LAZY) < 0)
        return;
    k42_slots_empty(id, k42_entry_touched(k42_load_relaxed(&entry->state)));
    k42_entry_release(entry, 0, false);
}

static k42_result lazy_run(struct k42_upgrade *upgrade, struct hunt hunt) {
    struct prey found[K42_SLOTS_PER_PAGE];
    uint32_t count;
    while (!upgrade->aborted && hunt_page(&hunt)) {
        k42_result result = hunt_look(&hunt, found, &count);
        if (result < 0)
            return result;
        for (uint32_t i = 0; i < count; i++)
            lazy_mark(found[i].id);
        if (upgrade->progress && upgrade->progress(upgrade))
            upgrade->aborted = 1;
    }
    return 0;
}

void k42_upgrade_lazy_turn(k42_id id) {
    struct k42_visit visit;
    struct k42_entry *entry = &k42_entries[id];
    struct k42_class *class_ = NULL, *to = NULL;
    if (k42_visit_begin(&visit) < 0)
        return;
    if (k42_entry_usable(k42_load_acquire(&entry->state))) {
        class_ = k42_entry_bottom(entry)->class_;
        if (class_->record && k42_load_acquire(&class_->record->family->current) != class_)
            to = k42_load_acquire(&class_->record->family->current);
    }
    k42_visit_end(&visit);
    if (!to)
        return;
    struct k42_swap request = {
        .ref = k42_id_ref(id), .to = to, .from = class_, .attempts = ATTEMPTS_DEFAULT};
    k42_result result = k42_swap_run(&request);
    if (result == -ETIMEDOUT || result == -EBUSY)
        lazy_mark(id); /* held up: its next use tries again */
    else if (result < 0 && result != -K42_STALE && result != -ESTALE)
        k42_log("lazy upgrade: %s", request.report.text);
}

/* ---- the whole ---- */

/* Those counted at first and not found later have vanished; those made meanwhile were not counted.
 */
static void upgrade_settle(struct k42_upgrade *upgrade) {
    uint64_t met = upgrade->converted + upgrade->failed + upgrade->vanished;
    if (upgrade->total > met)
        upgrade->vanished += upgrade->total - met;
    else
        upgrade->total = met;
}

static k42_result upgrade_count(struct k42_upgrade *upgrade, struct hunt hunt) {
    struct prey found[K42_SLOTS_PER_PAGE];
    uint32_t count;
    while (hunt_page(&hunt)) {
        k42_result result = hunt_look(&hunt, found, &count);
        if (result < 0)
            return result;
        upgrade->total += count;
    }
    return 0;
}

static k42_result upgrade_run(struct k42_upgrade *upgrade, struct k42_family *family) {
    struct hunt hunt = {.family = family, .except = upgrade->to};
    if (k42_load_acquire(&family->current) != upgrade->to) {
        k42_result result = k42_factory_turn(family, upgrade->to, upgrade, &upgrade->last_failure);
        if (result < 0)
            return result;
    }
    /* Objects of other classes may be about to become old ones, by swaps that have begun. */
    k42_result result = upgrade->mode == K42_UPGRADE_NEW_ONLY ? 0 : k42_swap_flush();
    if (!result)
        result = upgrade_count(upgrade, hunt);
    if (!result && upgrade->mode == K42_UPGRADE_EAGER)
        result = eager_run(upgrade, hunt);
    if (!result && upgrade->mode == K42_UPGRADE_EAGER && !upgrade->aborted)
        upgrade_settle(upgrade);
    if (!result && upgrade->mode == K42_UPGRADE_LAZY)
        result = lazy_run(upgrade, hunt);
    if (result < 0)
        return result;
    return upgrade->aborted ? -ECANCELED : upgrade->failed ? -EIO : 0;
}

/* Every version must be able to become the new one, or nothing is begun. */
static k42_result upgrade_possible(const struct k42_family *family,
                                   const struct k42_upgrade *upgrade) {
    const struct k42_class *to = upgrade->to, *now = k42_load_acquire(&family->current);
    const struct k42_transfer *exporter, *importer;
    k42_result result = 0;
    /* Of older versions there may be no instance left; if there is, it fails alone. */
    if (upgrade->mode != K42_UPGRADE_NEW_ONLY && now && now != to &&
        !k42_transfer_negotiate(now, to, &exporter, &importer))
        return -ENOTSUP;
    k42_lock(&k42_registry_lock);
    for (struct k42_class_record *r = k42_class_records; r; r = r->next)
        if (r->family == family && r->class_ != to &&
            r->interface_number != to->record->interface_number &&
            !k42_adaptor_find(r->interface_number, to->record->interface_number))
            result = -ENOTSUP;
    k42_unlock(&k42_registry_lock);
    return result;
}

static k42_result upgrade_alone(struct k42_upgrade *upgrade, struct k42_family *family) {
    const struct k42_class *to = upgrade->to;
    k42_result result = upgrade_possible(family, upgrade);
    if (result < 0)
        return result;
    if (__atomic_exchange_n(&family->upgrading, 1, __ATOMIC_ACQUIRE))
        return -EBUSY;
    k42_event_upgrade_begin(to->name, to->version, upgrade->mode);
    result = upgrade_run(upgrade, family);
    k42_event_upgrade_end(to->name, upgrade->converted, upgrade->failed);
    k42_store_release(&family->upgrading, 0);
    return result;
}

k42_result k42_upgrade(struct k42_upgrade *upgrade) {
    struct k42_class *to = upgrade->to;
    upgrade->total = upgrade->converted = upgrade->failed = upgrade->vanished = 0;
    upgrade->aborted = 0;
    upgrade->last_failure = (struct k42_swap_report){0};
    if (k42_active())
        return -EDEADLK;
    struct k42_component *held;
    if (k42_class_hold(to, &held) < 0)
        return -ENOENT;
    k42_result result = upgrade_alone(upgrade, to->record->family);
    k42_let_go(held);
    return result;
}
