/*
 * setns, and /proc/PID/ns: whose name spaces a task is in.
 *
 * All tasks are in one name space of mounts, so to enter it is to go back to its root.
 */
#include "../../fs/procfs/procfs.h"
#include "../../print.h"
#include "../abi.h"
#include "../events/process_file.h"
#include "../files/files.h"
#include "../files/proc.h"
#include "../host_names.h"
#include "../proc/proc.h"
#include "../process/lives.h"
#include "../whom.h"
#include "name_space.h"
#include "runtime.h"

struct name_space name_space_of_mounts = {
    .references = 1, .kind = CLONE_NEWNS, .number = 0xeffffff0};

static struct name_space *space_of(const struct task *task, unsigned kind) {
    return kind == CLONE_NEWUTS ? name_space_of_host(task) : &name_space_of_mounts;
}

/* ---- setns ---- */

/* Which name spaces there are at all. */
#define KINDS (CLONE_NEWUTS | CLONE_NEWNS)

static k42_result may_enter(const struct task *self, unsigned kinds) {
    bool may = task_capable(self, CAP_SYS_ADMIN) &&
               (!(kinds & CLONE_NEWNS) || task_capable(self, CAP_SYS_CHROOT));
    if (!may)
        return -EPERM;
    bool shares = __atomic_load_n(&self->paths->references, __ATOMIC_RELAXED) > 1;
    return (kinds & CLONE_NEWNS) && shares ? -EINVAL : 0;
}

static k42_result go_to_root(const struct task *self) {
    struct mount *first = mount_first();
    struct place root = {first, first->root};
    mount_descend(&root);
    k42_result result = place_hold(&root);
    if (result < 0)
        return result;
    result = place_hold(&root);
    if (result < 0) {
        place_release(&root);
        return result;
    }
    path_set_root(self->paths, &root);
    path_set_working(self->paths, &root);
    return 0;
}

/* The name space of host's names, held, or NULL: none of them. */
static k42_result enter(unsigned kinds, struct name_space *host) {
    struct task *self = task_self();
    k42_result result = may_enter(self, kinds);
    if (result >= 0 && (kinds & CLONE_NEWUTS) && !name_space_hold(host))
        result = -ESRCH;
    if (result >= 0 && (kinds & CLONE_NEWNS)) {
        result = go_to_root(self);
        if (result < 0 && (kinds & CLONE_NEWUTS))
            name_space_release(host);
    }
    if (result >= 0 && (kinds & CLONE_NEWUTS))
        host_names_enter(self, host);
    return result;
}

static k42_result enter_those_of(process_ref process, const struct process_info *info,
                                 unsigned kinds) {
    if (!kinds || (kinds & ~(unsigned)KINDS))
        return -EINVAL;
    struct k42_pair found = k42_call(process, thread, info->pid, 1);
    if (found.result < 0)
        return -ESRCH;
    const struct task *task = (const struct task *)found.word;
    if (!whom_may_trace(task))
        return -EPERM;
    return enter(kinds, name_space_of_host(task));
}

LINUX_CALL(308, setns, int fd, unsigned kinds) {
    struct name_space *space;
    struct process_info info;
    process_ref process;
    k42_result result = process_file_get(fd, &process, &info);
    if (result != -EBADF)
        return result < 0 ? result : enter_those_of(process, &info, kinds);
    result = name_space_get(fd, &space);
    if (result < 0)
        return result;
    return kinds && kinds != space->kind ? -EINVAL : enter(space->kind, space);
}

/* ---- /proc/PID/ns ---- */

static k42_result target(const struct proc_key *key, unsigned kind, char *text, size_t size) {
    const struct task *task = proc_task(key->id[0]);
    if (!task)
        return -ENOENT;
    return (k42_result)k42_format_text(text, size, "%s:[%lu]", name_space_name(kind),
                                       space_of(task, kind)->number);
}

static k42_result jump(const struct proc_key *key, unsigned kind, struct place *place) {
    const struct task *task = proc_task(key->id[0]);
    *place = (struct place){0};
    if (task)
        place->node = (node_ref)space_of(task, kind)->node;
    return task ? 0 : -ENOENT;
}

static k42_result host_target(const struct proc_key *key, char *text, size_t size) {
    return target(key, CLONE_NEWUTS, text, size);
}

static k42_result host_jump(const struct proc_key *key, struct place *place) {
    return jump(key, CLONE_NEWUTS, place);
}

static k42_result mounts_target(const struct proc_key *key, char *text, size_t size) {
    return target(key, CLONE_NEWNS, text, size);
}

static k42_result mounts_jump(const struct proc_key *key, struct place *place) {
    return jump(key, CLONE_NEWNS, place);
}

#define LINK(name_, target_, jump_)                                                                \
    {                                                                                              \
        .name = name_, .mode = MODE_LINK | 0777, .jumps = true, .target = target_, .jump = jump_,  \
        .allows = proc_may_trace, .owner = proc_owner                                              \
    }

void name_spaces_proc_register(void) {
    static struct proc_entry folder = {
        .name = "ns", .mode = MODE_DIRECTORY | 0511, .owner = proc_owner};
    static struct proc_entry links[] = {LINK("mnt", mounts_target, mounts_jump),
                                        LINK("uts", host_target, host_jump)};
    struct name_space *machine = name_space_of_host(NULL);
    if (name_space_open(machine) < 0 || name_space_open(&name_space_of_mounts) < 0)
        panic("linux: no memory for the first name spaces");
    proc_add(&proc_process, &folder);
    for (unsigned i = 0; i < sizeof links / sizeof *links; i++)
        proc_add(&folder, &links[i]);
}
