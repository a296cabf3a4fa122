/*
 * signalfd: signals that are read instead of delivered.
 *
 * Which ones is the file's; whose is the reader's, who takes those that wait for his thread or
 * process, in the order of delivery, as sigtimedwait() does. So it is waited for where the reader's
 * process says that a signal came.
 *
 * A signal that was taken and then found no page to go to is kept for the next who reads. One call
 * at a time has the file (offset_take()), for that and for what it copies.
 *
 * Data: `kept`, of whoever has the file; `set`, atomic. Format: file.signals, by pointer. Fails:
 * -EINVAL, -EFAULT.
 */
#include "unnamed.h"

#include "../../sched/thread.h"
#include "../abi.h"
#include "../program.h"
#include "../task.h"

struct signal_file {
    struct opened opened;
    uint64_t set;
    struct signal_info kept; /* signal 0: none */
};

#define SIGNAL_FILE(self) k42_container(OPENED(self), struct signal_file, opened)

static uint64_t set_of(const struct signal_file *file) {
    return __atomic_load_n(&file->set, __ATOMIC_RELAXED);
}

/* ---- what is read ---- */

/* Which members a signal has is told by its code, and for what the kernel found by its number. */
static void describe_fault(const struct signal_info *info, struct signalfd_siginfo *told) {
    switch (info->signal) {
    case SIGCHLD:
        told->ssi_pid = (uint32_t)info->child.pid;
        told->ssi_uid = info->child.uid;
        told->ssi_status = info->child.status;
        told->ssi_utime = (uint64_t)info->child.user_ticks;
        told->ssi_stime = (uint64_t)info->child.system_ticks;
        break;
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
        told->ssi_addr = info->fault.address;
        break;
    default:
        told->ssi_band = (uint32_t)info->poll.band;
        told->ssi_fd = info->poll.fd;
    }
}

static void describe(const struct signal_info *info, struct signalfd_siginfo *told) {
    *told = (struct signalfd_siginfo){
        .ssi_signo = (uint32_t)info->signal, .ssi_errno = info->error, .ssi_code = info->code};
    if (info->code > SI_USER && info->code < SI_KERNEL) {
        describe_fault(info, told);
    } else if (info->code == SI_TIMER) {
        told->ssi_tid = (uint32_t)info->timer.id;
        told->ssi_overrun = (uint32_t)info->timer.overrun;
        told->ssi_ptr = info->timer.value;
        told->ssi_int = (int32_t)info->timer.value;
    } else {
        told->ssi_pid = (uint32_t)info->sent.pid;
        told->ssi_uid = info->sent.uid;
        told->ssi_ptr = info->code < 0 ? info->sent.value : 0;
        told->ssi_int = info->code < 0 ? (int32_t)info->sent.value : 0;
    }
}

/* 1, or 0: none waits. */
static k42_result take(struct signal_file *file, struct signal_info *info) {
    struct task *task = task_self();
    struct signal_taken taken;
    *info = file->kept;
    if (info->signal)
        return 1;
    k42_result result = signal_take(task, set_of(file), false, &taken);
    *info = taken.info;
    return result;
}

/* As many as there are and fit; with the file. */
static k42_result read_signals(struct signal_file *file, struct copy *copy) {
    struct signalfd_siginfo told;
    k42_result done = 0, result = 0;
    while (copy->left >= sizeof told) {
        struct signal_info info;
        result = take(file, &info);
        if (result <= 0)
            break;
        describe(&info, &told);
        file->kept = info;
        result = unnamed_copy_out(copy, &told, sizeof told);
        if (result < 0)
            break;
        file->kept.signal = 0;
        done += sizeof told;
    }
    return done ? done : result;
}

/* ---- methods ---- */

static k42_result signal_read(struct file *self, int64_t offset, struct copy *copy) {
    struct signal_file *file = SIGNAL_FILE(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (copy->left < sizeof(struct signalfd_siginfo))
        return -EINVAL;
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    result = read_signals(file, copy);
    offset_leave(&file->opened);
    if (result)
        return result;
    if (__atomic_load_n(&file->opened.flags, __ATOMIC_RELAXED) & OPEN_NON_BLOCKING)
        return -EAGAIN;
    return wait_on(k42_id_of(task_self()->process), PROCESS_SIGNALS, WAIT_READ);
}

static k42_result signal_no_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

static k42_result signal_poll(struct file *self, struct file_poll *poll) {
    struct signal_file *file = SIGNAL_FILE(self);
    struct task *task = task_self();
    if (poll)
        *poll = (struct file_poll){.object = k42_id_of(task->process), .key = PROCESS_SIGNALS};
    struct k42_pair pending = k42_call(task->process, pending, task);
    bool ready = (pending.word & set_of(file)) || file->kept.signal;
    return ready ? FILE_NO_BANDS | FILE_READABLE : 0;
}

static k42_result signal_control(struct file *self, unsigned request, uintptr_t argument) {
    struct signal_file *file = SIGNAL_FILE(self);
    if (request == FILE_KIND)
        return FILE_OF_SIGNALS;
    if (request != FILE_SET)
        return -ENOTTY;
    __atomic_store_n(&file->set, argument, __ATOMIC_RELAXED);
    return 0;
}

static const struct file_ops signal_ops = {
    UNNAMED_METHODS,           .read = signal_read, .write = signal_no_write,
    .control = signal_control, .poll = signal_poll, .seek = unnamed_seek,
};

static const struct k42_format signal_format = {"file.signals", 1, 1};
static const struct k42_transfer signal_transfers[] = BODY_TRANSFERS(signal_format);

K42_CLASS(file_signals) = {
    .name = "file.signals",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &signal_ops,
    .fini = opened_fini,
    .transfers = signal_transfers,
};

/* ---- calls ---- */

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct signal_file, opened)->set = *(const uint64_t *)context;
    return 0;
}

/* Who waits already finds what is in the new set. */
static k42_result change(int fd, uint64_t set) {
    file_ref file;
    k42_result result = unnamed_get(fd, FILE_OF_SIGNALS, &file);
    if (result >= 0)
        result = k42_call(file, control, FILE_SET, set);
    WAIT_BARRIER();
    if (result >= 0)
        (void)!wait_notify(k42_id_of(task_self()->process), PROCESS_SIGNALS, WAIT_READ, WAIT_ALL);
    return result < 0 ? result : fd;
}

static k42_result open_signals(int fd, uintptr_t from, size_t size, unsigned flags) {
    uint64_t set;
    if (size != sizeof set)
        return -EINVAL;
    k42_result result = program_read(&set, from, sizeof set);
    if (result < 0)
        return result;
    if (flags & ~(unsigned)(OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    set &= ~SIGNALS_UNBLOCKABLE;
    return fd == -1 ? unnamed_open(&file_signals, sizeof(struct signal_file), flags, set_up, &set)
                    : change(fd, set);
}

LINUX_CALL(282, signalfd, int fd, uintptr_t set, size_t size) {
    return open_signals(fd, set, size, 0);
}

LINUX_CALL(289, signalfd4, int fd, uintptr_t set, size_t size, unsigned flags) {
    return open_signals(fd, set, size, flags);
}
