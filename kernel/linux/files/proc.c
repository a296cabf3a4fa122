/*
 * What /proc says of a process's files: its descriptors, and the mounts it sees.
 *
 * The tables of other processes are looked into as their own threads do, without a lock: what is
 * found lasts while the caller is active.
 */
#include "proc.h"

#include "../../fs/procfs/procfs.h"
#include "../ipc/segment.h"
#include "../namespaces/name_space.h"
#include "files.h"
#include "runtime.h"

#include <string.h>

/* ---- descriptors ---- */

static k42_result file_of(const struct proc_key *key, file_ref *file) {
    struct task *task = proc_task(key->id[0]);
    if (!task)
        return -ESRCH;
    struct k42_pair found = k42_call(task->descriptors, get, (int)key->id[1]);
    *file = (file_ref)found.word;
    return found.result < 0 ? -ENOENT : 0;
}

static k42_result next_file(const struct proc_key *key, uint64_t from) {
    struct task *task = proc_task(key->id[0]);
    if (!task || from > 0x7fffffff)
        return -ESRCH;
    return k42_call(task->descriptors, next, (int)from);
}

/* As Linux has it: SYSV and the key. */
static k42_result segment_target(file_ref file, char *text, size_t size) {
    struct segment_told told;
    char key[8];
    k42_result result = k42_call(file, control, FILE_LOOK, (uintptr_t)&told);
    if (result < 0)
        return -ENOENT;
    for (unsigned i = 0; i < sizeof key; i++)
        key[i] = "0123456789abcdef"[(uint32_t)told.key >> (28 - 4 * i) & 15];
    size_t length = k42_format_text(text, size, "/SYSV........ (deleted)");
    memcpy(text + 5, key, sizeof key);
    return (k42_result)length;
}

static k42_result name_space_target(file_ref file, node_ref node, char *text, size_t size) {
    struct node_attributes attributes;
    k42_result kind = k42_call(file, control, NAME_SPACE_KIND, 0);
    k42_result result = k42_call(node, attributes, &attributes);
    if (kind < 0 || result < 0)
        return -ENOENT;
    return (k42_result)k42_format_text(text, size, "%s:[%lu]", name_space_name((unsigned)kind),
                                       attributes.number);
}

static k42_result memory_file_target(node_ref node, char *text, size_t size) {
    char title[NODE_NAME_MAX + 1];
    struct k42_pair called = k42_call(node, name, title, NODE_NAME_MAX);
    title[called.result < 0 ? 0 : called.result] = 0;
    return (k42_result)k42_format_text(text, size, "/%s (deleted)", title);
}

/* What a file without a name is called. */
static k42_result unnamed_target(file_ref file, node_ref node, char *text, size_t size) {
    static const char *const kinds[] = {
        [FILE_OF_COUNTER] = "[eventfd]",       [FILE_OF_TIMER] = "[timerfd]",
        [FILE_OF_SIGNALS] = "[signalfd]",      [FILE_OF_POLL] = "[eventpoll]",
        [FILE_OF_PROCESS] = "[pidfd]",         [FILE_OF_CHANGES] = "inotify",
        [FILE_OF_LISTENER] = "seccomp notify", [FILE_OF_FAULTS] = "[userfaultfd]",
    };
    k42_result known = k42_call(file, control, FILE_KIND, 0);
    if (known == FILE_OF_SEGMENT)
        return segment_target(file, text, size);
    if (known == FILE_OF_NAME_SPACE)
        return name_space_target(file, node, text, size);
    if (known == FILE_OF_SECRET)
        return (k42_result)k42_format_text(text, size, "/secretmem (deleted)");
    if (known > 0 && known < (k42_result)(sizeof kinds / sizeof *kinds) && kinds[known])
        return (k42_result)k42_format_text(text, size, "anon_inode:%s", kinds[known]);
    struct node_attributes attributes;
    k42_result result = k42_call(node, attributes, &attributes);
    if (result < 0)
        return result == -K42_WAIT ? result : -ENOENT;
    uint32_t type = attributes.mode & MODE_TYPE;
    const char *kind = type == MODE_FIFO ? "pipe" : type == MODE_SOCKET ? "socket" : "anon_inode";
    if (type == MODE_REGULAR)
        return memory_file_target(node, text, size);
    return (k42_result)k42_format_text(text, size, "%s:[%lu]", kind, attributes.number);
}

k42_result files_name(file_ref file, const struct place *root, char *text, size_t size) {
    struct k42_pair place = k42_call(file, place), node = k42_call(file, node);
    if (node.result < 0 || place.result < 0)
        return -ENOENT;
    if (!place.word)
        return unnamed_target(file, (node_ref)node.word, text, size);
    char *whole = k42_platform_alloc(FILES_PATH), *begin;
    if (!whole)
        return -ENOMEM;
    k42_result result =
        path_name((const struct place *)place.word, root, whole, FILES_PATH, &begin);
    if (result >= 0) {
        result = (k42_result)k42_text_length(begin);
        result = result > (k42_result)size ? (k42_result)size : result;
        memcpy(text, begin, (size_t)result);
    } else {
        result = (k42_result)k42_format_text(text, size, "(deleted)");
    }
    k42_platform_free(whole);
    return result;
}

static k42_result file_target(const struct proc_key *key, char *text, size_t size) {
    struct task *self = task_self();
    file_ref file;
    k42_result result = file_of(key, &file);
    if (result < 0 || !self)
        return -ENOENT;
    struct place root = path_root(self->paths);
    return files_name(file, &root, text, size);
}

/* What the link can be opened for, as if it were of use: what the file was. */
static k42_result file_permissions(const struct proc_key *key) {
    file_ref file;
    k42_result flags, result = file_of(key, &file);
    if (result < 0 || (flags = k42_call(file, flags)) < 0)
        return -ENOENT;
    bool only_path = flags & OPEN_PATH;
    return 0100 | (open_reads((unsigned)flags) && !only_path ? 0400 : 0) |
           (open_writes((unsigned)flags) && !only_path ? 0200 : 0);
}

static k42_result file_jump(const struct proc_key *key, struct place *place) {
    file_ref file;
    k42_result result = file_of(key, &file);
    if (result < 0)
        return -ENOENT;
    struct k42_pair found = k42_call(file, place), node = k42_call(file, node);
    if (found.result < 0 || node.result < 0)
        return -ENOENT;
    *place = found.word ? *(const struct place *)found.word
                        : (struct place){.node = (node_ref)node.word};
    return 0;
}

static void print_octal(struct proc_text *text, uint64_t number) {
    char digits[24], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + number % 8);
    while (number /= 8);
    proc_put(text, "0", 1);
    proc_put(text, at, (size_t)(digits + sizeof digits - at));
}

static k42_result print_file(const struct proc_key *key, struct proc_text *text) {
    struct task *task = proc_task(key->id[0]);
    struct node_attributes attributes = {0};
    file_ref file;
    k42_result result = file_of(key, &file);
    if (result < 0 || !task)
        return -ENOENT;
    struct k42_pair node = k42_call(file, node), place = k42_call(file, place);
    k42_result offset = k42_call(file, seek, 0, SEEK_TO_CURRENT), flags = k42_call(file, flags);
    k42_result on_exec = k42_call(task->descriptors, flags, (int)key->id[1]);
    if (flags < 0 || node.result < 0)
        return -ENOENT;
    if (offset == -K42_WAIT)
        return offset;
    result = k42_call((node_ref)node.word, attributes, &attributes);
    if (result < 0)
        return result == -K42_WAIT ? result : -ENOENT;
    proc_print(text, "pos:\t%ld\nflags:\t", offset < 0 ? 0 : offset);
    print_octal(text, (uint64_t)flags | (on_exec > 0 ? OPEN_CLOSE_ON_EXEC : 0));
    const struct place *at = place.result < 0 ? NULL : (const struct place *)place.word;
    proc_print(text, "\nmnt_id:\t%u\nino:\t%lu\n", at && at->mount ? at->mount->id : 0,
               attributes.number);
    return 0;
}

/* ---- mounts ---- */

/* Blanks and their like would part a line at the wrong place. */
static void print_escaped(struct proc_text *text, const char *from) {
    for (; *from; from++) {
        if (*from == ' ' || *from == '\t' || *from == '\n' || *from == '\\') {
            char code[4] = {'\\', (char)('0' + (*from >> 6)), (char)('0' + (*from >> 3 & 7)),
                            (char)('0' + (*from & 7))};
            proc_put(text, code, sizeof code);
        } else {
            proc_put(text, from, 1);
        }
    }
}

static void print_flags(struct proc_text *text, unsigned flags) {
    proc_print(text, "%s%s%s%s,relatime", flags & NODE_READ_ONLY ? "ro" : "rw",
               flags & NODE_NO_SETUID ? ",nosuid" : "", flags & NODE_NO_DEVICES ? ",nodev" : "",
               flags & NODE_NO_EXECUTE ? ",noexec" : "");
}

/* The name of what a mount stands before. NULL: it cannot be reached from the reader's root. */
static const char *point_of(struct mount *mount, char *text) {
    struct place at = {mount, mount->root}, root = path_root(task_self()->paths);
    char *begin;
    return path_name(&at, &root, text, FILES_PATH, &begin) == 0 ? begin : NULL;
}

static k42_result print_mount(struct proc_text *text, struct mount *mount, const char *point) {
    print_escaped(text, mount->source);
    proc_put(text, " ", 1);
    print_escaped(text, point);
    proc_print(text, " %s ", mount->type);
    print_flags(text, mount->flags);
    proc_print(text, " 0 0\n");
    return 0;
}

static k42_result print_mount_info(struct proc_text *text, struct mount *mount, const char *point) {
    struct node_attributes attributes = {0};
    struct mount *parent = mount->parent;
    if (k42_call(mount->root, attributes, &attributes) == -K42_WAIT)
        return -K42_WAIT;
    proc_print(text, "%u %u %u:%u / ", mount->id, parent ? parent->id : mount->id,
               (unsigned)(attributes.device >> 8 & 0xfff), (unsigned)(attributes.device & 0xff));
    print_escaped(text, point);
    proc_put(text, " ", 1);
    print_flags(text, mount->flags);
    proc_print(text, " - %s ", mount->type);
    print_escaped(text, mount->source);
    proc_print(text, " rw\n");
    return 0;
}

static k42_result print_all(struct proc_text *text,
                            k42_result (*print)(struct proc_text *, struct mount *, const char *)) {
    char *name = k42_platform_alloc(FILES_PATH);
    if (!name || !task_self()) {
        k42_platform_free(name);
        return -ENOMEM;
    }
    k42_result result = 0;
    for (struct mount *mount = mount_next(0); mount && !result; mount = mount_next(mount->id)) {
        const char *point = point_of(mount, name);
        if (point)
            result = print(text, mount, point);
    }
    k42_platform_free(name);
    return result;
}

static k42_result print_mounts(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_all(text, print_mount);
}

static k42_result print_mount_infos(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_all(text, print_mount_info);
}

/* ---- links ---- */

static k42_result self_target(const struct proc_key *key, char *text, size_t size) {
    struct task *task = task_self();
    (void)key;
    return task ? (k42_result)k42_format_text(text, size, "%d", task->pid) : -ENOENT;
}

static k42_result thread_target(const struct proc_key *key, char *text, size_t size) {
    struct task *task = task_self();
    (void)key;
    return task ? (k42_result)k42_format_text(text, size, "%d/task/%d", task->pid, task->tid)
                : -ENOENT;
}

static k42_result mounts_target(const struct proc_key *key, char *text, size_t size) {
    (void)key;
    return (k42_result)k42_format_text(text, size, "self/mounts");
}

/* ---- the tree ---- */

k42_result proc_owner(const struct proc_key *key, uint32_t *uid, uint32_t *gid) {
    struct task *task = proc_task(key->id[0]);
    if (!task)
        return proc_owner_left(key->id[0], uid, gid);
    const struct credentials *who = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
    *uid = who->euid;
    *gid = who->egid;
    return 0;
}

static k42_result next_process(const struct proc_key *key, uint64_t from) {
    (void)key;
    return proc_next_task(from);
}

struct proc_entry proc_process = {.mode = MODE_DIRECTORY | 0555, .owner = proc_owner};

void proc_files_register(void) {
    static struct proc_entry file_link = {.mode = MODE_LINK | 0700,
                                          .jumps = true,
                                          .target = file_target,
                                          .jump = file_jump,
                                          .permissions = file_permissions,
                                          .owner = proc_owner};
    static struct proc_entry file_info = {
        .mode = MODE_REGULAR | 0400, .print = print_file, .owner = proc_owner};
    static struct proc_entry fd = {.name = "fd",
                                   .mode = MODE_DIRECTORY | 0500,
                                   .next = next_file,
                                   .each = &file_link,
                                   .owner = proc_owner};
    static struct proc_entry fdinfo = {.name = "fdinfo",
                                       .mode = MODE_DIRECTORY | 0500,
                                       .next = next_file,
                                       .each = &file_info,
                                       .owner = proc_owner};
    static struct proc_entry mounts = {
        .name = "mounts", .mode = MODE_REGULAR | 0444, .print = print_mounts};
    static struct proc_entry mount_infos = {
        .name = "mountinfo", .mode = MODE_REGULAR | 0444, .print = print_mount_infos};
    static struct proc_entry self = {
        .name = "self", .mode = MODE_LINK | 0777, .target = self_target};
    static struct proc_entry thread = {
        .name = "thread-self", .mode = MODE_LINK | 0777, .target = thread_target};
    static struct proc_entry all_mounts = {
        .name = "mounts", .mode = MODE_LINK | 0777, .target = mounts_target};
    proc_add_each(NULL, next_process, &proc_process);
    proc_add(&proc_process, &fd);
    proc_add(&proc_process, &fdinfo);
    proc_add(&proc_process, &mounts);
    proc_add(&proc_process, &mount_infos);
    proc_add(NULL, &self);
    proc_add(NULL, &thread);
    proc_add(NULL, &all_mounts);
}
