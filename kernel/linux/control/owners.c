/*
 * Which objects belong to which process, and which to which file: found as /proc finds them, by
 * asking the process, its table of open files and its address space, and files for their nodes.
 *
 * A request goes through some processes, and says where the next one goes on: which process, which
 * part of it, and where in that. What is found lasts while the caller is active; nothing is locked,
 * so those who come or go meanwhile may be met or not.
 */
#include "control.h"

#include "../../fs/values.h"
#include "../../mem/space/space.h"
#include "../files/files.h"
#include "../files/proc.h"
#include "../process/charge.h"
#include "../process/ids.h"
#include "../task.h"
#include "../whom.h"

#include <k42/k42.h>

enum {
    ROOM = 64 * 1024 - sizeof(struct k42_control_head),
    NAME_ROOM = 4096,
    PAGE_BITS = 12,
};

/* `from` of a request: the process in the highest 16 bits, the part in the next two. */
enum part { PART_SELF, PART_FILES, PART_MAPPINGS, PARTS };
enum { PROCESS_SHIFT = 48, PART_SHIFT = 46 };

struct round {
    struct control *control;
    struct task *task;
    int pid;
    bool hidden;   /* the names of its files are not told */
    char *name;    /* NAME_ROOM bytes */
    bool waits;    /* a file's node could not say yet what cache it has, and noted where to wait */
    uint32_t last; /* the cache of the mapping told last */
};

static size_t record_size(size_t name) {
    return (sizeof(struct k42_control_owned) + name + 8) / 8 * 8;
}

/* A record with room for a name of that length and its end; NULL: the answer is full. */
static struct k42_control_owned *add(struct round *round, enum k42_control_role role,
                                     const char *name, size_t length) {
    struct k42_control_owned *owned = control_add(round->control, record_size(length));
    if (!owned)
        return NULL;
    owned->length = (uint32_t)record_size(length);
    owned->role = (uint16_t)role;
    owned->pid = round->pid;
    __builtin_memcpy(owned->name, name, length);
    return owned;
}

/* ---- a file ---- */

static bool is_pipe(k42_id id) {
    struct k42_object_info info;
    return k42_inspect(k42_id_ref(id), &info) >= 0 && k42_text_equal(info.interface_name, "pipe");
}

/* The name of a file into round->name; returns its length. A pipe is not asked for its node: it
 * would make one. */
static size_t name_file(struct round *round, file_ref file, k42_id medium) {
    struct place root = path_root(task_self()->paths);
    struct k42_pair place = k42_call(file, place);
    k42_result length;
    if (place.result >= 0 && !place.word && medium && is_pipe(medium))
        length = (k42_result)k42_format_text(round->name, NAME_ROOM, "pipe:%u", medium);
    else
        length = files_name(file, &root, round->name, NAME_ROOM);
    return length < 0 ? 0 : (size_t)length;
}

static bool add_file(struct round *round, enum k42_control_role role, uint64_t number,
                     file_ref file) {
    struct file_poll poll = {0};
    (void)!k42_call(file, poll, &poll);
    k42_id medium = poll.object == k42_id_of(file) ? 0 : poll.object;
    size_t length = round->hidden ? 0 : name_file(round, file, medium);
    struct k42_control_owned *owned = add(round, role, round->name, length);
    if (!owned)
        return false;
    owned->number = number;
    owned->flags = (round->hidden ? K42_CONTROL_HIDDEN : 0u) |
                   (length == NAME_ROOM ? (unsigned)K42_CONTROL_CUT : 0u);
    owned->object = k42_id_of(file);
    owned->medium = medium;
    struct k42_pair place = k42_call(file, place);
    bool unnamed_pipe = place.result >= 0 && !place.word && medium;
    struct k42_pair node =
        unnamed_pipe ? (struct k42_pair){.result = -ENOENT} : k42_call(file, node);
    if (node.result < 0)
        return true;
    owned->node = k42_ref_id((k42_ref)node.word);
    struct k42_pair cache = k42_call((node_ref)node.word, cache);
    if (cache.result >= 0)
        owned->cache = k42_ref_id((k42_ref)cache.word);
    round->waits = cache.result == -K42_WAIT;
    return true;
}

/* ---- a process ---- */

static uint64_t cursor(int pid, enum part part, uint64_t at) {
    return (uint64_t)pid << PROCESS_SHIFT | (uint64_t)part << PART_SHIFT | at;
}

/* What its memory is charged to, unless that is everybody's. */
static k42_id own_pm(const struct task *task) {
    const struct task_memory *memory = __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE);
    return memory && memory->charge ? k42_id_of(memory->charge->pm) : 0;
}

static bool add_self(struct round *round, process_ref process) {
    static const enum k42_control_role roles[] = {K42_CONTROL_SPACE, K42_CONTROL_DESCRIPTORS};
    struct process_info info = {0};
    (void)!k42_call(process, info, &info);
    const char *name = round->task ? round->task->name : info.name;
    struct k42_control_owned *owned =
        add(round, K42_CONTROL_PROCESS, name, k42_text_length(name) % TASK_NAME);
    if (!owned)
        return false;
    owned->parent = (uint32_t)info.parent;
    owned->object = k42_id_of(process);
    for (unsigned i = 0; round->task && i < 2; i++) {
        if (!(owned = add(round, roles[i], "", 0)))
            return false;
        owned->object = i ? k42_id_of(round->task->descriptors) : k42_id_of(round->task->space);
        owned->medium = i ? 0 : own_pm(round->task);
    }
    return true;
}

/* Its files from a descriptor on. Where to go on when the answer is full; ~0: that was all. */
static uint64_t add_files(struct round *round, uint64_t from) {
    k42_result number = from > INT32_MAX ? -ENOENT : (k42_result)from;
    while (number >= 0 && (number = k42_call(round->task->descriptors, next, (int)number)) >= 0) {
        struct k42_pair file = k42_call(round->task->descriptors, get, (int)number);
        if (file.result >= 0 &&
            !add_file(round, K42_CONTROL_OPEN, (uint64_t)number, (file_ref)file.word))
            return (uint64_t)number;
        number = number == INT32_MAX ? -ENOENT : number + 1;
    }
    return ~0ul;
}

static uint64_t add_mappings(struct round *round, uint64_t from) {
    struct space_mapping mapping = {.end = from << PAGE_BITS};
    while (k42_call(round->task->space, find, mapping.end, 0, &mapping) >= 0) {
        k42_id cache = k42_id_of(mapping.fcm);
        if (!k42_id_of(mapping.file) || cache == round->last)
            continue;
        if (!add_file(round, K42_CONTROL_MAPPED, mapping.start, (file_ref)mapping.file))
            return mapping.start >> PAGE_BITS;
        round->last = cache;
    }
    return ~0ul;
}

/* One process from a part on. Where to go on; 0: all of it has been told. */
static uint64_t add_process(struct round *round, process_ref process, enum part part, uint64_t at) {
    struct task *task = round->task = proc_task((uint64_t)round->pid);
    const struct task *self = task_self();
    round->hidden = task && !whom_is_own(task) && !task_capable(self, CAPABILITY_ADMINISTRATOR);
    round->last = 0;
    if (part == PART_SELF && !add_self(round, process))
        return cursor(round->pid, PART_SELF, 0);
    for (; task && part < PARTS; part++, at = 0) {
        uint64_t stopped = part == PART_FILES      ? add_files(round, at)
                           : part == PART_MAPPINGS ? add_mappings(round, at)
                                                   : ~0ul;
        if (stopped != ~0ul)
            return cursor(round->pid, part, stopped);
    }
    return 0;
}

/* ---- the requests ---- */

static uint64_t add_processes(struct round *round, const struct k42_control_filter *filter) {
    uint64_t from = filter->from;
    int first = filter->from ? (int)(from >> PROCESS_SHIFT) : filter->pid ? filter->pid : 1;
    for (int pid = first; (pid = ids_next(pid)) > 0; pid++, from = 0) {
        struct process_info info;
        process_ref process = ids_process(pid);
        if (filter->pid && pid != filter->pid)
            return 0;
        if (!process || k42_call(process, info, &info) < 0 || info.pid != pid)
            continue;
        round->pid = pid;
        bool going_on = from && pid == first;
        enum part part = going_on ? (enum part)(from >> PART_SHIFT & 3) : PART_SELF;
        uint64_t at = going_on ? from & ((1ul << PART_SHIFT) - 1) : 0;
        uint64_t next = add_process(round, process, part, at);
        if (next)
            return next;
        /* A process as a whole seldom is much: further ones while there is room for a name. */
        if (control_room(round->control) < ROOM / 2)
            return filter->pid ? 0 : cursor(pid + 1, PART_SELF, 0);
    }
    return 0;
}

k42_result control_owners(struct control *control, const struct control_request *request) {
    const struct k42_control_filter *filter = request->body;
    struct round round = {.control = control, .name = k42_platform_alloc(NAME_ROOM)};
    k42_result result = round.name ? control_begin(control, request->kind, ROOM) : -ENOMEM;
    if (filter->pid && !ids_process(filter->pid))
        result = -ENOENT;
    if (!result)
        control_go_on(control, add_processes(&round, filter));
    k42_platform_free(round.name);
    return result;
}

k42_result control_file(struct control *control, const struct control_request *request) {
    const struct k42_control_one *one = request->body;
    struct task *task = task_self();
    struct round round = {.control = control, .task = task, .pid = task->pid};
    file_ref file;
    if (one->number > INT32_MAX || files_get((int)one->number, &file) < 0)
        return -EBADF;
    round.name = k42_platform_alloc(NAME_ROOM);
    k42_result result = round.name ? control_begin(control, request->kind, ROOM) : -ENOMEM;
    if (!result)
        (void)add_file(&round, K42_CONTROL_OPEN, one->number, file);
    k42_platform_free(round.name);
    return !result && round.waits ? -K42_WAIT : result;
}
