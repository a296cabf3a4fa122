/*
 * /proc/PID/status: the lines that Linux has, in its order, as far as there is a number to tell.
 *
 * SigQ has the process's own signals, which is what its limit is for here. Left out is what
 * processors guess.
 */
#include "../../fs/path.h"
#include "../../sched/thread.h"
#include "../process/lives.h"
#include "../ptrace/tracee.h"
#include "../seccomp/seccomp.h"
#include "../system.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>
#include <linux/resource.h>

#define KIB_PER_PAGE 4ul

static void print_set(struct proc_text *text, const char *name, uint64_t set) {
    proc_print(text, "%s:\t", name);
    proc_print_hex(text, set, 16);
    proc_put(text, "\n", 1);
}

static void print_rights(struct proc_text *text, const struct task *task) {
    const struct credentials *who = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
    proc_print(text, "Uid:\t%u\t%u\t%u\t%u\n", who->uid, who->euid, who->suid, who->fsuid);
    proc_print(text, "Gid:\t%u\t%u\t%u\t%u\n", who->gid, who->egid, who->sgid, who->fsgid);
    proc_print(text, "FDSize:\t64\nGroups:\t");
    for (uint32_t i = 0; i < who->group_count; i++)
        proc_print(text, i ? " %u" : "%u", who->groups[i]);
    proc_put(text, " \n", 2);
}

/* There is one name space of numbers. */
static void print_numbers(struct proc_text *text, const struct subject *subject) {
    const struct process_info *info = &subject->info;
    proc_print(text, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", info->pid,
               subject->task ? subject->task->tid : info->pid, info->group, info->session);
}

/* ---- CPUs ---- */

enum { MASK_WORDS = 128 }; /* of the most CPUs that are told of */

static k42_result read_cpus(struct thread *thread, void *to) {
    thread_read_cpus(thread, to);
    return 0;
}

static bool has_cpu(const uint64_t *mask, unsigned cpu) {
    return mask[cpu / 64] >> cpu % 64 & 1;
}

/* In groups of 32, the highest first, of as many bits as there are CPUs. */
static void print_mask_of(struct proc_text *text, const uint64_t *mask, unsigned bits) {
    unsigned group = (bits + 31) / 32, first = (bits - 1) % 32 / 4 + 1;
    while (group--) {
        proc_print_hex(text, (uint32_t)(mask[group / 2] >> group % 2 * 32), first);
        proc_put(text, group ? "," : "\n", 1);
        first = 8;
    }
}

static void print_list_of(struct proc_text *text, const uint64_t *mask, unsigned bits) {
    const char *comma = "";
    for (unsigned cpu = 0, end; cpu < bits; cpu = end + 1) {
        end = cpu;
        if (!has_cpu(mask, cpu))
            continue;
        while (end + 1 < bits && has_cpu(mask, end + 1))
            end++;
        proc_print(text, end > cpu ? "%s%u-%u" : "%s%u", comma, cpu, end);
        comma = ",";
    }
    proc_put(text, "\n", 1);
}

/* Memory has one node. */
static void print_allowed(struct proc_text *text, struct task *task) {
    uint64_t mask[MASK_WORDS] = {0};
    if (k42_call(task->process, keep, task, read_cpus, mask) < 0)
        return;
    proc_print(text, "Cpus_allowed:\t");
    print_mask_of(text, mask, cpu_count());
    proc_print(text, "Cpus_allowed_list:\t");
    print_list_of(text, mask, cpu_count());
    proc_print(text, "Mems_allowed:\t1\nMems_allowed_list:\t0\n");
}

/* ---- the file ---- */

static void print_capabilities(struct proc_text *text, const struct task *task) {
    const struct credentials *who = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
    print_set(text, "CapInh", who->inheritable);
    print_set(text, "CapPrm", who->permitted);
    print_set(text, "CapEff", who->effective);
    print_set(text, "CapBnd", who->bounding);
    print_set(text, "CapAmb", who->ambient);
    proc_print(text, "NoNewPrivs:\t%d\nSeccomp:\t%d\nSeccomp_filters:\t%u\n",
               task->no_new_privileges, (int)seccomp_mode(task), seccomp_filters(task));
}

/* To the width that Linux gives it. */
static void print_kib(struct proc_text *text, const char *name, uint64_t kib) {
    proc_print(text, "%s:\t", name);
    for (uint64_t reach = 10000000; reach > kib && reach > 1; reach /= 10)
        proc_put(text, " ", 1);
    proc_print(text, "%lu kB\n", kib);
}

static void print_memory(struct proc_text *text, const struct subject *subject) {
    const struct space_usage *usage = &subject->usage;
    const struct space_marks *marks = &subject->marks;
    uint64_t code = (marks->code_end - marks->code_start) / 1024;
    uint64_t executable = usage->executable * KIB_PER_PAGE;
    struct space_census pages;
    if (k42_call(subject->task->space, census, &pages) < 0)
        return;
    uint64_t here = pages.private + pages.of_files + pages.of_memory;
    print_kib(text, "VmPeak", usage->mapped * KIB_PER_PAGE);
    print_kib(text, "VmSize", usage->mapped * KIB_PER_PAGE);
    print_kib(text, "VmLck", usage->locked * KIB_PER_PAGE);
    print_kib(text, "VmPin", 0);
    print_kib(text, "VmHWM", here * KIB_PER_PAGE);
    print_kib(text, "VmRSS", here * KIB_PER_PAGE);
    print_kib(text, "RssAnon", pages.private * KIB_PER_PAGE);
    print_kib(text, "RssFile", pages.of_files * KIB_PER_PAGE);
    print_kib(text, "RssShmem", pages.of_memory * KIB_PER_PAGE);
    print_kib(text, "VmData", usage->data * KIB_PER_PAGE);
    print_kib(text, "VmStk", usage->stack * KIB_PER_PAGE);
    print_kib(text, "VmExe", code);
    print_kib(text, "VmLib", executable > code ? executable - code : 0);
    print_kib(text, "VmPTE", usage->tables * KIB_PER_PAGE);
    print_kib(text, "VmSwap", pages.out * KIB_PER_PAGE);
    print_kib(text, "HugetlbPages", 0);
}

/* In octal. A task that ends has none any more. */
static void print_mask(struct proc_text *text, const struct task *task) {
    const struct path_context *paths =
        task ? __atomic_load_n(&task->paths, __ATOMIC_ACQUIRE) : NULL;
    if (!paths)
        return;
    unsigned mask = __atomic_load_n(&paths->mask, __ATOMIC_RELAXED);
    proc_print(text, "Umask:\t0%u%u%u\n", mask >> 6 & 7, mask >> 3 & 7, mask & 7);
}

static bool dumps_core(const struct task *task) {
    const struct task_memory *memory = __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE);
    return memory && __atomic_load_n(&memory->core, __ATOMIC_RELAXED);
}

static uint64_t signals_limit(const struct subject *subject) {
    struct process_limit limit = {0};
    k42_result result = k42_call(subject->process, limit, RLIMIT_SIGPENDING, NULL, &limit, 0);
    return result < 0 ? 0 : limit.now;
}

k42_result subject_print_status(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    const struct process_info *info = &subject.info;
    const struct task *task = subject.task;
    proc_print(text, "Name:\t%s\n", subject_name(&subject));
    print_mask(text, task);
    proc_print(text, "State:\t%s\n", subject_state(&subject));
    const struct tracee *tracee = task ? tracee_of(task) : NULL;
    proc_print(text, "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", info->pid,
               task ? task->tid : info->pid, info->parent, tracee ? tracee->tracer_pid : 0);
    if (task)
        print_rights(text, task);
    print_numbers(text, &subject);
    if (task && subject.usage.mapped)
        print_memory(text, &subject);
    proc_print(text, "CoreDumping:\t%d\nTHP_enabled:\t1\n", task && dumps_core(task));
    proc_print(text, "Threads:\t%d\nSigQ:\t%u/%lu\n", info->threads, info->queued,
               signals_limit(&subject));
    print_set(text, "SigPnd", task ? task->pending.set : 0);
    print_set(text, "ShdPnd", info->pending);
    print_set(text, "SigBlk", task ? task->blocked : 0);
    print_set(text, "SigIgn", info->ignored);
    print_set(text, "SigCgt", info->caught);
    if (task)
        print_capabilities(text, task);
    if (task)
        print_allowed(text, subject.task);
    proc_print(text, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
               subject.times.switches, subject.times.forced_switches);
    return 0;
}
