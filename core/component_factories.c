/*
 * What happens to factories while a component comes and goes.
 *
 * A factory must not lead to code that is about to go, so it is turned to another version first, or
 * to making nothing; when the unload is refused after that, it is turned back. Upgrades of the same
 * classes set the same factories, so none may be under way meanwhile.
 *
 * Owns: the `left` and `took_family` marks of the component's class records. Locking: the caller
 * serialises load and unload. Fails: all or nothing, with a sentence in `why`.
 */
#include "component.h"

/* The record of one of its classes, or NULL when it was refused. */
static struct k42_class_record *record_of(const struct k42_component *component,
                                          const struct k42_class *class_) {
    struct k42_class_record *record = class_->record;
    return record && record->component == component ? record : NULL;
}

/* What a family makes when this component has gone: its highest other version, or nothing. */
static struct k42_class *fallback(const struct k42_family *family,
                                  const struct k42_component *leaving) {
    struct k42_class *best = NULL;
    k42_lock(&k42_registry_lock);
    for (struct k42_class_record *r = k42_class_records; r; r = r->next)
        if (r->family == family && r->component != leaving &&
            (!best || r->class_->version > best->version))
            best = r->class_;
    k42_unlock(&k42_registry_lock);
    return best;
}

void k42_component_reopen_factories(struct k42_component *component) {
    for (struct k42_class **c = component->module->classes; c < component->module->classes_end;
         c++) {
        struct k42_class_record *record = record_of(component, *c);
        if (record && record->left) {
            record->left = 0;
            (void)!k42_factory_turn(record->family, *c, NULL, NULL);
        }
    }
}

k42_result k42_component_close_factories(struct k42_component *component, char *why,
                                         size_t why_size) {
    for (struct k42_class **c = component->module->classes; c < component->module->classes_end;
         c++) {
        struct k42_class_record *record = record_of(component, *c);
        struct k42_swap_report report;
        if (!record || !record->family->factory || k42_load_acquire(&record->family->current) != *c)
            continue;
        k42_result result =
            k42_factory_turn(record->family, fallback(record->family, component), NULL, &report);
        if (result < 0) {
            k42_format_text(why, why_size, "component %s: the factory of class %s is held up: %s",
                            component->name, (*c)->name, report.text);
            k42_component_reopen_factories(component);
            return result == -ETIMEDOUT ? -EBUSY : result;
        }
        record->left = 1;
    }
    return 0;
}

void k42_component_release_families(struct k42_component *component, struct k42_class **end) {
    for (struct k42_class **c = component->module->classes; c < end; c++)
        if (record_of(component, *c)->took_family) {
            (*c)->record->took_family = 0;
            k42_store_release(&(*c)->record->family->upgrading, 0);
        }
}

k42_result k42_component_take_families(struct k42_component *component, char *why,
                                       size_t why_size) {
    for (struct k42_class **c = component->module->classes; c < component->module->classes_end;
         c++) {
        struct k42_family *family = (*c)->record->family;
        bool ours = false;
        for (struct k42_class **d = component->module->classes; d < c; d++)
            ours = ours || (*d)->record->family == family;
        if (ours)
            continue;
        if (__atomic_exchange_n(&family->upgrading, 1, __ATOMIC_ACQUIRE)) {
            k42_format_text(why, why_size, "component %s: an upgrade of class %s is under way",
                            component->name, (*c)->name);
            k42_component_release_families(component, c);
            return -EBUSY;
        }
        (*c)->record->took_family = 1;
    }
    return 0;
}
