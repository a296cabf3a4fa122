/*
 * Factories: each family of classes has one object that makes its instances.
 *
 * A factory's state is what it makes. It changes by swapping the factory for another of the same
 * class whose import takes the family's upcoming version, so nothing that creates needs to know of
 * upgrades, and no create is under way in both versions.
 *
 * Owns: factory objects. Fails: as k42_create().
 */
#include "entry.h"

#include <k42/class.h>

#define ATTEMPTS_DEFAULT 8u

struct factory {
    struct k42_root root;
    struct k42_factory rep;
    struct k42_family *family;
    struct k42_class *makes;
};

static struct factory *factory_of(struct k42_factory *self) {
    return k42_container(self, struct factory, rep);
}

static k42_result factory_describe(struct k42_object *self, char *text, size_t size) {
    const struct k42_class *makes = factory_of((struct k42_factory *)self)->makes;
    if (!makes)
        return (k42_result)k42_format_text(text, size, "makes nothing: its class is not loaded");
    return (k42_result)k42_format_text(text, size, "makes %s version %u", makes->name,
                                       makes->version);
}

static k42_result factory_create(struct k42_factory *self, const struct k42_interface *interface_,
                                 const void *args, k42_ref *ref) {
    struct k42_class *makes = factory_of(self)->makes;
    if (!makes)
        return -ENOENT;
    /* Nearly always the very description; looking for one by its name would cost more than making.
     */
    if (interface_ == makes->interface)
        return k42_create(makes, args, ref);
    uint32_t spoken = k42_interface_number(interface_);
    if (spoken == k42_class_interface_number(makes))
        return k42_create(makes, args, ref);
    struct k42_adaptor *adaptor = k42_adaptor_find(spoken, k42_class_interface_number(makes));
    struct k42_root *root, *inner;
    if (!adaptor)
        return -ENOTSUP;
    k42_result result = k42_adaptor_make(adaptor, makes, args, &root, &inner);
    if (result < 0)
        return result;
    result = k42_publish(root, ref);
    if (result < 0)
        k42_root_end(root);
    return result;
}

static k42_result factory_current(struct k42_factory *self, struct k42_class **class_) {
    *class_ = factory_of(self)->makes;
    return *class_ ? 0 : -ENOENT;
}

static const struct k42_factory_ops factory_ops = {
    .object.describe = factory_describe,
    .create = factory_create,
    .current = factory_current,
};

static const char *const factory_methods[] = {"describe", "create", "current"};
const struct k42_interface k42_factory_interface = {
    .name = "k42_factory",
    .version = 1,
    .methods = K42_METHOD_COUNT(struct k42_factory_ops),
    .method_names = factory_methods,
};

static k42_result factory_init(struct k42_root *root, const void *args) {
    struct factory *factory = (struct factory *)root;
    if (args) {
        factory->family = (struct k42_family *)(uintptr_t)args;
        factory->makes = factory->family->current;
    }
    return 0;
}

static k42_result factory_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[0] = (uintptr_t)((struct factory *)from)->family;
    return 0;
}

static k42_result factory_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct factory *factory = (struct factory *)to;
    (void)part;
    factory->family = (struct k42_family *)state->word[0];
    factory->makes = factory->family->upcoming;
    return 0;
}

static const struct k42_format factory_format = {"k42.family", 1, 1};
static const struct k42_transfer factory_transfers[] = {
    {.format = &factory_format, .export_state = factory_export, .import_state = factory_import},
    {.format = NULL},
};

static struct k42_class factory_class = {
    .name = "k42.factory",
    .interface = &k42_factory_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct factory),
    .rep_offset = offsetof(struct factory, rep),
    .ops = &factory_ops,
    .init = factory_init,
    .transfers = factory_transfers,
};

k42_result k42_factory_open(void) {
    char why[128];
    k42_result result = k42_class_add(&factory_class, NULL, true, why, sizeof why);
    if (result < 0)
        k42_log("init: %s", why);
    return result;
}

k42_result k42_make(struct k42_class *class_, const void *args, k42_ref *ref) {
    if (!k42_class_registered(class_))
        return -ENOENT;
    k42_factory_ref factory = (k42_factory_ref)class_->record->family->factory;
    return k42_call(factory, create, class_->interface, args, ref);
}

k42_result k42_factory_make(struct k42_family *family) {
    if (!family->factory)
        return k42_create(&factory_class, family, &family->factory);
    if (!family->vacant)
        return 0;
    family->vacant = 0;
    return k42_factory_turn(family, k42_load_acquire(&family->current), NULL, NULL);
}

k42_result k42_factory_turn(struct k42_family *family, struct k42_class *class_,
                            const struct k42_upgrade *terms, struct k42_swap_report *report) {
    struct k42_swap request = {
        .ref = family->factory,
        .to = &factory_class,
        .deadline_ns = terms ? terms->deadline_ns : 0,
        .attempts = terms && terms->attempts ? terms->attempts : ATTEMPTS_DEFAULT,
    };
    struct k42_class *before = family->upcoming;
    family->upcoming = class_;
    k42_result result = k42_swap_run(&request);
    if (report)
        *report = request.report;
    if (result < 0)
        family->upcoming = before;
    else
        k42_store_release(&family->current, class_);
    return result;
}
