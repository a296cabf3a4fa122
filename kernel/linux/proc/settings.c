/*
 * Files of /proc/sys that say what is fixed here: limits that are built in, and random numbers.
 *
 * What a file says is what the kernel does; a setting that nothing heeds has no file. No state but
 * the number of this boot, which is drawn when it is first asked for.
 */
#include "../../copy.h"
#include "../../fs/pipe/pipe.h"
#include "../../fs/random.h"
#include "../../fs/values.h"
#include "../../sched/run_queue/run_queue.h"
#include "../abi.h"
#include "../host_names.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../system.h"
#include "proc.h"
#include "runtime.h"

#include <k42/k42.h>

/* ---- random numbers ---- */

struct uuid {
    uint8_t bytes[16];
};

/* Version 4: drawn. Errors: those of random_copy(). */
static k42_result uuid_draw(struct uuid *uuid) {
    struct copy copy = copy_of_kernel(uuid->bytes, sizeof uuid->bytes);
    k42_result result = random_copy(&copy);
    uuid->bytes[6] = (uuid->bytes[6] & 0x0f) | 0x40;
    uuid->bytes[8] = (uuid->bytes[8] & 0x3f) | 0x80;
    return result < 0 ? result : 0;
}

static void uuid_print(struct proc_text *text, const struct uuid *uuid) {
    for (unsigned i = 0; i < sizeof uuid->bytes; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            proc_put(text, "-", 1);
        proc_print_hex(text, uuid->bytes[i], 2);
    }
    proc_put(text, "\n", 1);
}

static k42_result print_uuid(const struct proc_key *key, struct proc_text *text) {
    struct uuid uuid;
    (void)key;
    k42_result result = uuid_draw(&uuid);
    if (result >= 0)
        uuid_print(text, &uuid);
    return result;
}

/* Two may draw at once: the one who publishes first has drawn for all. */
static k42_result print_boot(const struct proc_key *key, struct proc_text *text) {
    static struct uuid *boot;
    (void)key;
    struct uuid *known = __atomic_load_n(&boot, __ATOMIC_ACQUIRE), *drawn;
    if (!known) {
        k42_result result =
            (drawn = k42_platform_alloc(sizeof *drawn)) ? uuid_draw(drawn) : -ENOMEM;
        if (result < 0) {
            k42_platform_free(drawn);
            return result;
        }
        if (__atomic_compare_exchange_n(&boot, &known, drawn, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
            known = drawn;
        else
            k42_platform_free(drawn);
    }
    uuid_print(text, known);
    return 0;
}

/* ---- limits ---- */

#define PRINT_NUMBER(name_, value_)                                                                \
    static k42_result print_##name_(const struct proc_key *key, struct proc_text *text) {          \
        (void)key;                                                                                 \
        proc_print(text, "%lu\n", (uint64_t)(value_));                                             \
        return 0;                                                                                  \
    }

PRINT_NUMBER(mappings, MEMORY_MAPPINGS_MOST)
PRINT_NUMBER(lowest, SPACE_LOWEST)
PRINT_NUMBER(pipe_size, PIPE_MOST)
PRINT_NUMBER(threads, IDS_MOST)
PRINT_NUMBER(period, RUN_PERIOD_NS / 1000)
PRINT_NUMBER(priority, RUN_PRIORITY_NS / 1000)
PRINT_NUMBER(folder_watches, 1) /* F_NOTIFY may be used */
PRINT_NUMBER(groups, CREDENTIALS_GROUPS_MOST)

static k42_result print_build(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%s\n", SYSTEM_VERSION);
    return 0;
}

static k42_result print_domain(const struct proc_key *key, struct proc_text *text) {
    char host[HOST_NAME], domain[HOST_NAME];
    (void)key;
    host_names_read(host, domain);
    proc_print(text, "%s\n", domain);
    return 0;
}

/* ---- the tree ---- */

#define PROC_FILE(name_, print_)                                                                   \
    { .name = name_, .mode = MODE_REGULAR | 0444, .print = print_ }

static void add_all(struct proc_entry *folder, struct proc_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++)
        proc_add(folder, &entries[i]);
}

void proc_settings_register(struct proc_entry *kernel, struct proc_entry *vm,
                            struct proc_entry *fs) {
    static struct proc_entry random = {.name = "random", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry of_random[] = {PROC_FILE("uuid", print_uuid),
                                            PROC_FILE("boot_id", print_boot)};
    static struct proc_entry of_kernel[] = {PROC_FILE("ngroups_max", print_groups),
                                            PROC_FILE("version", print_build),
                                            PROC_FILE("domainname", print_domain),
                                            PROC_FILE("threads-max", print_threads),
                                            PROC_FILE("sched_rt_period_us", print_period),
                                            PROC_FILE("sched_rt_runtime_us", print_priority)};
    static struct proc_entry of_vm[] = {PROC_FILE("max_map_count", print_mappings),
                                        PROC_FILE("mmap_min_addr", print_lowest)};
    static struct proc_entry of_fs[] = {PROC_FILE("pipe-max-size", print_pipe_size),
                                        PROC_FILE("dir-notify-enable", print_folder_watches)};
    proc_add(kernel, &random);
    add_all(&random, of_random, sizeof of_random / sizeof *of_random);
    add_all(kernel, of_kernel, sizeof of_kernel / sizeof *of_kernel);
    add_all(vm, of_vm, sizeof of_vm / sizeof *of_vm);
    add_all(fs, of_fs, sizeof of_fs / sizeof *of_fs);
}
