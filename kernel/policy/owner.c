/*
 * Runs as their owners know them: begun, widened, asked after, ended.
 *
 * Owns: a run's memory, until the thread's and the owner's references are gone. Locking: the run's
 * own, for what is told and what is handed to its thread (run.c).
 */
#include "run.h"

#include "../sched/thread.h"

#include <errno.h>

void policy_let_go(struct policy_run *run) {
    if (__atomic_sub_fetch(&run->references, 1, __ATOMIC_ACQ_REL))
        return;
    for (uint32_t i = 0; i < run->cpus; i++)
        k42_platform_free(run->cpu[i]);
    k42_platform_free(run->image);
    k42_platform_free(run->ids);
    k42_platform_free(run);
}

static struct policy_run *make(const struct policy_terms *terms, const k42_id *ids,
                               uint32_t count) {
    uint32_t cpus = k42_cpu_limit();
    struct policy_run *run = k42_platform_alloc(sizeof *run + cpus * sizeof *run->cpu);
    if (!run)
        return NULL;
    run->references = 1;
    run->cpus = cpus;
    run->terms = *terms;
    bool made = true;
    for (uint32_t i = 0; i < cpus; i++)
        made &= (run->cpu[i] = k42_platform_alloc(sizeof **run->cpu)) != NULL;
    run->ids = count ? k42_platform_alloc(count * sizeof *ids) : NULL;
    if (!made || (count && !run->ids)) {
        policy_let_go(run);
        return NULL;
    }
    if (count)
        __builtin_memcpy(run->ids, ids, count * sizeof *ids);
    run->id_count = count;
    return run;
}

k42_result policy_begin(const struct policy_terms *terms, void *image, size_t size,
                        const k42_id *ids, uint32_t count, k42_id owner, struct policy_run **made) {
    struct policy_run *run = make(terms, ids, count);
    struct thread *thread = run ? thread_create("policy", policy_thread, run) : NULL;
    if (!thread) {
        if (run)
            policy_let_go(run);
        k42_platform_free(image);
        return -ENOMEM;
    }
    run->image = image;
    run->image_size = size;
    run->owner = owner;
    run->references = 2;
    thread_launch(thread);
    *made = run;
    return 0;
}

k42_result policy_widen(struct policy_run *run, const k42_id *ids, uint32_t count) {
    if (run->terms.scope[0])
        return -EINVAL;
    k42_id *copy = k42_platform_alloc(count * sizeof *ids);
    if (!copy)
        return -ENOMEM;
    __builtin_memcpy(copy, ids, count * sizeof *ids);
    k42_lock(&run->lock);
    bool active = run->told.state == POLICY_ACTIVE;
    if (active) {
        k42_id *old = run->ids;
        run->ids = copy;
        run->id_count = count;
        copy = old;
        __atomic_store_n(&run->told.state, POLICY_BEGINS, __ATOMIC_RELEASE);
    }
    k42_unlock(&run->lock);
    k42_platform_free(copy);
    __atomic_fetch_add(&run->asked, 1, __ATOMIC_RELEASE);
    k42_platform_wake(&run->asked, 1);
    return active ? 0 : -EBUSY;
}

void policy_end(struct policy_run *run) {
    k42_store_release(&run->ends, true);
    __atomic_fetch_add(&run->asked, 1, __ATOMIC_RELEASE);
    k42_platform_wake(&run->asked, 1);
}

void policy_forget(struct policy_run *run) {
    policy_end(run);
    policy_let_go(run);
}

void policy_tell(const struct policy_run *run, struct policy_told *told) {
    struct policy_counts counts;
    struct k42_lock *lock = (struct k42_lock *)(uintptr_t)&run->lock;
    k42_lock(lock);
    *told = run->told;
    k42_unlock(lock);
    policy_counts_sum(run, &counts);
    told->objects = k42_load_relaxed(&run->object_count);
    told->calls = counts.calls - run->base.calls;
    told->failed = counts.failed - run->base.failed;
    told->waits = counts.waits - run->base.waits;
    told->total_ns = counts.total_ns - run->base.total_ns;
}
