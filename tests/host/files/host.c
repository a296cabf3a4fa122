/*
 * Memory, waiting and time for the file system calls, on a host. See calls.h.
 *
 * Waiting is one counter and one condition: a call that must wait sleeps until something, of
 * whatever object, was notified. One that is never notified fails the test after a while.
 */
#include "calls.h"

#include "arch/x86_64/user_copy.h"
#include "dev/work.h"
#include "linux/clocks.h"
#include "linux/files/files.h"
#include "linux/process/ids.h"
#include "linux/process/lives.h"
#include "linux/program.h"
#include "linux/signal/on_behalf.h"
#include "linux/system.h"
#include "mem/heap/heap.h"
#include "print.h"
#include "sched/wait.h"
#include "vdso/wall_clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

__thread int calls_interrupted;

void calls_expect(int holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/* The file systems of the name space stay to the end, and are found through refs, which are no
 * pointers: leaks are counted by the tests themselves. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    return "detect_leaks=0";
}

/* What is written to the kernel's log. */
void print_line(const char *text) {
    fprintf(stderr, "%s\n", text);
}

/* ---- memory ---- */

void *heap_allocate(size_t size) {
    return size >= 4096 ? aligned_alloc(4096, (size + 4095) & ~(size_t)4095) : malloc(size);
}

void *heap_allocate_zeroed(size_t size) {
    void *memory = heap_allocate(size);
    return memory ? memset(memory, 0, size) : NULL;
}

void heap_free(void *memory) {
    free(memory);
}

/* There is no userfaultfd. */
k42_result files_control_faults(file_ref file, unsigned request, uintptr_t argument) {
    (void)file, (void)request, (void)argument;
    return -ENOTTY;
}

void system_memory(uint64_t *total, uint64_t *available) {
    *total = *available = 1ul << 18;
}

/* There are no frames: nobody brings any to a file. */
uintptr_t *frame_records;

struct heap_cache {
    size_t size;
};

struct heap_cache *heap_cache_create(const char *name, size_t size, size_t align) {
    struct heap_cache *cache = malloc(sizeof *cache);
    (void)name, (void)align;
    if (cache)
        cache->size = size;
    return cache;
}

void *heap_cache_allocate_zeroed(struct heap_cache *cache) {
    return heap_allocate_zeroed(cache->size);
}

/* ---- a program's memory: addresses below 4096 and above 2^47 are nowhere ---- */

static int is_there(uintptr_t address, size_t size) {
    return address >= 4096 && address < 1ul << 47 && size <= (1ul << 47) - address;
}

/* What programs have in their memory, and who else writes there, is their business: sanitizers do
 * not look. */
#define UNSEEN __attribute__((no_sanitize("address", "thread", "undefined"), noinline))

UNSEEN static void copy_unseen(volatile char *to, const volatile char *from, size_t size) {
    while (size--)
        *to++ = *from++;
}

size_t user_copy_in(void *to, uintptr_t from, size_t size) {
    if (!is_there(from, size))
        return size;
    copy_unseen(to, (const volatile char *)from, size);
    return 0;
}

k42_result program_read_text(char *to, uintptr_t from, size_t size) {
    size_t length = 0;
    do {
        if (length == size)
            return -ENAMETOOLONG;
        if (user_copy_in(to + length, from + length, 1))
            return -EFAULT;
    } while (to[length++]);
    return (k42_result)length - 1;
}

size_t user_copy_out(uintptr_t to, const void *from, size_t size) {
    if (!is_there(to, size))
        return size;
    memcpy((void *)to, from, size);
    return 0;
}

size_t user_zero(uintptr_t to, size_t size) {
    if (!is_there(to, size))
        return size;
    memset((void *)to, 0, size);
    return 0;
}

void copy_begins(void) {
}

void copy_ends(void) {
}

/* ---- waiting ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t notified = PTHREAD_COND_INITIALIZER;
static uint64_t notifications;
static __thread uint64_t seen;

static struct wait_bucket buckets[2] = {{.waiters = 1}, {.waiters = 1}};
struct wait_bucket *wait_buckets = buckets;
unsigned wait_shift = 63;

static __thread struct wait_point noted;

k42_result wait_on(k42_id self, uintptr_t key, uint32_t events) {
    noted = (struct wait_point){.id = self, .key = key, .events = events};
    return -K42_WAIT;
}

/* No time passes. */
k42_result wait_on_until(k42_id self, uintptr_t key, uint32_t events, uint64_t again) {
    (void)again;
    return wait_on(self, key, events);
}

struct wait_point wait_noted(void) {
    return noted;
}

/* Who waits is told of everything anyway: nothing has to be told on. */
void wait_watch(struct wait_entry *entry, struct wait_point point,
                void (*fn)(struct wait_entry *entry, uint32_t events)) {
    (void)entry, (void)point, (void)fn;
}

uint32_t wait_remove(struct wait_entry *entry) {
    (void)entry;
    return 0;
}

k42_result wait_fault(uintptr_t address, uint32_t access) {
    (void)address, (void)access;
    return -EFAULT;
}

uint32_t wait_notify_slow(k42_id id, uintptr_t key, uint32_t events, uint32_t count) {
    (void)id, (void)key, (void)events, (void)count;
    pthread_mutex_lock(&mutex);
    notifications++;
    pthread_cond_broadcast(&notified);
    pthread_mutex_unlock(&mutex);
    return 0;
}

/* The first time the call is made again at once: what was notified from here on is seen. */
bool wait_again(struct wait_call *wait, k42_result *result, uint64_t deadline, unsigned flags) {
    (void)deadline, (void)flags;
    if (*result != -K42_WAIT)
        return false;
    if (calls_interrupted) {
        *result = -EINTR;
        return false;
    }
    pthread_mutex_lock(&mutex);
    if (!wait->stage++) {
        seen = notifications;
        pthread_mutex_unlock(&mutex);
        return true;
    }
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    k42_exit();
    while (seen == notifications)
        calls_expect(!pthread_cond_timedwait(&notified, &mutex, &until),
                     "a call was never notified");
    seen = notifications;
    pthread_mutex_unlock(&mutex);
    k42_enter();
    return true;
}

/* The only process there is, is the caller's. */
process_ref ids_process(int number) {
    (void)number;
    return (process_ref)K42_NULL_REF;
}

struct group *ids_group(int number) {
    (void)number;
    return NULL;
}

/* So nobody has anything sent. */
k42_result signal_for(const struct credentials *who, process_ref process, int tid,
                      const struct signal_info *info) {
    (void)who, (void)process, (void)tid, (void)info;
    return -ESRCH;
}

k42_result signal_group_for(const struct credentials *who, int group,
                            const struct signal_info *info) {
    (void)who, (void)group, (void)info;
    return -ESRCH;
}

void work_raise(struct work *work) {
    work->fn(work);
}

/* The host's never end. */
struct credentials *credentials_hold(struct credentials *credentials) {
    return credentials;
}

void credentials_release(struct credentials *credentials) {
    (void)credentials;
}

/* ---- time ---- */

/* Calls on a host wait until they are told. */
uint64_t clocks_after(int64_t ns) {
    (void)ns;
    return WAIT_FOREVER;
}

int64_t clocks_left(uint64_t deadline) {
    (void)deadline;
    return INT64_MAX;
}

k42_result clocks_read(uintptr_t from, int64_t *ns) {
    (void)from, (void)ns;
    return -EINVAL;
}

uint64_t wall_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
