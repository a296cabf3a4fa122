/*
 * Names of the host: uname, sethostname, setdomainname.
 *
 * A pair is guarded by its lock, and counted without it. What a task has it replaces itself.
 */
#include "host_names.h"

#include "../mem/heap/heap.h"
#include "abi.h"
#include "program.h"
#include "system.h"
#include "task.h"

#define PERSONA_KIND    0xffu
#define PERSONA_LINUX32 8u

struct host_names {
    uint32_t references;
    struct k42_lock lock;
    char host[HOST_NAME], domain[HOST_NAME];
};

static struct host_names machines = {.host = "k42", .domain = "(none)"};

static struct host_names *own(void) {
    struct task *task = task_self();
    return task->host_names ? task->host_names : &machines;
}

struct host_names *host_names_hold(struct host_names *names) {
    if (names)
        __atomic_fetch_add(&names->references, 1, __ATOMIC_RELAXED);
    return names;
}

void host_names_release(struct host_names *names) {
    if (names && !__atomic_sub_fetch(&names->references, 1, __ATOMIC_ACQ_REL))
        heap_free(names);
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
    copy->references = 1;
    read_names(names ? names : &machines, copy->host, copy->domain);
    return copy;
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
