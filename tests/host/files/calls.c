/*
 * What the file system calls need of the rest of the kernel, on a host. See calls.h.
 *
 * Waiting is one counter and one condition: a call that must wait sleeps until something, of
 * whatever object, was notified. One that is never notified fails the test after a while.
 */
#include "arch/x86_64/user_copy.h"
#include "calls.h"

#include "copy.h"
#include "fs/devices.h"
#include "fs/mount.h"
#include "fs/pipe/pipe.h"
#include "fs/ramfs/ramfs.h"
#include "fs/types.h"
#include "linux/signal/signals.h"
#include "linux/task.h"
#include "mem/heap/heap.h"
#include "sched/wait.h"
#include "vdso/wall_clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct task calls_task;
static struct credentials calls_root;
unsigned calls_signals;
__thread int calls_interrupted;
static __thread struct task *own_task;
static uint64_t objects_before;

static void expect(int holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "%s\n", what);
    abort();
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

/* ---- a program's memory: addresses below 4096 and above 2^47 are nowhere ---- */

static int is_there(uintptr_t address, size_t size) {
    return address >= 4096 && address < 1ul << 47 && size <= (1ul << 47) - address;
}

void copy_begins(void) {
}

void copy_ends(void) {
}

size_t user_copy_in(void *to, uintptr_t from, size_t size) {
    if (!is_there(from, size))
        return size;
    memcpy(to, (const void *)from, size);
    return 0;
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

/* ---- waiting ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t notified = PTHREAD_COND_INITIALIZER;
static uint64_t notifications;
static __thread uint64_t seen;

static struct wait_bucket buckets[2] = {{.waiters = 1}, {.waiters = 1}};
struct wait_bucket *wait_buckets = buckets;
unsigned wait_shift = 63;

k42_result wait_on(k42_id self, uintptr_t key, uint32_t events) {
    (void)self, (void)key, (void)events;
    return -K42_WAIT;
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
        expect(!pthread_cond_timedwait(&notified, &mutex, &until), "a call was never notified");
    seen = notifications;
    pthread_mutex_unlock(&mutex);
    k42_enter();
    return true;
}

/* ---- the rest ---- */

uint64_t wall_clock_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct task *task_self(void) {
    return own_task;
}

bool task_capable(const struct task *task, unsigned capability) {
    return task->credentials->effective >> capability & 1;
}

uint64_t task_limit(const struct task *task, unsigned resource) {
    (void)task;
    return resource == 7 ? 1024 : ~0ul;
}

k42_result signal_thread(int tid, const struct signal_info *info) {
    (void)tid, (void)info;
    __atomic_add_fetch(&calls_signals, 1, __ATOMIC_RELAXED);
    return 0;
}

/* ---- calls ---- */

extern const struct linux_call *const __start_linux_calls[], *const __stop_linux_calls[];

long call_linux(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                uint64_t f) {
    for (const struct linux_call *const *at = __start_linux_calls; at < __stop_linux_calls; at++) {
        if ((*at)->number != number)
            continue;
        k42_enter();
        k42_result result = (*at)->fn(a, b, c, d, e, f);
        k42_exit();
        return result;
    }
    return -ENOSYS;
}

/* ---- begin and end ---- */

static void mount_root(void) {
    static const struct ramfs_options options = {
        .name = "tmpfs", .type = 0x01021994, .mode = 0755};
    struct mount_new what = {.type = "tmpfs", .source = "none"};
    expect(ramfs_make(&options, &what.root) == 0, "no ramfs");
    if (!mount_first())
        expect(mount_add(NULL, &what, NULL) == 0, "no root");
}

void calls_open(void) {
    k42_result result = k42_init(NULL);
    expect(result == 0, "no runtime");
    expect(k42_attach("test") == 0, "not attached");
    calls_root = (struct credentials){.references = 1, .effective = ~0ul, .permitted = ~0ul};
    calls_task = (struct task){.credentials = &calls_root, .pid = 100, .tid = 100};
    own_task = &calls_task;
    k42_enter();
    mount_root();
    memory_devices_register();
    memory_file_systems_register();
    calls_task.paths = path_context_make();
    calls_task.paths->mask = 0;
    expect(calls_task.paths && descriptors_make(&calls_task.descriptors) == 0, "no task");
    k42_exit();
    struct k42_stats stats;
    k42_stats(&stats);
    objects_before = stats.objects;
}

static uint64_t objects_now(void) {
    struct k42_stats stats;
    for (int n = 0; n < 8; n++)
        expect(k42_defer_flush() == 0, "deferred work cannot be waited for");
    k42_stats(&stats);
    return stats.objects;
}

void calls_close(void) {
    k42_enter();
    (void)!k42_call(calls_task.descriptors, release);
    k42_exit();
    uint64_t left = objects_now();
    if (left > objects_before)
        fprintf(stderr, "objects left: %lu of %lu\n", left, objects_before);
    expect(left <= objects_before, "objects were left over");
}

void calls_become(unsigned uid) {
    calls_root.uid = calls_root.euid = calls_root.fsuid = uid;
    calls_root.effective = calls_root.permitted = uid ? 0 : ~0ul;
}

struct task *calls_begin_thread(const char *name, int copies) {
    struct task *task = calloc(1, sizeof *task);
    expect(task && k42_attach(name) == 0, "no thread");
    *task = calls_task;
    own_task = task;
    k42_enter();
    if (copies) {
        struct k42_pair copy = k42_call(calls_task.descriptors, copy);
        expect(copy.result == 0, "no copy of the descriptors");
        task->descriptors = (descriptors_ref)copy.word;
    }
    k42_exit();
    return task;
}

void calls_end_thread(struct task *task) {
    k42_enter();
    if (task->descriptors != calls_task.descriptors)
        (void)!k42_call(task->descriptors, release);
    k42_exit();
    expect(k42_detach() == 0, "not detached");
    free(task);
}
