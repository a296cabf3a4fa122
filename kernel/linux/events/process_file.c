/*
 * pidfd: an open file that stands for a process.
 *
 * It knows the process by its number and by when it started, which no later process of that number
 * has in common with it; so it holds nothing, and a number that was given on leads nowhere. It is
 * readable from the process's end on, as soon as its parent (or its tracer) finds it when it waits,
 * and is waited for at the process.
 *
 * Data: constant from when it is settled. No end is missed: that it is known is noted under the
 * process's lock, which info() takes, before who waits is notified. Format: file.process, by
 * pointer.
 */
#include "process_file.h"

#include "../../fs/procfs/procfs.h"
#include "../files/files.h"
#include "../files/proc.h"
#include "../process/ids.h"
#include "../whom.h"
#include "unnamed.h"

struct process_file {
    struct opened opened;
    uint64_t started_ns;
    int32_t pid; /* atomic; 0: none yet */
};

#define PROCESS_FILE(self) k42_container(OPENED(self), struct process_file, opened)

/* What FILE_SET takes and FILE_LOOK gives. */
struct process_handle {
    uint64_t started_ns;
    int32_t pid;
};

/* -ESRCH: it has gone. */
static k42_result find(const struct process_file *file, process_ref *process,
                       struct process_info *info) {
    int32_t pid = __atomic_load_n(&file->pid, __ATOMIC_ACQUIRE);
    *process = ids_process(pid);
    bool is_it = k42_call(*process, info, info) >= 0 && info->pid == pid &&
                 info->started_ns == file->started_ns;
    return is_it ? 0 : -ESRCH;
}

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result process_poll(struct file *self, struct file_poll *poll) {
    const struct process_file *file = PROCESS_FILE(self);
    struct process_info info;
    process_ref process;
    bool there = find(file, &process, &info) >= 0;
    if (poll && there)
        *poll = (struct file_poll){.object = k42_id_of(process), .key = PROCESS_ENDED};
    else
        unnamed_poll(&file->opened, poll);
    return there && !info.known ? 0 : FILE_READABLE;
}

static k42_result process_control(struct file *self, unsigned request, uintptr_t argument) {
    struct process_file *file = PROCESS_FILE(self);
    struct process_handle *handle = (struct process_handle *)argument;
    switch (request) {
    case FILE_KIND:
        return FILE_OF_PROCESS;
    case FILE_SET:
        file->started_ns = handle->started_ns;
        __atomic_store_n(&file->pid, handle->pid, __ATOMIC_RELEASE);
        return 0;
    case FILE_LOOK:
        *handle = (struct process_handle){file->started_ns, file->pid};
        return 0;
    default:
        return -ENOTTY;
    }
}

static const struct file_ops process_file_ops = {
    UNNAMED_METHODS,      .read = no_bytes,     .write = no_bytes, .control = process_control,
    .poll = process_poll, .seek = file_no_seek,
};

static const struct k42_format process_file_format = {"file.process", 1, 1};
static const struct k42_transfer process_file_transfers[] = BODY_TRANSFERS(process_file_format);

K42_CLASS(file_process) = {
    .name = "file.process",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &process_file_ops,
    .fini = opened_fini,
    .transfers = process_file_transfers,
};

/* ---- for calls ---- */

k42_result process_file_get(int fd, process_ref *process, struct process_info *info) {
    struct process_handle handle;
    file_ref file;
    if (unnamed_get(fd, FILE_OF_PROCESS, &file) < 0 ||
        k42_call(file, control, FILE_LOOK, (uintptr_t)&handle) < 0)
        return -EBADF;
    struct process_file same = {.started_ns = handle.started_ns, .pid = handle.pid};
    return find(&same, process, info);
}

/* The process that a folder of /proc is about now. */
static k42_result find_by_folder(int fd, process_ref *process, struct process_info *info) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0 || (k42_call(file, flags) & OPEN_PATH))
        return -EBADF;
    struct k42_pair node = k42_call(file, node);
    if (node.result < 0)
        return -EBADF;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, proc_number((node_ref)node.word, &proc_process));
    if (result < 0)
        return result == -ENOENT ? -ESRCH : -EBADF;
    *process = ids_process((int)result);
    return k42_call(*process, info, info) < 0 || info->pid != result ? -ESRCH : 0;
}

k42_result process_file_target(int fd, process_ref *process, struct process_info *info) {
    k42_result result = process_file_get(fd, process, info);
    return result == -EBADF ? find_by_folder(fd, process, info) : result;
}

k42_result process_file_flags(int fd) {
    file_ref file;
    return unnamed_get(fd, FILE_OF_PROCESS, &file) < 0 ? -EBADF : k42_call(file, flags);
}

k42_result process_file_reserve(void) {
    return unnamed_open(&file_process, sizeof(struct process_file), OPEN_CLOSE_ON_EXEC, NULL, NULL);
}

void process_file_settle(int fd, process_ref process) {
    struct process_info info;
    file_ref file;
    if (k42_call(process, info, &info) < 0 || unnamed_get(fd, FILE_OF_PROCESS, &file) < 0)
        return; /* another thread has closed it already */
    struct process_handle handle = {info.started_ns, info.pid};
    (void)!k42_call(file, control, FILE_SET, (uintptr_t)&handle);
}

void process_file_take_back(int fd) {
    files_take_back(fd);
}

/* ---- calls ---- */

static k42_result set_up(struct opened *opened, void *context) {
    struct process_file *file = k42_container(opened, struct process_file, opened);
    const struct process_info *info = context;
    file->started_ns = info->started_ns;
    file->pid = info->pid;
    return 0;
}

LINUX_CALL(434, pidfd_open, int pid, unsigned flags) {
    struct process_info info;
    if ((flags & ~(unsigned)OPEN_NON_BLOCKING) || pid <= 0)
        return -EINVAL;
    if (k42_call(ids_process(pid), info, &info) < 0)
        return -ESRCH;
    if (info.pid != pid)
        return -EINVAL; /* a thread that began no process */
    return unnamed_open(&file_process, sizeof(struct process_file), flags | OPEN_CLOSE_ON_EXEC,
                        set_up, &info);
}

LINUX_CALL(438, pidfd_getfd, int process_fd, int fd, unsigned flags) {
    struct process_info info;
    process_ref process;
    if (flags)
        return -EINVAL;
    k42_result result = process_file_get(process_fd, &process, &info);
    if (result < 0)
        return result;
    struct k42_pair found = k42_call(process, thread, 0, 1);
    if (found.result < 0)
        return -ESRCH;
    const struct task *other = (const struct task *)found.word;
    if (!whom_may_trace(other))
        return -EPERM;
    struct k42_pair file = k42_call(other->descriptors, get, fd);
    if (file.result < 0 || k42_call((file_ref)file.word, hold) < 0)
        return -EBADF;
    return files_add((file_ref)file.word, OPEN_CLOSE_ON_EXEC);
}
