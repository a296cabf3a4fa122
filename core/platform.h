/*
 * What the object runtime needs from where it runs. Four platforms provide it: the kernel, a
 * server, the in-program library, and a Linux host (core/host). Nothing else outside core/ is
 * called.
 *
 * Unless it says otherwise a function may be called in any context, does not wait, cannot fail.
 */
#ifndef K42_CORE_PLATFORM_H
#define K42_CORE_PLATFORM_H

#include <k42/thread.h>
#include <stdbool.h>

/* ---- time and memory ---- */

uint64_t k42_platform_now_ns(void); /* monotonic */

/* Zeroed memory, aligned to 16 bytes; NULL when there is none. May wait. */
void *k42_platform_alloc(size_t bytes);
void k42_platform_free(void *memory);

/* Address space that reads as zero and takes memory page by page as it is touched. NULL: none. */
void *k42_platform_reserve(size_t bytes);
void k42_platform_unreserve(void *memory, size_t bytes);

/*
 * Translation tables: `bytes` each, all alike until written. A page of a table that its CPU has not
 * written shows the shared template's page; trimming makes it show the template's again.
 */
int k42_platform_tables_open(size_t bytes); /* 0 or a negative errno */
void k42_platform_tables_close(void);
void *k42_platform_template(size_t offset); /* writable view of the template page at `offset` */
void *k42_platform_table_map(void);         /* NULL: no memory */
void k42_platform_table_unmap(void *table);
void k42_platform_table_trim(void *table, size_t offset, size_t bytes);

/* ---- this CPU ---- */

/* The calling thread's head of table, or NULL when it is not attached. Never the creator's. */
struct k42_cpu_head *k42_platform_head(void);
/* What the calling thread is inside of: its head's `calls`, or NULL when it is not attached. */
struct k42_calls *k42_platform_calls(void);
/*
 * How many CPUs there are whatever threads run on them, every thread being attached to the one it
 * runs on; or 0: a CPU is one attached thread, and they come and go. Where there is a fixed number,
 * k42_platform_table_map() gives the table of CPU 0, then 1 and so on, with head and `calls` in
 * place for whoever runs there.
 */
uint32_t k42_platform_cpu_count(void);
/*
 * Shows every thread that may be active, with the CPU it is on, until one is what visit() looks
 * for; true when one was. It may be called with a lock held and interrupts off. For reports.
 */
bool k42_platform_each_calls(bool (*visit)(uint32_t cpu, const struct k42_calls *calls, bool active,
                                           void *context),
                             void *context);
/* Makes `head` (or NULL: nothing) the calling thread's. 0, or -EBUSY: the base register is taken.
 */
int k42_platform_set_head(struct k42_cpu_head *head);
/* True when the base register, or its like, is free for us in the calling thread. */
int k42_platform_base_free(void);

/* Returns after every CPU running code of this address space has passed a full barrier. */
void k42_platform_barrier_all(void);
/* 0 when the above works here, or a negative errno. */
int k42_platform_barrier_open(void);

/*
 * Rendezvous: holds every CPU outside atomic sections. Between begin and end no CPU is inside
 * k42_atomic_begin()/end(), and one that wants to enter spins. Bounded by the longest section.
 */
void k42_platform_stop_cpus(void);
void k42_platform_start_cpus(void);

/* ---- threads ---- */

uint32_t k42_platform_thread_id(void);
void k42_platform_thread_name(char name[16]);

/* Starts a thread, unattached. NULL: could not. */
struct k42_platform_thread;
struct k42_platform_thread *k42_platform_spawn(const char *name, void (*fn)(void *),
                                               void *argument);
void k42_platform_join(struct k42_platform_thread *thread); /* waits */

/*
 * Sleeps while *word == expected, at most timeout_ns (0: for ever). May return early, always
 * rechecks.
 */
void k42_platform_park(uint32_t *word, uint32_t expected, uint64_t timeout_ns);
void k42_platform_wake(uint32_t *word, uint32_t waiters);
/* Lets another thread of this CPU run. */
void k42_platform_yield(void);
/* From now on the calling thread goes before all that share the CPUs: calls of others wait for what
 * it does, which is little. Nothing changes where that would take a privilege. */
void k42_platform_go_first(void);

/* child() runs in the child of each fork, in the one thread it has. Later calls replace it. */
void k42_platform_watch_forks(void (*child)(void));

/* ---- loadable code ---- */

/* Where it comes from: the bytes in memory, `path` then being how they are called, or, without
 * them, the file. */
struct k42_module_source {
    const char *path;
    const void *image; /* NULL: the file */
    size_t size;
};

/* 0 and a handle, and constructors have run; or a negative errno and a sentence in `why`. */
k42_result k42_platform_module_open(const struct k42_module_source *source, void **handle,
                                    char *why, size_t why_size);
void k42_platform_module_close(void *handle);

/* ---- people ---- */

void k42_platform_log(const char *line);
/* Where lines go from now on; NULL: the platform's own place. */
void k42_platform_set_log(void (*log)(const char *line));
_Noreturn void k42_platform_panic(const char *line);

#endif
