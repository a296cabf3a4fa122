/*
 * Names of the host: uname, sethostname, setdomainname.
 *
 * A pair is guarded by its lock, and counted as a name space. What a task has it replaces itself;
 * who looks at it from elsewhere sees the one or the other, which lasts a grace period longer.
 */
#include "host_names.h"

#include "../mem/heap/heap.h"
#include "abi.h"
#include "namespaces/name_space.h"
#include "program.h"
#include "system.h"
#include "task.h"

#define PERSONA_KIND    0xffu
#define PERSONA_LINUX32 8u

struct host_names {
    struct name_space space; /* which counts it */
    struct k42_lock lock;
    char host[HOST_NAME], domain[HOST_NAME];
};

static struct host_names machines = {
    .space = {.references = 1, .kind = CLONE_NEWUTS, .number = 0xefffffff},
    .host = "k42",
    .domain = "(none)"};

static void free_names(struct name_space *space) {
    heap_free(k42_container(space, struct host_names, space));
}

static struct host_names *own(void) {
    struct task *task = task_self();
    return task->host_names ? task->host_names : &machines;
}

struct host_names *host_names_hold(struct host_names *names) {
    if (names)
        __atomic_fetch_add(&names->space.references, 1, __ATOMIC_RELAXED);
    return names;
}

void host_names_release(struct host_names *names) {
    if (names)
        name_space_release(&names->space);
}

static void read_names(struct host_names *names, char *host, char *domain) {
    k42_lock(&names->lock);
    __builtin_memcpy(host, names->host, HOST_NAME);
    __builtin_memcpy(domain, names->domain, HOST_NAME);
    k42_unlock(&names->lock);
}

struct host_names *host_names_copy(struct host_names *names) {
    struct host_names *copy = heap_allocate_zeroed(sizeof *copy);
    if (!copy)
        return NULL;
    copy->space = (struct name_space){
        .references = 1, .kind = CLONE_NEWUTS, .number = name_space_number(), .free = free_names};
    read_names(names ? names : &machines, copy->host, copy->domain);
    if (name_space_open(&copy->space) >= 0)
        return copy;
    heap_free(copy);
    return NULL;
}

struct name_space *name_space_of_host(const struct task *task) {
    struct host_names *names = task ? __atomic_load_n(&task->host_names, __ATOMIC_ACQUIRE) : NULL;
    return names ? &names->space : &machines.space;
}

/* The machine's are not counted: the hold of those is given back. */
void host_names_enter(struct task *task, struct name_space *space) {
    struct host_names *names = k42_container(space, struct host_names, space);
    bool is_machines = names == &machines;
    if (is_machines)
        name_space_release(space);
    host_names_release(
        __atomic_exchange_n(&task->host_names, is_machines ? NULL : names, __ATOMIC_ACQ_REL));
}

void host_names_read(char *host, char *domain) {
    read_names(own(), host, domain);
}

/* What a program sees that says it is of 32 bits: builds for such machines ask. */
LINUX_CALL(63, uname, uintptr_t to) {
    struct new_utsname system = {"Linux", "", SYSTEM_RELEASE, SYSTEM_VERSION, "x86_64", ""};
    if ((task_self()->persona & PERSONA_KIND) == PERSONA_LINUX32)
        __builtin_memcpy(system.machine, "i686", 5);
    host_names_read(system.nodename, system.domainname);
    return program_write(to, &system, sizeof system);
}

static k42_result set_name(char *name, uintptr_t from, int length) {
    char text[HOST_NAME] = {0};
    if (!task_capable(task_self(), CAP_SYS_ADMIN))
        return -EPERM;
    if (length < 0 || length >= HOST_NAME)
        return -EINVAL;
    k42_result result = program_read(text, from, (size_t)length);
    if (result < 0)
        return result;
    k42_lock(&own()->lock);
    __builtin_memcpy(name, text, sizeof text);
    k42_unlock(&own()->lock);
    return 0;
}

LINUX_CALL(170, sethostname, uintptr_t from, int length) {
    return set_name(own()->host, from, length);
}

LINUX_CALL(171, setdomainname, uintptr_t from, int length) {
    return set_name(own()->domain, from, length);
}
