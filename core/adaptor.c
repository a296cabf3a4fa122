/*
 * Adaptors: a caller compiled against one version of an interface, on an object of another.
 *
 * An adaptor is an object at the ref its callers know, on their interface's page of slots; behind
 * it is the real object, at a ref of its own. It comes to be when an instance is upgraded across
 * interface versions (it takes the old one's place, the new one behind it imports the state), or
 * when an old caller creates through the factory. Destroying it destroys what is behind it.
 *
 * Owns: the list of adaptors, and for each a hidden class. Locking: the registry's. Fails:
 * -ENOEXEC.
 */
#include "entry.h"

#include <k42/class.h>

struct adaptor_root {
    struct k42_root root;
    struct k42_object rep; /* operations of the older interface */
    k42_ref inner;
};

static struct k42_adaptor *adaptors;

static k42_result adaptor_find_rep(struct k42_root *root, uint32_t cpu, void **rep) {
    (void)cpu;
    *rep = &((struct adaptor_root *)root)->rep;
    return 0;
}

static void adaptor_end(struct k42_root *root) {
    k42_ref inner = ((struct adaptor_root *)root)->inner;
    k42_platform_free(root);
    if (inner == K42_NULL_REF)
        return;
    /*
     * Somebody may have destroyed what is behind it by its own ref: then it is gone already, but
     * its number was kept, or a stranger might have it by now.
     */
    (void)!k42_destroy(inner);
    uint64_t state = __atomic_fetch_and(&k42_entries[k42_ref_id(inner)].state, ~K42_ENTRY_KEPT,
                                        __ATOMIC_ACQ_REL);
    if (state & K42_ENTRY_ENDED)
        k42_id_free(k42_ref_id(inner));
}

static const struct k42_root_kind adaptor_kind = {"adaptor", adaptor_find_rep, adaptor_end};

k42_ref k42_adapted(const void *self) {
    return k42_container((void *)(uintptr_t)self, struct adaptor_root, rep)->inner;
}

struct k42_adaptor *k42_adaptor_find(uint32_t from, uint32_t to) {
    for (struct k42_adaptor *adaptor = k42_load_acquire(&adaptors); adaptor;
         adaptor = adaptor->next)
        if (k42_interface_number(adaptor->from) == from &&
            k42_interface_number(adaptor->to) == to &&
            !k42_load_relaxed(&adaptor->class_->record->leaving))
            return adaptor;
    return NULL;
}

k42_result k42_adaptor_add(struct k42_adaptor *adaptor, struct k42_component *component, char *why,
                           size_t why_size) {
    uint32_t to;
    struct k42_class *class_ = k42_platform_alloc(sizeof *class_ + 48);
    if (!class_)
        return -ENOMEM;
    char *name = (char *)(class_ + 1);
    k42_format_text(name, 48, "adaptor:%s:%u-%u", adaptor->from->name, adaptor->from->version,
                    adaptor->to->version);
    *class_ = (struct k42_class){.name = name,
                                 .interface = adaptor->from,
                                 .version = 1,
                                 .kind = &adaptor_kind,
                                 .ops = adaptor->ops,
                                 .root_size = sizeof(struct adaptor_root),
                                 .rep_offset = offsetof(struct adaptor_root, rep)};
    k42_lock(&k42_registry_lock);
    k42_result result = k42_interface_register(adaptor->to, &to, why, why_size);
    k42_unlock(&k42_registry_lock);
    if (!result)
        result = k42_class_add(class_, component, true, why, why_size);
    if (result < 0) {
        k42_platform_free(class_);
        return result;
    }
    adaptor->class_ = class_;
    k42_lock(&k42_registry_lock);
    adaptor->next = adaptors;
    k42_store_release(&adaptors, adaptor);
    k42_unlock(&k42_registry_lock);
    return 0;
}

void k42_adaptor_remove(struct k42_adaptor *adaptor) {
    k42_lock(&k42_registry_lock);
    struct k42_adaptor **link = &adaptors;
    while (*link && *link != adaptor)
        link = &(*link)->next;
    if (*link)
        *link = adaptor->next;
    k42_unlock(&k42_registry_lock);
    if (!adaptor->class_)
        return;
    k42_class_remove(adaptor->class_);
    k42_platform_free(adaptor->class_);
    adaptor->class_ = NULL;
}

k42_result k42_adaptor_make(struct k42_adaptor *adaptor, struct k42_class *class_, const void *args,
                            struct k42_root **root, struct k42_root **inner) {
    k42_result result = k42_root_make(adaptor->class_, NULL, root);
    if (result < 0)
        return result;
    struct adaptor_root *made = (struct adaptor_root *)*root;
    made->rep.ops = adaptor->ops;
    result = k42_root_make(class_, args, inner);
    if (result >= 0) {
        result = k42_publish(*inner, &made->inner);
        if (result < 0)
            k42_root_end(*inner);
        else
            __atomic_fetch_or(&k42_entries[k42_ref_id(made->inner)].state, K42_ENTRY_KEPT,
                              __ATOMIC_RELEASE);
    }
    if (result < 0)
        k42_root_end(*root);
    return result;
}

k42_result k42_root_replacement(const struct k42_class *from, struct k42_class *to,
                                struct k42_root **root, struct k42_root **into,
                                struct k42_component **held) {
    uint32_t spoken = k42_class_interface_number(from), speaks = k42_class_interface_number(to);
    k42_result result;
    if (spoken == speaks) {
        result = k42_root_make(to, NULL, root);
        *into = *root;
        return result;
    }
    k42_lock(&k42_registry_lock);
    struct k42_adaptor *adaptor = k42_adaptor_find(spoken, speaks);
    if (adaptor)
        *held = k42_class_hold_record(adaptor->class_->record);
    k42_unlock(&k42_registry_lock);
    result = adaptor ? k42_adaptor_make(adaptor, to, NULL, root, into) : -ENOTSUP;
    if (result < 0)
        *root = NULL;
    return result;
}

k42_result k42_ref_as(k42_ref ref, const struct k42_interface *interface_, k42_ref *found) {
    k42_id id = k42_ref_id(ref);
    uint32_t wanted = k42_interface_number(interface_);
    if (!k42_id_valid(id) || !k42_entry_usable(k42_load_acquire(&k42_entries[id].state)))
        return -K42_STALE;
    struct k42_root *root = k42_entry_bottom(&k42_entries[id]);
    if (k42_class_interface_number(root->class_) == wanted) {
        *found = ref;
        return 0;
    }
    if (root->class_->kind != &adaptor_kind)
        return -ENOTSUP;
    return k42_ref_as(((struct adaptor_root *)root)->inner, interface_, found);
}
