/*
 * The registry of classes: families, versions, finding, choosing by traits.
 *
 * Owns: class records and families. A family is never freed before shutdown, so its factory's ref
 * and its name stay; records go with their component. Locking: k42_registry_lock, never held across
 * a call or an allocation that waits for long. Fails: with a sentence in `why`.
 */
#include "entry.h"

#include <k42/class.h>

struct k42_lock k42_registry_lock;
struct k42_class_record *k42_class_records;
static struct k42_family *families;

uint32_t k42_class_interface_number(const struct k42_class *class_) {
    return class_->record->interface_number;
}

bool k42_class_registered(const struct k42_class *class_) {
    return k42_load_acquire(&class_->record) != NULL;
}

/* ---- held by swaps ---- */

struct k42_component *k42_class_hold_record(const struct k42_class_record *record) {
    k42_ledger_count(record->component, K42_LEDGER_SWAPS, 1);
    return record->component;
}

k42_result k42_class_hold(const struct k42_class *class_, struct k42_component **held) {
    k42_lock(&k42_registry_lock);
    const struct k42_class_record *record = k42_class_records;
    while (record && record->class_ != class_)
        record = record->next;
    bool there = record && !record->leaving;
    if (there)
        *held = k42_class_hold_record(record);
    k42_unlock(&k42_registry_lock);
    return there ? 0 : -ENOENT;
}

void k42_let_go(struct k42_component *held) {
    k42_ledger_count(held, K42_LEDGER_SWAPS, -1);
}

void k42_classes_set_leaving(const struct k42_component *component, uint32_t leaving) {
    k42_lock(&k42_registry_lock);
    for (struct k42_class_record *r = k42_class_records; r; r = r->next)
        if (r->component == component)
            k42_store_relaxed(&r->leaving, leaving);
    k42_unlock(&k42_registry_lock);
}

/* ---- registering ---- */

static struct k42_family *family_find(const char *name) {
    struct k42_family *family = families;
    while (family && !k42_text_equal(family->name, name))
        family = family->next;
    return family;
}

struct k42_family *k42_family_find(const char *name) {
    k42_lock(&k42_registry_lock);
    struct k42_family *family = family_find(name);
    k42_unlock(&k42_registry_lock);
    return family;
}

static k42_result class_check(const struct k42_class *class_, char *why, size_t why_size) {
    const char *missing = !class_->name                                         ? "a name"
                          : !class_->interface                                  ? "an interface"
                          : !class_->kind                                       ? "a kind of root"
                          : !class_->ops                                        ? "operations"
                          : !class_->root_size                                  ? "a root_size"
                          : class_->kind == &k42_clustered && !class_->rep_size ? "a rep_size"
                                                                                : NULL;
    if (!missing && k42_text_length(class_->name) >= sizeof((struct k42_family *)0)->name)
        missing = "a shorter name";
    if (!missing)
        return 0;
    k42_format_text(why, why_size, "class %s needs %s", class_->name ? class_->name : "(unnamed)",
                    missing);
    return -ENOEXEC;
}

/* Called with the registry locked. */
static k42_result version_check(const struct k42_class *class_, uint32_t number, char *why,
                                size_t why_size) {
    for (struct k42_class_record *record = k42_class_records; record; record = record->next) {
        const struct k42_class *other = record->class_;
        if (!k42_text_equal(other->name, class_->name))
            continue;
        if (other->version == class_->version) {
            k42_format_text(why, why_size,
                            "class %s version %u is registered already; a new one "
                            "needs another version",
                            class_->name, class_->version);
            return -EEXIST;
        }
        if (!k42_text_equal(other->interface->name, class_->interface->name)) {
            k42_format_text(why, why_size, "class %s implements interface %s, not %s", class_->name,
                            other->interface->name, class_->interface->name);
            return -ENOEXEC;
        }
        if (record->interface_number != number &&
            !k42_adaptor_find(record->interface_number, number)) {
            k42_format_text(why, why_size,
                            "class %s version %u speaks interface %s version %u, its callers speak "
                            "version %u: bring an adaptor, or rebuild against version %u",
                            class_->name, class_->version, class_->interface->name,
                            class_->interface->version, other->interface->version,
                            other->interface->version);
            return -ENOEXEC;
        }
    }
    return 0;
}

/* Called with the registry locked. */
static k42_result record_add(struct k42_class *class_, struct k42_component *component, bool hidden,
                             uint32_t number) {
    struct k42_class_record *record = k42_platform_alloc(sizeof *record);
    struct k42_family *family = family_find(class_->name);
    if (!record)
        return -ENOMEM;
    if (!family) {
        family = k42_platform_alloc(sizeof *family);
        if (!family) {
            k42_platform_free(record);
            return -ENOMEM;
        }
        k42_copy_text(family->name, sizeof family->name, class_->name);
        family->next = families;
        families = family;
    }
    if (!k42_load_acquire(&family->current))
        family->current = class_;
    *record = (struct k42_class_record){.class_ = class_,
                                        .family = family,
                                        .component = component,
                                        .interface_number = number,
                                        .hidden = hidden};
    struct k42_class_record **end = &k42_class_records;
    while (*end)
        end = &(*end)->next;
    *end = record;
    k42_store_release(&class_->record, record);
    return 0;
}

k42_result k42_class_add(struct k42_class *class_, struct k42_component *component, bool hidden,
                         char *why, size_t why_size) {
    uint32_t number = 0;
    k42_result result = class_check(class_, why, why_size);
    if (result < 0)
        return result;
    k42_lock(&k42_registry_lock);
    /* The interface comes last: its number is for ever, so a refused class must not take one. */
    result = k42_interface_check(class_->interface, why, why_size);
    if (!result)
        result = version_check(class_, k42_interface_number(class_->interface), why, why_size);
    if (!result)
        result = k42_interface_register(class_->interface, &number, why, why_size);
    if (!result)
        result = record_add(class_, component, hidden, number);
    k42_unlock(&k42_registry_lock);
    if (!result && !hidden)
        result = k42_factory_make(class_->record->family);
    return result;
}

k42_result k42_class_register(struct k42_class *class_, char *why, size_t why_size) {
    char unread[8];
    return k42_class_add(class_, NULL, false, why ? why : unread, why ? why_size : sizeof unread);
}

void k42_class_remove(struct k42_class *class_) {
    k42_lock(&k42_registry_lock);
    struct k42_class_record *record = class_->record;
    if (record) {
        struct k42_class_record **link = &k42_class_records;
        while (*link != record)
            link = &(*link)->next;
        *link = record->next;
        struct k42_class *current = k42_load_acquire(&record->family->current);
        if (!current || current == class_) {
            record->family->current = NULL;
            record->family->vacant = 1;
        }
        k42_store_release(&class_->record, NULL);
    }
    k42_unlock(&k42_registry_lock);
    k42_platform_free(record);
}

void k42_class_note_swap(const struct k42_class *class_) {
    k42_lock(&k42_registry_lock);
    if (class_->record)
        class_->record->swaps++;
    k42_unlock(&k42_registry_lock);
}

/* ---- finding ---- */

struct k42_class *k42_class_find(const char *name) {
    struct k42_family *family = k42_family_find(name);
    return family ? k42_load_acquire(&family->current) : NULL;
}

k42_result k42_factory_find(const char *name, k42_factory_ref *factory) {
    struct k42_family *family = k42_family_find(name);
    if (!family || !k42_load_acquire(&family->current))
        return -ENOENT;
    *factory = (k42_factory_ref)family->factory;
    return 0;
}

long k42_each_class(long (*visit)(const struct k42_class_info *, void *context), void *context) {
    for (uint32_t skip = 0;; skip++) {
        /* The visitor is called without the lock, so each time the list is walked anew. */
        k42_lock(&k42_registry_lock);
        struct k42_class_record *record = k42_class_records;
        for (uint32_t i = 0; record && (record->hidden || i++ < skip);)
            record = record->next;
        struct k42_class_info info = {0};
        if (record)
            info = (struct k42_class_info){
                .class_ = record->class_,
                .component = k42_component_name(record->component),
                .factory = record->family->factory,
                .current = k42_load_acquire(&record->family->current) == record->class_,
                .swaps = record->swaps,
            };
        k42_unlock(&k42_registry_lock);
        if (!record)
            return 0;
        info.instances = k42_class_instances(info.class_, NULL);
        long stop = visit(&info, context);
        if (stop)
            return stop;
    }
}

/* ---- choosing by traits: "key=value key=value" ---- */

struct trait {
    const char *key, *value;
    size_t key_length, value_length;
};

/* The next trait of a text: 1, 0 at its end, or -EINVAL. */
static k42_result trait_next(const char **text, struct trait *trait) {
    while (**text == ' ')
        (*text)++;
    if (!**text)
        return 0;
    trait->key = *text;
    while (**text && **text != ' ' && **text != '=')
        (*text)++;
    trait->key_length = (size_t)(*text - trait->key);
    if (**text != '=' || !trait->key_length)
        return -EINVAL;
    trait->value = ++*text;
    while (**text && **text != ' ')
        (*text)++;
    trait->value_length = (size_t)(*text - trait->value);
    return trait->value_length ? 1 : -EINVAL;
}

static bool same_span(const char *a, size_t a_length, const char *b, size_t b_length) {
    if (a_length != b_length)
        return false;
    while (a_length && *a == *b)
        a++, b++, a_length--;
    return !a_length;
}

/* 1 when `traits` has the wanted one, -1 when it says otherwise, 0 when it says nothing. */
static int trait_agrees(const char *traits, const struct trait *wanted) {
    struct trait trait;
    const char *text = traits ? traits : "";
    while (trait_next(&text, &trait) > 0)
        if (same_span(trait.key, trait.key_length, wanted->key, wanted->key_length))
            return same_span(trait.value, trait.value_length, wanted->value, wanted->value_length)
                       ? 1
                       : -1;
    return 0;
}

/* Higher is better; negative: contradicts. */
static long traits_score(const char *traits, const char *wanted) {
    struct trait trait;
    long score = 0, further = 0;
    for (const char *text = wanted; trait_next(&text, &trait) > 0;) {
        int agrees = trait_agrees(traits, &trait);
        if (agrees < 0)
            return -1;
        score += agrees;
    }
    for (const char *text = traits ? traits : ""; trait_next(&text, &trait) > 0;)
        further += !trait_agrees(wanted, &trait);
    return score * 1000 + 999 - (further < 999 ? further : 999);
}

k42_result k42_select(const struct k42_interface *interface_, const char *traits,
                      struct k42_class **found) {
    struct trait trait;
    k42_result checked;
    bool asked = false;
    for (const char *text = traits; (checked = trait_next(&text, &trait)) > 0;)
        asked = true;
    if (checked < 0)
        return checked;
    long best = -1;
    *found = NULL;
    k42_lock(&k42_registry_lock);
    for (struct k42_class_record *record = k42_class_records; record; record = record->next) {
        struct k42_class *class_ = record->class_;
        if (record->hidden || k42_load_acquire(&record->family->current) != class_ ||
            !k42_text_equal(class_->interface->name, interface_->name))
            continue;
        long score = traits_score(class_->traits, traits);
        if (score > best) {
            best = score;
            *found = class_;
        }
    }
    k42_unlock(&k42_registry_lock);
    /* One that says nothing of what was asked for is no answer, unless nothing was asked for. */
    return *found && (best >= 1000 || !asked) ? 0 : -ENOENT;
}

/* ---- opening and closing ---- */

void k42_classes_after_fork(void) {
    k42_registry_lock = (struct k42_lock){0};
}

k42_result k42_classes_open(void) {
    k42_result result = k42_factory_open();
    return result < 0 ? result : k42_modules_register_program();
}

void k42_classes_close(void) {
    k42_components_close();
    while (k42_class_records)
        k42_class_remove(k42_class_records->class_);
    while (families) {
        struct k42_family *next = families->next;
        k42_platform_free(families);
        families = next;
    }
    k42_interfaces_close();
}
