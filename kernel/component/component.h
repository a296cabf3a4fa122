/*
 * Components of the running kernel, as an administrator sees them: loaded from the bytes of a file,
 * unloaded and upgraded by name.
 *
 * One of these runs at a time; others wait. Callers are inactive threads (-EDEADLK otherwise).
 * Whatever fails changes nothing and leaves a sentence in `why`.
 */
#ifndef KERNEL_COMPONENT_H
#define KERNEL_COMPONENT_H

#include <k42/class.h>

#define COMPONENT_WHY 256 /* room for a sentence */

/*
 * Loads a component; `name` is what messages call the file. The component's own name is copied to
 * `loaded`, 32 bytes, which may be NULL. Errors: -ENOKEY, -EKEYREJECTED: not signed as it should
 * be; -ENOEXEC: no component, or classes that do not fit; -ENOENT: it needs what this kernel does
 * not offer, or another version of it; -EEXIST; -ENOMEM.
 */
K42_MUST_CHECK
k42_result component_load(const char *name, const void *image, size_t size, char *loaded, char *why,
                          size_t why_size);

/* Unloads one. Errors: -ENOENT: none of that name; -EBUSY: `why` says what keeps it. */
K42_MUST_CHECK
k42_result component_unload(const char *name, const char *to, char *why, size_t why_size);

/*
 * For who changes objects and components together: between the two nobody else loads, unloads or
 * upgrades. Inactive callers; it may take as long as the swaps of others take.
 */
void component_turn_begin(void);
void component_turn_end(void);

struct k42_component;
/* With the turn. Loads one that nobody else unloads, until it is let go. Errors: as above. */
K42_MUST_CHECK
k42_result component_hold(const char *name, const void *image, size_t size,
                          struct k42_component **component, char *why, size_t why_size);
/* With the turn. Unloads it; -EBUSY: something keeps it, and it is held still. */
K42_MUST_CHECK
k42_result component_let_go(struct k42_component *component, char *why, size_t why_size);
/* With the turn. It stays, for anybody to unload. */
void component_abandon(struct k42_component *component);

/* What came of an upgrade. */
struct component_upgrade {
    uint64_t total, converted, failed, vanished; /* instances */
};

/*
 * Makes all classes of a component the current versions of their families, and converts instances.
 * Errors: -ENOENT; -EIO: some would not convert; as k42_upgrade()'s.
 */
K42_MUST_CHECK
k42_result component_upgrade(const char *name, enum k42_upgrade_mode mode,
                             struct component_upgrade *done, char *why, size_t why_size);

/* The same for one class, to whatever version, such as the one the kernel was built with. */
K42_MUST_CHECK
k42_result component_turn_class(const char *class_name, uint32_t version,
                                enum k42_upgrade_mode mode, struct component_upgrade *done,
                                char *why, size_t why_size);

#endif
