/*
 * CPUs: attaching and detaching threads, and knowing who is where.
 *
 * A CPU number and its table outlive the thread: a detached CPU is parked with whatever
 * translations it holds (redirecting empties them like any other's) and taken over by the next
 * thread to attach, so that per-CPU representatives need no ceremony at either end. A parked CPU is
 * never active, so grace periods pass it at a glance.
 *
 * Owns: the array of CPUs, which only grows. Locking: cpus_lock for attach and detach; readers go
 * by k42_cpu_limit(). Fails: -ENOMEM, -EBUSY (base register taken).
 */
#include "events.h"
#include "runtime.h"

struct k42_cpu **k42_cpus;
struct k42_cpu k42_shared_cpu = {.name = "(unattached)"};

static struct k42_lock cpus_lock;
static uint32_t cpus_limit;
static bool cpus_running;

_Static_assert(sizeof(struct k42_cpu) <= K42_SLOTS_PER_PAGE * sizeof(void *),
               "a CPU's data fits the page before its first slot");
_Static_assert(offsetof(struct k42_cpu_head, generation) == 8, "inline entry knows these");
_Static_assert(offsetof(struct k42_cpu_head, active) == 16, "inline entry knows these");
_Static_assert(offsetof(struct k42_cpu_head, parity) == 32, "inline entry knows these");

int k42_cpus_open(void) {
    k42_cpus = k42_platform_reserve(sizeof(*k42_cpus) * K42_CPUS_MAX);
    k42_shared_cpu.ids = k42_platform_reserve(sizeof(struct k42_id_queue) * K42_INTERFACES_MAX);
    if (!k42_cpus || !k42_shared_cpu.ids) {
        k42_cpus_close();
        return -ENOMEM;
    }
    cpus_limit = 0;
    cpus_running = true;
    return 0;
}

static void cpu_free(struct k42_cpu *cpu) {
    k42_platform_unreserve(cpu->ids, sizeof(struct k42_id_queue) * K42_INTERFACES_MAX);
    k42_platform_table_unmap(cpu);
}

void k42_cpus_close(void) {
    cpus_running = false;
    for (uint32_t i = 0; i < cpus_limit; i++)
        cpu_free(k42_cpus[i]);
    cpus_limit = 0;
    if (k42_cpus)
        k42_platform_unreserve(k42_cpus, sizeof(*k42_cpus) * K42_CPUS_MAX);
    if (k42_shared_cpu.ids)
        k42_platform_unreserve(k42_shared_cpu.ids,
                               sizeof(struct k42_id_queue) * K42_INTERFACES_MAX);
    k42_cpus = NULL;
    k42_shared_cpu = (struct k42_cpu){.name = "(unattached)"};
}

uint32_t k42_cpu_limit(void) {
    return k42_load_acquire(&cpus_limit);
}

struct k42_cpu_head *k42_cpu_head_of(uint32_t cpu) {
    return &k42_cpus[cpu]->head;
}

struct k42_cpu *k42_cpu_or_shared(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    return cpu ? cpu : &k42_shared_cpu;
}

/* A parked CPU, or a new one. Called with cpus_lock held. */
static struct k42_cpu *cpu_take(void) {
    for (uint32_t i = 0; i < cpus_limit; i++)
        if (!k42_load_acquire(&k42_cpus[i]->head.owner))
            return k42_cpus[i];
    if (cpus_limit == K42_CPUS_MAX)
        return NULL;
    struct k42_cpu *cpu = k42_platform_table_map();
    if (!cpu)
        return NULL;
    cpu->ids = k42_platform_reserve(sizeof(struct k42_id_queue) * K42_INTERFACES_MAX);
    if (!cpu->ids) {
        k42_platform_table_unmap(cpu);
        return NULL;
    }
    cpu->head.stale_slot = &k42_entries[0];
    cpu->head.self = &cpu->head;
    cpu->head.number = cpus_limit;
    k42_cpus[cpus_limit] = cpu;
    k42_store_release(&cpus_limit, cpus_limit + 1);
    return cpu;
}

/*
 * Name and kind are there before the owner is: whoever reads the owner finds them. A worker that is
 * just starting must not be taken for a thread of the program's.
 */
static struct k42_cpu *cpu_own(const char *name, bool service) {
    k42_lock(&cpus_lock);
    struct k42_cpu *cpu = cpu_take();
    if (cpu) {
        cpu->service = service;
        if (name)
            k42_copy_text(cpu->name, sizeof cpu->name, name);
        else
            k42_platform_thread_name(cpu->name);
        k42_store_release(&cpu->head.owner, k42_platform_thread_id());
    }
    k42_unlock(&cpus_lock);
    return cpu;
}

static k42_result attach(const char *name, bool service) {
    if (!cpus_running) {
        k42_log("attach: call k42_init() first");
        return -EINVAL;
    }
    if (k42_this_cpu())
        return -EALREADY;
    if (!k42_platform_base_free()) {
        k42_log("attach: %%gs of thread %u is used by something else; link libk42-tls instead",
                k42_platform_thread_id());
        return -EBUSY;
    }
    struct k42_cpu *cpu = cpu_own(name, service);
    if (!cpu)
        return -ENOMEM;
    int error = k42_platform_set_head(&cpu->head);
    if (error)
        k42_store_release(&cpu->head.owner, 0);
    else
        k42_event_attach(cpu->head.number);
    return error;
}

k42_result k42_attach(const char *name) {
    return attach(name, false);
}

k42_result k42_attach_service(const char *name) {
    return attach(name, true);
}

k42_result k42_detach(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    if (!cpu)
        return -EINVAL;
    if (cpu->head.active[0] | cpu->head.active[1])
        return -EBUSY;
    k42_event_detach(cpu->head.number);
    (void)k42_platform_set_head(NULL);
    k42_store_release(&cpu->head.owner, 0);
    return 0;
}

int k42_attached(void) {
    return k42_this_cpu() != NULL;
}

int k42_active(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    return cpu && (cpu->head.active[0] | cpu->head.active[1]);
}

int k42_cpu(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    return cpu ? (int)cpu->head.number : -1;
}

uint32_t k42_cpus_attached(void) {
    uint32_t attached = 0;
    for (uint32_t i = 0; i < k42_cpu_limit(); i++)
        attached += k42_load_acquire(&k42_cpus[i]->head.owner) && !k42_cpus[i]->service;
    return attached;
}

uint64_t k42_cpus_sum(size_t offset) {
    uint64_t sum = k42_load_relaxed((uint64_t *)((char *)&k42_shared_cpu + offset));
    for (uint32_t i = 0; i < k42_cpu_limit(); i++)
        sum += k42_load_relaxed((uint64_t *)((char *)k42_cpus[i] + offset));
    return sum;
}

/*
 * The child of a fork has one thread. The others' CPUs are parked, whatever they were in the middle
 * of: their calls do not exist here. Deferred work stays the parent's; the copies are dropped,
 * since running a callback twice is worse than a child's leak.
 */
void k42_cpus_after_fork(void) {
    struct k42_cpu *own = k42_this_cpu();
    cpus_lock = (struct k42_lock){0};
    for (uint32_t i = 0; i < cpus_limit; i++) {
        struct k42_cpu *cpu = k42_cpus[i];
        cpu->defers = NULL;
        cpu->dead = 0;
        cpu->deferred = cpu->buried = 0;
        cpu->ids_lock = (struct k42_lock){0};
        if (cpu == own) {
            cpu->head.owner = k42_platform_thread_id();
            continue;
        }
        cpu->head.owner = 0;
        cpu->head.active[0] = cpu->head.active[1] = 0;
        cpu->head.in_atomic = 0;
        cpu->chain = NULL;
        cpu->tracked_depth = 0;
    }
    k42_shared_cpu.defers = NULL;
    k42_shared_cpu.dead = 0;
    k42_shared_cpu.deferred = k42_shared_cpu.buried = 0;
    k42_shared_cpu.ids_lock = (struct k42_lock){0};
}

k42_result k42_trim(uint32_t number) {
    if (number >= k42_cpu_limit())
        return -EINVAL;
    size_t head = K42_SLOTS_PER_PAGE * sizeof(void *);
    k42_platform_table_trim(k42_cpus[number], head, k42_pages_used() * head - head);
    return 0;
}

/* ---- reports ---- */

int k42_cpu_inside(k42_id object) {
    for (uint32_t i = 0; i < k42_cpu_limit(); i++) {
        uint32_t depth = k42_load_acquire(&k42_cpus[i]->tracked_depth);
        for (uint32_t d = 0; d < depth && d < K42_TRACKED_DEPTH; d++)
            if (k42_load_relaxed(&k42_cpus[i]->tracked[d]) >> 32 == object)
                return (int)i;
    }
    return -1;
}

/* Reads what another thread is writing: each word whole, together a likely story. */
void k42_cpu_suspect(uint32_t number, k42_id object, struct k42_suspect *suspect) {
    struct k42_cpu *cpu = k42_cpus[number];
    *suspect = (struct k42_suspect){.thread = k42_load_acquire(&cpu->head.owner)};
    k42_copy_text(suspect->name, sizeof suspect->name, cpu->name);
    uint32_t depth = k42_load_acquire(&cpu->tracked_depth);
    for (uint32_t d = depth < K42_TRACKED_DEPTH ? depth : K42_TRACKED_DEPTH; d-- > 0;) {
        uint64_t call = k42_load_relaxed(&cpu->tracked[d]);
        if (object && call >> 32 != object)
            continue;
        suspect->object = (k42_id)(call >> 32);
        k42_method_name(suspect->object, (unsigned)(uint32_t)call, suspect->method,
                        sizeof suspect->method);
        return;
    }
    k42_copy_text(suspect->method, sizeof suspect->method, cpu->last_call);
}

/* ---- checks of debug builds ---- */

void k42_check_enter(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    if (!cpu)
        k42_panic("k42_enter: thread %u is not attached; call k42_attach() in each thread first",
                  k42_platform_thread_id());
    if (cpu->head.active[0] | cpu->head.active[1])
        k42_panic("k42_enter: thread %s is active already; entering does not nest", cpu->name);
}

void k42_check_exit(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    if (!cpu || !(cpu->head.active[0] | cpu->head.active[1]))
        k42_panic("k42_exit: thread %u is not active", k42_platform_thread_id());
    if (cpu->chain && !cpu->chain_adopted)
        k42_panic("k42_exit: thread %s is inside a call of an object being swapped", cpu->name);
}

void k42_check_call(const char *method) {
    struct k42_cpu *cpu = k42_this_cpu();
    if (!cpu || !(cpu->head.active[0] | cpu->head.active[1]))
        k42_panic("call of %s: thread %u is not active; call between k42_enter() and k42_exit()",
                  method, k42_platform_thread_id());
    if (cpu->head.locks)
        k42_panic("call of %s: thread %s holds a lock; locks are not held across calls", method,
                  cpu->name);
    k42_copy_text(cpu->last_call, sizeof cpu->last_call, method);
}
