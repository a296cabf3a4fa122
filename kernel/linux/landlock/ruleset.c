/*
 * Rulesets: files in which rules are collected, until a task puts them on itself.
 *
 * One call at a time adds to a ruleset or takes what it has (offset_take()): who takes it gets the
 * table as it is, and what is added later comes into a copy. When the file is closed meanwhile, the
 * table ends with that call. Reading and writing fail (-EINVAL).
 *
 * A task's domain is replaced by its own thread; the new one leads to the old one, so who looks at
 * it from elsewhere meanwhile looks at something that is there. Format: file.ruleset, by pointer.
 * Fails: -ENOMEM.
 */
#include "../events/unnamed.h"
#include "../files/files.h"
#include "../uring/staff.h"
#include "landlock.h"
#include "rules.h"

enum { ABI_VERSION = 2, ATTRIBUTES_MOST = 4096 };

struct ruleset {
    struct opened opened;
    uint32_t handled;
    struct rules *rules; /* held; NULL: none yet */
    bool closed;
};

#define RULESET(self) k42_container(OPENED(self), struct ruleset, opened)

/* ---- the file ---- */

/* FILE_SET: what is to be added; without a node, whether it may be. FILE_LOOK: what there is, with
 * a hold. */
struct adding {
    uint64_t rights;
    node_ref node;
};

struct collected {
    struct rules *rules;
    uint32_t handled;
};

static void drop_rules(struct ruleset *ruleset) {
    if (offset_take(&ruleset->opened) < 0)
        return;
    rules_release(ruleset->rules);
    ruleset->rules = NULL;
    offset_leave(&ruleset->opened);
}

/* Who closes it marks it and then tries to take it; who has it leaves and then looks for the mark:
 * one of the two drops the rules. */
static void leave(struct ruleset *ruleset) {
    offset_leave(&ruleset->opened);
    if (__atomic_load_n(&ruleset->closed, __ATOMIC_SEQ_CST))
        drop_rules(ruleset);
}

static k42_result add(struct ruleset *ruleset, const struct adding *adding) {
    if (adding->rights & ~(uint64_t)ruleset->handled)
        return -EINVAL;
    k42_result result = adding->node ? offset_take(&ruleset->opened) : 0;
    if (result < 0 || !adding->node)
        return result;
    result = rules_add(&ruleset->rules, adding->node, (uint32_t)adding->rights);
    leave(ruleset);
    return result;
}

static k42_result collect(struct ruleset *ruleset, struct collected *collected) {
    k42_result result = offset_take(&ruleset->opened);
    if (result < 0)
        return result;
    *collected = (struct collected){rules_hold(ruleset->rules), ruleset->handled};
    leave(ruleset);
    return 0;
}

static k42_result ruleset_control(struct file *self, unsigned request, uintptr_t argument) {
    switch (request) {
    case FILE_KIND:
        return FILE_OF_RULES;
    case FILE_SET:
        return add(RULESET(self), (const struct adding *)argument);
    case FILE_LOOK:
        return collect(RULESET(self), (struct collected *)argument);
    default:
        return -ENOTTY;
    }
}

static k42_result ruleset_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static const struct file_ops ruleset_ops = {
    UNNAMED_METHODS,    .read = ruleset_bytes, .write = ruleset_bytes, .control = ruleset_control,
    .poll = file_ready, .seek = unnamed_seek,
};

static const struct k42_format ruleset_format = {"file.ruleset", 1, 1};
static const struct k42_transfer ruleset_transfers[] = BODY_TRANSFERS(ruleset_format);

K42_CLASS(file_ruleset) = {
    .name = "file.ruleset",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &ruleset_ops,
    .fini = opened_fini,
    .transfers = ruleset_transfers,
};

static void closed(struct opened *opened) {
    struct ruleset *ruleset = k42_container(opened, struct ruleset, opened);
    __atomic_store_n(&ruleset->closed, true, __ATOMIC_SEQ_CST);
    drop_rules(ruleset);
}

static k42_result set_up(struct opened *opened, void *context) {
    struct ruleset *ruleset = k42_container(opened, struct ruleset, opened);
    ruleset->handled = (uint32_t) * (const uint64_t *)context;
    opened->ended = closed;
    return 0;
}

/* ---- calls ---- */

/* As unnamed_get(), but for what is said of other files. */
static k42_result find(int fd, file_ref *file) {
    k42_result result = unnamed_get(fd, FILE_OF_RULES, file);
    return result == -EINVAL ? -EBADFD : result;
}

LINUX_CALL(444, landlock_create_ruleset, uintptr_t from, size_t size, unsigned flags) {
    uint64_t handled;
    if (flags)
        return flags == LANDLOCK_CREATE_RULESET_VERSION && !from && !size ? ABI_VERSION : -EINVAL;
    if (!from)
        return -EFAULT;
    if (size < sizeof handled)
        return -EINVAL;
    if (size > ATTRIBUTES_MOST)
        return -E2BIG;
    k42_result result = files_check_rest(from + sizeof handled, size - sizeof handled);
    if (result >= 0)
        result = files_copy_in(&handled, from, sizeof handled);
    if (result < 0)
        return result;
    if (!handled || (handled & ~(uint64_t)LANDLOCK_ALL))
        return handled ? -EINVAL : -ENOMSG;
    return unnamed_open(&file_ruleset, sizeof(struct ruleset), OPEN_CLOSE_ON_EXEC, set_up,
                        &handled);
}

/* Where a rule's file is: something that has a place among the files. */
static k42_result find_place(int fd, node_ref *node) {
    struct place place;
    k42_result result = files_place(fd, &place);
    if (result == -ENOTDIR || (result >= 0 && !place.mount))
        return -EBADFD;
    if (result >= 0)
        *node = place.node;
    return result;
}

static k42_result add_now(int fd, const struct landlock_path_beneath_attr *attributes) {
    struct adding adding = {.rights = attributes->allowed_access};
    struct node_attributes what;
    file_ref file;
    k42_result result = find(fd, &file);
    if (result < 0)
        return result;
    if (!adding.rights)
        return -ENOMSG;
    result = k42_call(file, control, FILE_SET, (uintptr_t)&adding);
    if (result >= 0)
        result = find_place(attributes->parent_fd, &adding.node);
    if (result >= 0)
        result = k42_call(adding.node, attributes, &what);
    if (result < 0)
        return result;
    bool is_directory = (what.mode & MODE_TYPE) == MODE_DIRECTORY;
    if (!is_directory && (adding.rights & ~(uint64_t)LANDLOCK_OF_FILES))
        return -EINVAL;
    return k42_call(file, control, FILE_SET, (uintptr_t)&adding);
}

LINUX_CALL(445, landlock_add_rule, int fd, unsigned kind, uintptr_t from, unsigned flags) {
    struct landlock_path_beneath_attr attributes;
    file_ref file;
    if (flags)
        return -EINVAL;
    k42_result result = find(fd, &file);
    if (result >= 0 && kind != LANDLOCK_RULE_PATH_BENEATH)
        result = -EINVAL;
    if (result >= 0)
        result = files_copy_in(&attributes, from, sizeof attributes);
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, 0, add_now(fd, &attributes));
    return linux_result(result, -EBADF);
}

/* Seventeen layers are too many. */
static k42_result restrict_to(struct task *task, const struct collected *collected) {
    if (landlock_layers(task->landlock) >= LANDLOCK_LAYERS_MOST)
        return -E2BIG;
    struct landlock_domain *domain =
        landlock_add_layer(task->landlock, collected->rules, collected->handled);
    if (!domain)
        return -ENOMEM;
    __atomic_store_n(&task->landlock, domain, __ATOMIC_RELEASE);
    staff_restrict(task);
    return 0;
}

static k42_result collect_now(int fd, struct collected *collected) {
    file_ref file;
    k42_result result = find(fd, &file);
    return result < 0 ? result : k42_call(file, control, FILE_LOOK, (uintptr_t)collected);
}

LINUX_CALL(446, landlock_restrict_self, int fd, unsigned flags) {
    struct task *task = task_self();
    struct collected collected;
    k42_result result;
    if (!task->no_new_privileges && !task_capable(task, CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    if (flags)
        return -EINVAL;
    WAIT_CALL(result, WAIT_FOREVER, 0, collect_now(fd, &collected));
    if (result < 0)
        return linux_result(result, -EBADF);
    result = restrict_to(task, &collected);
    if (result < 0)
        rules_release(collected.rules);
    return result;
}
