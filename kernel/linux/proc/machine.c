/*
 * /proc of the machine: memory, processors, times, versions, and /proc/sys/kernel.
 */
#include "../../fs/values.h"
#include "../../sched/thread.h"
#include "../../vdso/wall_clock.h"
#include "../abi.h"
#include "../core/core.h"
#include "../events/changes/limits.h"
#include "../host_names.h"
#include "../ipc/ipc.h"
#include "../ipc/posix_queue.h"
#include "../keys/keys.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../system.h"
#include "proc.h"
#include "runtime.h"

#include <errno.h>
#include <k42/k42.h>

#define NS_PER_TICK 10000000ul

void proc_print_hex(struct proc_text *text, uint64_t number, unsigned digits) {
    char hex[16];
    unsigned at = sizeof hex;
    while (number || digits) {
        hex[--at] = "0123456789abcdef"[number & 15];
        number >>= 4;
        digits -= digits > 0;
    }
    proc_put(text, hex + at, sizeof hex - at);
}

/* Hundredths, with two digits. */
static void print_hundredths(struct proc_text *text, uint64_t number) {
    proc_print(text, "%lu.%s%lu", number / 100, number % 100 < 10 ? "0" : "", number % 100);
}

static k42_result print_version(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "Linux version %s (k42) %s\n", SYSTEM_RELEASE, SYSTEM_VERSION);
    return 0;
}

static k42_result print_command_line(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    for (const char *at = boot_options(); *at; at++)
        proc_put(text, at, 1);
    proc_put(text, "\n", 1);
    return 0;
}

static void print_cpu(struct proc_text *text, const char *name,
                      const struct sched_cpu_times *times) {
    proc_print(text, "%s %lu 0 %lu %lu 0 0 0 0 0 0\n", name, times->user / NS_PER_TICK,
               times->system / NS_PER_TICK, times->idle / NS_PER_TICK);
}

static void add_times(struct sched_cpu_times *sum, const struct sched_cpu_times *one) {
    sum->user += one->user;
    sum->system += one->system;
    sum->idle += one->idle;
}

/* Each CPU is looked at once, so that the first line is the sum of the others. */
static k42_result print_times(struct proc_text *text) {
    unsigned cpus = cpu_count();
    struct sched_cpu_times sum = {0}, *each = k42_platform_alloc(cpus * sizeof(*each));
    if (!each)
        return -ENOMEM;
    for (unsigned i = 0; i < cpus; i++) {
        sched_cpu_times(i, &each[i]);
        add_times(&sum, &each[i]);
    }
    print_cpu(text, "cpu ", &sum);
    for (unsigned i = 0; i < cpus; i++) {
        char name[16];
        k42_format_text(name, sizeof name, "cpu%u", i);
        print_cpu(text, name, &each[i]);
    }
    k42_platform_free(each);
    return 0;
}

static k42_result print_stat(const struct proc_key *key, struct proc_text *text) {
    struct sched_counts counts;
    (void)key;
    k42_result result = print_times(text);
    if (result < 0)
        return result;
    sched_count(&counts);
    proc_print(text, "intr 0\nctxt %lu\nbtime %lu\nprocesses %d\nprocs_running 1\n",
               counts.switches, (wall_clock_ns() - time_ns()) / 1000000000, ids_last());
    proc_print(text, "procs_blocked 0\n");
    return 0;
}

static k42_result print_uptime(const struct proc_key *key, struct proc_text *text) {
    struct sched_cpu_times one, sum = {0};
    (void)key;
    for (unsigned i = 0; i < cpu_count(); i++) {
        sched_cpu_times(i, &one);
        add_times(&sum, &one);
    }
    print_hundredths(text, time_ns() / NS_PER_TICK);
    proc_put(text, " ", 1);
    print_hundredths(text, sum.idle / NS_PER_TICK);
    proc_put(text, "\n", 1);
    return 0;
}

/* Rounded to hundredths. */
static void print_load(struct proc_text *text, uint64_t load) {
    uint64_t hundredths = ((load >> 16) * 100 + (1ul << 15)) >> 16;
    proc_print(text, "%lu.%lu%lu ", hundredths / 100, hundredths / 10 % 10, hundredths % 10);
}

static k42_result print_loadavg(const struct proc_key *key, struct proc_text *text) {
    uint64_t loads[SCHED_LOADS];
    struct sched_counts counts;
    (void)key;
    sched_read_load(loads);
    for (unsigned i = 0; i < SCHED_LOADS; i++)
        print_load(text, loads[i]);
    sched_count(&counts);
    proc_print(text, "%u/%lu %d\n", sched_ready(), counts.threads - cpu_count(), ids_last());
    return 0;
}

/* ---- /proc/sys/kernel ---- */

static k42_result print_ostype(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "Linux\n");
    return 0;
}

static k42_result print_osrelease(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%s\n", SYSTEM_RELEASE);
    return 0;
}

static k42_result print_hostname(const struct proc_key *key, struct proc_text *text) {
    char host[HOST_NAME], domain[HOST_NAME];
    (void)key;
    host_names_read(host, domain);
    proc_print(text, "%s\n", host);
    return 0;
}

static k42_result print_pid_max(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%d\n", IDS_MOST);
    return 0;
}

static k42_result print_cap_last(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%d\n", CAP_LAST_CAP);
    return 0;
}

static k42_result print_randomize(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "2\n");
    return 0;
}

static k42_result print_overcommit(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "1\n");
    return 0;
}

static k42_result print_core_pattern(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    core_pattern_read(text);
    return 0;
}

static k42_result write_core_pattern(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return core_pattern_write(bytes, size);
}

static k42_result print_most_events(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%d\n", CHANGES_EVENTS_MOST);
    return 0;
}

static k42_result print_most_changes(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%d\n", CHANGES_MOST);
    return 0;
}

static k42_result print_most_watches(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%d\n", CHANGES_WATCHES_MOST);
    return 0;
}

#define PROC_FILE(name_, print_)                                                                   \
    { .name = name_, .mode = MODE_REGULAR | 0444, .print = print_ }

static void register_all(struct proc_entry *folder, struct proc_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++)
        proc_add(folder, &entries[i]);
}

static struct proc_entry *register_kernel(struct proc_entry *sys) {
    static struct proc_entry kernel = {.name = "kernel", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry settings[] = {
        PROC_FILE("ostype", print_ostype),         PROC_FILE("osrelease", print_osrelease),
        PROC_FILE("hostname", print_hostname),     PROC_FILE("pid_max", print_pid_max),
        PROC_FILE("cap_last_cap", print_cap_last), PROC_FILE("randomize_va_space", print_randomize),
    };
    static struct proc_entry core_pattern = {.name = "core_pattern",
                                             .mode = MODE_REGULAR | 0644,
                                             .print = print_core_pattern,
                                             .write = write_core_pattern};
    proc_add(sys, &kernel);
    proc_add(&kernel, &core_pattern);
    register_all(&kernel, settings, sizeof settings / sizeof *settings);
    ipc_limits_register(&kernel);
    return &kernel;
}

static struct proc_entry *register_fs(struct proc_entry *sys) {
    static struct proc_entry fs = {.name = "fs", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry inotify = {.name = "inotify", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry watching[] = {
        PROC_FILE("max_queued_events", print_most_events),
        PROC_FILE("max_user_instances", print_most_changes),
        PROC_FILE("max_user_watches", print_most_watches),
    };
    proc_add(sys, &fs);
    proc_add(&fs, &inotify);
    register_all(&inotify, watching, sizeof watching / sizeof *watching);
    posix_limits_register(&fs);
    proc_leases_register(&fs);
    return &fs;
}

void proc_machine_register(void) {
    static struct proc_entry files[] = {
        PROC_FILE("version", print_version),      PROC_FILE("meminfo", proc_print_meminfo),
        PROC_FILE("vmstat", proc_print_vmstat),   PROC_FILE("stat", print_stat),
        PROC_FILE("uptime", print_uptime),        PROC_FILE("loadavg", print_loadavg),
        PROC_FILE("cpuinfo", proc_print_cpuinfo), PROC_FILE("cmdline", print_command_line),
    };
    static struct proc_entry sys = {.name = "sys", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry vm = {.name = "vm", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry overcommit = PROC_FILE("overcommit_memory", print_overcommit);
    register_all(NULL, files, sizeof files / sizeof *files);
    proc_add(NULL, &sys);
    proc_add(&sys, &vm);
    proc_add(&vm, &overcommit);
    proc_faults_register(&vm);
    proc_settings_register(register_kernel(&sys), &vm, register_fs(&sys));
    ipc_proc_register();
    keys_proc_register();
}
