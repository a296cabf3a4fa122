/*
 * What the file system calls need of the rest of the personality, on a host. See calls.h.
 */
#include "calls.h"

#include "fs/devices.h"
#include "fs/file.h"
#include "fs/mount.h"
#include "fs/pipe/pipe.h"
#include "fs/ramfs/ramfs.h"
#include "fs/types.h"
#include "linux/files/proc.h"
#include "linux/signal/signals.h"
#include "linux/task.h"

#include "runtime.h"

#include <errno.h>
#include <stdio.h>

static struct task calls_task;
static struct credentials calls_root;
unsigned calls_signals;
static __thread struct task *own_task;
static uint64_t objects_before;

/* ---- the rest ---- */

uint64_t memory_file_system_most(void) {
    return 1ul << 40;
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

struct task *proc_task(uint64_t number) {
    return number == (uint64_t)calls_task.pid ? &calls_task : NULL;
}

k42_result proc_owner_left(uint64_t number, uint32_t *uid, uint32_t *gid) {
    (void)number, (void)uid, (void)gid;
    return -ENOENT;
}

k42_result proc_next_task(uint64_t from) {
    return from <= (uint64_t)calls_task.pid ? calls_task.pid : -ESRCH;
}

struct signal_info signal_from_self(int signal, int code) {
    return (struct signal_info){.signal = signal, .code = code};
}

k42_result signal_thread(int tid, const struct signal_info *info) {
    (void)tid, (void)info;
    __atomic_add_fetch(&calls_signals, 1, __ATOMIC_RELAXED);
    return 0;
}

/* ---- calls ---- */

extern const struct linux_call *const __start_linux_calls[], *const __stop_linux_calls[];

enum { NUMBERS = 512 };
static const struct linux_call *by_number[NUMBERS];

static void number_calls(void) {
    for (const struct linux_call *const *at = __start_linux_calls; at < __stop_linux_calls; at++) {
        calls_expect((*at)->number < NUMBERS && !by_number[(*at)->number], "a call is there twice");
        by_number[(*at)->number] = *at;
    }
}

long call_linux(unsigned number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                uint64_t f) {
    if (number >= NUMBERS || !by_number[number])
        return -ENOSYS;
    k42_enter();
    k42_result result = by_number[number]->fn(a, b, c, d, e, f);
    k42_exit();
    return result;
}

/* ---- begin and end ---- */

static void mount_root(void) {
    static const struct ramfs_options options = {.name = "tmpfs", .type = 0x01021994, .mode = 0755};
    struct mount_new what = {.type = "tmpfs", .source = "none"};
    calls_expect(ramfs_make(&options, &what.root) == 0, "no ramfs");
    if (!mount_first())
        calls_expect(mount_add(NULL, &what, NULL) == 0, "no root");
}

size_t calls_mount_archive(const char *path, const void *archive, size_t size) {
    static const struct ramfs_options options = {.name = "ramfs", .mode = 0755};
    struct path walk = {.context = calls_task.paths, .who = &calls_root, .flags = PATH_DIRECTORY};
    struct inode *root;
    k42_enter();
    calls_expect(ramfs_make_root(&options, &root) == 0, "no ramfs");
    size_t entries = ramfs_fill(root, archive, size);
    struct mount_new what = {.root = (node_ref)root->self, .type = "ramfs", .source = "none"};
    calls_expect(path_walk(&walk, path) == 0 && mount_add(&walk.found, &what, NULL) == 0,
                 "not mounted");
    k42_exit();
    return entries;
}

void calls_open(void) {
    k42_result result = k42_init(NULL);
    number_calls();
    calls_expect(result == 0, "no runtime");
    calls_expect(numbers_open() == 0, "no numbers");
    calls_expect(k42_attach("test") == 0, "not attached");
    calls_root = (struct credentials){.references = 1, .effective = ~0ul, .permitted = ~0ul};
    calls_task = (struct task){
        .credentials = &calls_root, .pid = 100, .tid = 100, .file_size_limit = TASK_UNLIMITED};
    own_task = &calls_task;
    k42_enter();
    mount_root();
    memory_devices_register();
    memory_file_systems_register();
    proc_register();
    proc_files_register();
    calls_task.paths = path_context_make();
    calls_task.paths->mask = 0;
    calls_expect(calls_task.paths && descriptors_make(&calls_task.descriptors) == 0, "no task");
    node_ref devices;
    calls_expect(devfs_root(&devices) == 0, "no devtmpfs");
    k42_exit();
    struct k42_stats stats;
    k42_stats(&stats);
    objects_before = stats.objects;
}

void calls_settle(void) {
    struct k42_stats stats;
    for (int n = 0; n < 8 || stats.defers_pending; n++) {
        calls_expect(k42_defer_flush() == 0, "deferred work cannot be waited for");
        k42_stats(&stats);
    }
}

static uint64_t objects_now(void) {
    struct k42_stats stats;
    calls_settle();
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
    calls_expect(left <= objects_before, "objects were left over");
}

static const char *class_of(k42_id id, char name[48]) {
    struct k42_object_info info;
    calls_expect(k42_inspect(k42_id_ref(id), &info) == 0, "no such object");
    k42_copy_text(name, 48, info.class_name);
    return name;
}

const char *calls_class_of(int fd, char name[48]) {
    k42_enter();
    struct k42_pair file = k42_call(own_task->descriptors, get, fd);
    k42_exit();
    calls_expect(file.result >= 0, "no such descriptor");
    return class_of(k42_ref_id((k42_ref)file.word), name);
}

const char *calls_class_of_node(int fd, char name[48]) {
    k42_enter();
    struct k42_pair file = k42_call(own_task->descriptors, get, fd), node = file;
    if (file.result >= 0)
        node = k42_call((file_ref)file.word, node);
    k42_exit();
    calls_expect(node.result >= 0, "no such node");
    return class_of(k42_ref_id((k42_ref)node.word), name);
}

const char *calls_class_of_pipe(int fd, char name[48]) {
    struct file_poll poll = {0};
    k42_enter();
    struct k42_pair file = k42_call(own_task->descriptors, get, fd);
    k42_result result = file.result < 0 ? file.result : k42_call((file_ref)file.word, poll, &poll);
    k42_exit();
    calls_expect(result >= 0, "no such pipe");
    return class_of(poll.object, name);
}

void calls_become(unsigned uid) {
    calls_root.euid = calls_root.fsuid = uid;
    calls_root.effective = uid ? 0 : ~0ul;
}

void calls_limit_files(uint64_t bytes) {
    calls_task.file_size_limit = bytes;
}

struct task *calls_begin_thread(const char *name, int copies) {
    struct task *task = k42_platform_alloc(sizeof *task);
    calls_expect(task && k42_attach(name) == 0, "no thread");
    *task = calls_task;
    own_task = task;
    k42_enter();
    if (copies) {
        struct k42_pair copy = k42_call(calls_task.descriptors, copy);
        calls_expect(copy.result == 0, "no copy of the descriptors");
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
    calls_expect(k42_detach() == 0, "not detached");
    k42_platform_free(task);
}
