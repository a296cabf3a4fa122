/*
 * CPUs: attaching and detaching threads, and knowing who is where.
 *
 * Where a platform has a fixed number of CPUs, they are all made at the start, every thread is
 * attached to the one it runs on, and attaching only gives it a name. Elsewhere a CPU is one
 * attached thread.
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
struct k42_cpu k42_shared_cpu;

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
    k42_shared_cpu = (struct k42_cpu){0};
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

/* Called with cpus_lock held, or by the only thread. */
static struct k42_cpu *cpu_make(void) {
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
    if (!cpu->head.calls)
        cpu->head.calls = &cpu->own;
    cpu->head.parity = K42_INACTIVE;
    cpu->head.number = cpus_limit;
    k42_store_release(&cpu->head.self, &cpu->head);
    k42_cpus[cpus_limit] = cpu;
    k42_store_release(&cpus_limit, cpus_limit + 1);
    return cpu;
}

/* A parked CPU, or a new one. Called with cpus_lock held. */
static struct k42_cpu *cpu_take(void) {
    for (uint32_t i = 0; i < cpus_limit; i++)
        if (!k42_load_acquire(&k42_cpus[i]->own.owner))
            return k42_cpus[i];
    return cpu_make();
}

int k42_cpus_start(void) {
    for (uint32_t i = k42_platform_cpu_count(); i > 0; i--)
        if (!cpu_make())
            return -ENOMEM;
    return 0;
}

static void calls_name(struct k42_calls *calls, const char *name, bool service) {
    calls->service = service;
    if (name)
        k42_copy_text(calls->name, sizeof calls->name, name);
    else
        k42_platform_thread_name(calls->name);
}

/*
 * Name and kind are there before the owner is: whoever reads the owner finds them. A worker that is
 * just starting must not be taken for a thread of the program's.
 */
static struct k42_cpu *cpu_own(const char *name, bool service) {
    k42_lock(&cpus_lock);
    struct k42_cpu *cpu = cpu_take();
    if (cpu) {
        calls_name(&cpu->own, name, service);
        k42_store_release(&cpu->own.owner, k42_platform_thread_id());
    }
    k42_unlock(&cpus_lock);
    return cpu;
}

static k42_result attach(const char *name, bool service) {
    if (!cpus_running) {
        k42_log("attach: call k42_init() first");
        return -EINVAL;
    }
    if (k42_platform_cpu_count()) {
        calls_name(k42_platform_calls(), name, service);
        return 0;
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
        k42_store_release(&cpu->own.owner, 0);
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
    if (k42_active())
        return -EBUSY;
    if (k42_platform_cpu_count())
        return 0;
    k42_event_detach(cpu->head.number);
    (void)k42_platform_set_head(NULL);
    k42_store_release(&cpu->own.owner, 0);
    return 0;
}

int k42_attached(void) {
    return k42_this_cpu() != NULL;
}

/* By one load where threads are moved: between two, the head could become another thread's. */
static uint64_t own_parity(void) {
#if K42_TLS
    return k42_head()->parity;
#else
    uint64_t parity;
    __asm__ volatile("mov %%gs:32, %0" : "=r"(parity)::"memory");
    return parity;
#endif
}

int k42_active(void) {
    return k42_this_cpu() && own_parity() != K42_INACTIVE;
}

int k42_cpu(void) {
    struct k42_cpu *cpu = k42_this_cpu();
    return cpu ? (int)cpu->head.number : -1;
}

uint32_t k42_cpus_attached(void) {
    uint32_t attached = 0;
    for (uint32_t i = 0; i < k42_cpu_limit(); i++)
        attached += k42_load_acquire(&k42_cpus[i]->own.owner) && !k42_cpus[i]->own.service;
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
            cpu->own.owner = k42_platform_thread_id();
            continue;
        }
        cpu->own.owner = 0;
        cpu->head.parity = K42_INACTIVE;
        cpu->head.active[0] = cpu->head.active[1] = 0;
        cpu->head.in_atomic = 0;
        cpu->own.chain = NULL;
        cpu->own.tracked_depth = 0;
    }
    k42_shared_cpu.defers = NULL;
    k42_shared_cpu.dead = 0;
    k42_shared_cpu.deferred = k42_shared_cpu.buried = 0;
    k42_shared_cpu.ids_lock = (struct k42_lock){0};
}

static void table_trim(struct k42_cpu *cpu) {
    size_t head = K42_SLOTS_PER_PAGE * sizeof(void *);
    k42_platform_table_trim(cpu, head, k42_pages_used() * head - head);
}

/*
 * Not under the feet of a thread that is using the table: while a page is being taken away, whoever
 * looks afresh sees the template, but that thread's processor may go on with the old page until its
 * translation is flushed. A slot would seem empty to a swap, and lead to the old object all the
 * same.
 */
k42_result k42_trim(uint32_t number) {
    if (number >= k42_cpu_limit())
        return -EINVAL;
    struct k42_cpu *cpu = k42_cpus[number];
    /* A fixed CPU's table is trimmed by that CPU, while none of its threads runs. */
    if (cpu == k42_this_cpu() || k42_platform_cpu_count()) {
        table_trim(cpu);
        return 0;
    }
    k42_lock(&cpus_lock);
    bool parked = !k42_load_acquire(&cpu->own.owner);
    if (parked)
        table_trim(cpu);
    k42_unlock(&cpus_lock);
    return parked ? 0 : -EBUSY;
}

/* ---- reports: read what other threads write, each word whole, together a likely story ---- */

static bool is_inside(const struct k42_calls *calls, k42_id object, uint64_t *call) {
    uint32_t depth = k42_load_acquire(&calls->tracked_depth);
    for (uint32_t d = depth < K42_TRACKED_DEPTH ? depth : K42_TRACKED_DEPTH; d-- > 0;) {
        *call = k42_load_relaxed(&calls->tracked[d]);
        if (!object || *call >> 32 == object)
            return true;
    }
    return false;
}

struct search {
    k42_id object;
    int cpu;
};

static bool find_inside(uint32_t cpu, const struct k42_calls *calls, bool active, void *context) {
    struct search *search = context;
    uint64_t call;
    (void)active;
    if (!is_inside(calls, search->object, &call))
        return false;
    search->cpu = (int)cpu;
    return true;
}

int k42_cpu_inside(k42_id object) {
    struct search search = {object, -1};
    k42_platform_each_calls(find_inside, &search);
    return search.cpu;
}

struct suspicion {
    uint32_t cpu;
    k42_id object;
    struct k42_suspect *suspect;
    uint64_t call;
};

/* The one inside the object when that is asked for, and otherwise one that is active. */
static bool find_suspect(uint32_t cpu, const struct k42_calls *calls, bool active, void *context) {
    struct suspicion *suspicion = context;
    struct k42_suspect *suspect = suspicion->suspect;
    if (cpu != suspicion->cpu)
        return false;
    bool inside = is_inside(calls, suspicion->object, &suspicion->call);
    suspect->thread = k42_load_acquire(&calls->owner);
    k42_copy_text(suspect->name, sizeof suspect->name, calls->name);
    if (!inside)
        k42_copy_text(suspect->method, sizeof suspect->method, calls->last_call);
    suspect->object = inside ? (k42_id)(suspicion->call >> 32) : 0;
    return suspicion->object ? inside : active;
}

void k42_cpu_suspect(uint32_t number, k42_id object, struct k42_suspect *suspect) {
    struct suspicion suspicion = {number, object, suspect, 0};
    *suspect = (struct k42_suspect){0};
    k42_platform_each_calls(find_suspect, &suspicion);
    if (suspect->object)
        k42_method_name(suspect->object, (unsigned)(uint32_t)suspicion.call, suspect->method,
                        sizeof suspect->method);
}

/* ---- checks of debug builds ---- */

void k42_check_enter(void) {
    struct k42_calls *calls = k42_platform_calls();
    if (!calls)
        k42_panic("k42_enter: thread %u is not attached; call k42_attach() in each thread first",
                  k42_platform_thread_id());
    if (k42_active())
        k42_panic("k42_enter: thread %s is active already; entering does not nest", calls->name);
}

void k42_check_exit(void) {
    if (!k42_active())
        k42_panic("k42_exit: thread %u is not active", k42_platform_thread_id());
    struct k42_calls *calls = k42_platform_calls();
    if (calls->chain && !calls->chain_adopted)
        k42_panic("k42_exit: thread %s is inside a call of an object being swapped", calls->name);
}

void k42_check_call(const char *method) {
    if (!k42_active())
        k42_panic("call of %s: thread %u is not active; call between k42_enter() and k42_exit()",
                  method, k42_platform_thread_id());
    struct k42_calls *calls = k42_platform_calls();
    if (calls->locks)
        k42_panic("call of %s: thread %s holds a lock; locks are not held across calls", method,
                  calls->name);
    k42_copy_text(calls->last_call, sizeof calls->last_call, method);
}
