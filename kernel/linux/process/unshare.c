/*
 * unshare(): a task gets something of its own that it had together with others.
 *
 * All copies are made before the first is used, so that a call that fails has changed nothing. Who
 * looks at the task from elsewhere (/proc) sees the old or the new; the old lasts until it is done.
 */
#include "lives.h"

#include "../../fs/path.h"
#include "../abi.h"
#include "../host_names.h"
#include "../ipc/semaphore_undo.h"
#include "../program.h"

#include <k42/k42.h>

/* What a thread has by itself anyway, or shares with threads alone. */
#define ALONE    (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)
#define POSSIBLE (ALONE | CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEWUTS)

struct copies {
    struct path_context *paths;
    struct host_names *names;
    descriptors_ref descriptors;
    bool undoes; /* what it did to semaphores, now */
};

static k42_result make_copies(struct copies *copies, const struct task *task, unsigned long flags) {
    if ((flags & CLONE_FS) && __atomic_load_n(&task->paths->references, __ATOMIC_RELAXED) > 1 &&
        !(copies->paths = paths_copy(task->paths)))
        return -ENOMEM;
    if ((flags & CLONE_NEWUTS) && !(copies->names = host_names_copy(task->host_names)))
        return -ENOMEM;
    if (!(flags & CLONE_FILES))
        return 0;
    struct k42_pair copy = k42_call(task->descriptors, copy);
    if (copy.result >= 0)
        copies->descriptors = (descriptors_ref)copy.word;
    return copy.result;
}

static void use_copies(const struct copies *copies, struct task *task) {
    if (copies->paths) {
        struct path_context *before = task->paths;
        __atomic_store_n(&task->paths, copies->paths, __ATOMIC_RELEASE);
        paths_release(before);
    }
    if (copies->names) {
        host_names_release(__atomic_exchange_n(&task->host_names, copies->names, __ATOMIC_ACQ_REL));
    }
    if (copies->undoes) {
        undo_list_release(task->undo);
        task->undo = NULL;
    }
    if (k42_id_of(copies->descriptors)) {
        descriptors_ref before = task->descriptors;
        task->descriptors = copies->descriptors;
        (void)!k42_call(before, release);
    }
}

static bool is_alone(const struct task *task) {
    struct process_info info;
    return k42_call(task->process, info, &info) >= 0 && info.threads == 1 &&
           __atomic_load_n(&task->memory->references, __ATOMIC_RELAXED) == 1;
}

LINUX_CALL(272, unshare, unsigned long flags) {
    struct task *task = task_self();
    struct copies copies = {.descriptors = (descriptors_ref)K42_NULL_REF,
                            .undoes = flags & CLONE_SYSVSEM};
    if ((flags & ~(unsigned long)POSSIBLE) || ((flags & ALONE) && !is_alone(task)))
        return -EINVAL;
    if ((flags & CLONE_NEWUTS) && !task_capable(task, CAP_SYS_ADMIN))
        return -EPERM;
    k42_result result = make_copies(&copies, task, flags);
    if (result >= 0) {
        use_copies(&copies, task);
        return 0;
    }
    paths_release(copies.paths);
    host_names_release(copies.names);
    return result;
}
