/*
 * pivot_root: another mount takes the place of the caller's root, which goes to below it.
 *
 * Whoever had the old root as root or working directory has the new one then. All processes are
 * looked at, one after the other: one that begins meanwhile has what its parent had when it did.
 *
 * No state of its own; mount.c changes the table in one step.
 */
#include "files.h"

#include "../landlock/landlock.h"
#include "../process/ids.h"
#include "../process/lives.h"

#include <k42/k42.h>

/* False: its last user leaves it. */
static bool hold(struct path_context *paths) {
    uint32_t references = __atomic_load_n(&paths->references, __ATOMIC_RELAXED);
    while (references)
        if (__atomic_compare_exchange_n(&paths->references, &references, references + 1, true,
                                        __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
            return true;
    return false;
}

static void replace_in(const struct task *task, const struct place *from, const struct place *to) {
    struct path_context *paths = __atomic_load_n(&task->paths, __ATOMIC_ACQUIRE);
    if (!paths || !hold(paths))
        return;
    path_replace(paths, from, to);
    paths_release(paths);
}

static void replace_everywhere(const struct place *from, const struct place *to) {
    for (int number = ids_next(1); number; number = ids_next(number + 1)) {
        struct k42_pair found = k42_call(ids_process(number), thread, number, 0);
        if (found.result >= 0)
            replace_in((const struct task *)found.word, from, to);
    }
}

static bool is_root_of_mount(const struct place *place) {
    return place->mount && place->node == place->mount->root;
}

static k42_result pivot_now(const char *new_text, const char *old_text) {
    enum { FLAGS = PATH_FOLLOW | PATH_DIRECTORY };
    struct path new, old;
    struct place root = path_root(task_self()->paths);
    k42_result result = files_walk(&new, AT_WORKING, new_text, FLAGS);
    if (result >= 0)
        result = files_walk(&old, AT_WORKING, old_text, FLAGS);
    if (result >= 0)
        result = landlock_may_mount();
    if (result < 0)
        return result;
    if (new.found.mount == root.mount || old.found.mount == root.mount)
        return -EBUSY;
    if (!is_root_of_mount(&root) || !is_root_of_mount(&new.found))
        return -EINVAL;
    result = mount_pivot(root.mount, new.found.mount, &old.found);
    if (result >= 0)
        replace_everywhere(&root, &new.found);
    return result;
}

LINUX_CALL(155, pivot_root, uintptr_t new_root, uintptr_t put_old) {
    struct files_text new, old;
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    k42_result result = files_text_get(&new, new_root, FILES_PATH);
    if (result < 0)
        return result;
    result = files_text_get(&old, put_old, FILES_PATH);
    if (result >= 0) {
        FILES_CALL(result, pivot_now(new.at, old.at));
        files_text_end(&old);
    }
    files_text_end(&new);
    return result;
}
