/*
 * Starting and ending the runtime, and what happens to it across fork.
 *
 * Order of opening: CPUs, tables, quiescence, classes; the workers start when there is work.
 * Closing is the reverse. Fails: see k42_init(); whatever had been opened is closed again.
 */
#include "mediator.h"

#define OBJECTS_DEFAULT  (16u << 20)
#define WATCHDOG_DEFAULT 1000000000ull

static bool started;

static void after_fork(void) {
    if (!started)
        return;
    k42_cpus_after_fork();
    k42_quiescence_after_fork();
    k42_entries_after_fork();
    k42_workers_after_fork();
    k42_classes_after_fork();
}

static k42_result refuse(k42_result error, const char *why) {
    k42_log("init: %s", why);
    return error;
}

static k42_result open_parts(const struct k42_options *options) {
    uint32_t objects = options && options->max_objects ? options->max_objects : OBJECTS_DEFAULT;
    k42_watchdog_ns = options && options->watchdog_ns ? options->watchdog_ns : WATCHDOG_DEFAULT;
    k42_workers_open(options);
    k42_result error = k42_cpus_open();
    if (!error && (error = k42_table_open(objects)))
        k42_cpus_close();
    if (error)
        return refuse(error, "no address space for the tables; a smaller max_objects needs less");
    error = k42_quiescence_open();
    if (error) {
        k42_table_close();
        k42_cpus_close();
        return refuse(error,
                      "this kernel has no membarrier(PRIVATE_EXPEDITED), which libk42 needs");
    }
    return 0;
}

static void close_parts(void) {
    k42_quiescence_close();
    k42_table_close();
    k42_cpus_close();
}

k42_result k42_init_flavour(const struct k42_options *options, const char *flavour) {
    if (started)
        return -EALREADY;
    k42_platform_set_log(options ? options->log : NULL);
    if (!k42_text_equal(flavour, K42_FLAVOUR))
        return refuse(-ENOSYS, "the program was compiled for the other flavour of libk42; take "
                               "compiler flags and library from the same pkg-config file");
    if (!k42_platform_base_free())
        return refuse(-EBUSY, "%gs is in use by something else in this process; build with "
                              "pkg-config k42-tls, which does without it");
    k42_result error = open_parts(options);
    if (error)
        return error;
    error = k42_cpus_start();
    if (error) {
        close_parts();
        return refuse(error, "no memory for the CPUs' tables");
    }
    error = k42_classes_open();
    if (error < 0) {
        k42_classes_close();
        k42_workers_stop();
        close_parts();
        return error;
    }
    k42_platform_watch_forks(after_fork);
    started = true;
    return 0;
}

static void destroy_all(void) {
    for (k42_id id = K42_SLOTS_PER_PAGE; id < k42_pages_used() * K42_SLOTS_PER_PAGE; id++)
        if (k42_entry_usable(k42_load_acquire(&k42_entries[id].state)))
            (void)!k42_destroy(k42_id_ref(id));
}

k42_result k42_shutdown(void) {
    if (!started)
        return -EINVAL;
    if (k42_cpus_attached()) {
        k42_log("shutdown: %u threads are still attached; detach them first", k42_cpus_attached());
        return -EBUSY;
    }
    (void)!k42_swap_flush();
    destroy_all();
    do
        (void)!k42_defer_flush();
    while (k42_defers_pending() || k42_cpus_sum(offsetof(struct k42_cpu, buried)));
    k42_workers_stop();
    started = false;
    k42_classes_close();
    close_parts();
    return 0;
}
