/*
 * Calls about descriptors themselves: close, dup, fcntl, and ioctl's general part.
 */
#include "files.h"
#include "leases.h"
#include "locks.h"
#include "owners.h"
#include "seals.h"

enum {
    F_DUP = 0,
    F_GET_FD,
    F_SET_FD,
    F_GET_FL,
    F_SET_FL,
    F_GET_LOCK,
    F_SET_LOCK,
    F_SET_LOCK_WAIT,
    F_GET_OPEN_LOCK = 36,
    F_SET_OPEN_LOCK,
    F_SET_OPEN_LOCK_WAIT,
    F_DUP_ON_EXEC = 1030,
    F_SET_PIPE_SIZE,
    F_GET_PIPE_SIZE,
};

/* ---- closing ---- */

void (*files_told_of_closing)(file_ref file);

/* A descriptor of it goes, and with it what the process has by any of them. */
static void say_closed(file_ref file, descriptors_ref owner) {
    void (*tell)(file_ref) = __atomic_load_n(&files_told_of_closing, __ATOMIC_RELAXED);
    locks_closed(file, owner);
    folder_watches_closed(k42_id_of(file), k42_id_of(owner));
    if (tell)
        tell(file);
}

static k42_result close_one(int fd) {
    struct task *task = task_self();
    struct k42_pair taken = k42_call(task->descriptors, take, fd);
    if (taken.result < 0)
        return taken.result;
    file_ref file = (file_ref)taken.word;
    say_closed(file, task->descriptors);
    (void)!k42_call(file, release);
    return 0;
}

LINUX_CALL(3, close, int fd) {
    return close_one(fd);
}

enum { RANGE_UNSHARE = 2, RANGE_ON_EXEC = 4 };

/* Of the shared table a copy becomes the task's own first. */
static k42_result unshare(struct task *task) {
    struct k42_pair copy = k42_call(task->descriptors, copy);
    if (copy.result < 0)
        return copy.result;
    descriptors_ref before = task->descriptors;
    task->descriptors = (descriptors_ref)copy.word;
    (void)!k42_call(before, release);
    return 0;
}

LINUX_CALL(436, close_range, unsigned first, unsigned last, unsigned flags) {
    struct task *task = task_self();
    if ((flags & ~(unsigned)(RANGE_UNSHARE | RANGE_ON_EXEC)) || first > last)
        return -EINVAL;
    k42_result result = flags & RANGE_UNSHARE ? unshare(task) : 0;
    if (result < 0)
        return result;
    for (unsigned at = first; at <= 0x7fffffff;) {
        result = k42_call(task->descriptors, next, (int)at);
        if (result < 0 || (unsigned)result > last)
            break;
        if (flags & RANGE_ON_EXEC)
            (void)!k42_call(task->descriptors, set_flags, (int)result, DESCRIPTOR_CLOSE_ON_EXEC);
        else
            (void)!close_one((int)result);
        at = (unsigned)result + 1;
    }
    return 0;
}

/* ---- dup ---- */

/* A file that is held once more. */
static k42_result get_held(int fd, file_ref *file) {
    k42_result result = files_get(fd, file);
    if (result >= 0)
        result = k42_call(*file, hold);
    return result == -K42_STALE ? -EBADF : result;
}

static k42_result dup_from(int fd, int from, unsigned flags) {
    file_ref file;
    int limit = files_limit();
    k42_result result = get_held(fd, &file);
    if (result < 0)
        return result;
    result = from < 0 || from >= limit
                 ? -EINVAL
                 : k42_call(task_self()->descriptors, add, from, (k42_ref)file, flags, limit);
    if (result < 0)
        (void)!k42_call(file, release);
    return result;
}

static k42_result dup_to(int fd, int to, unsigned flags) {
    struct task *task = task_self();
    file_ref file, before;
    int limit = files_limit();
    if (to < 0 || to >= limit)
        return -EBADF;
    k42_result result = get_held(fd, &file);
    if (result < 0)
        return result;
    if (files_get(to, &before) >= 0)
        say_closed(before, task->descriptors);
    result = k42_call(task->descriptors, put, to, (k42_ref)file, flags, limit);
    if (result < 0)
        (void)!k42_call(file, release);
    return result;
}

LINUX_CALL(32, dup, int fd) {
    k42_result result = dup_from(fd, 0, 0);
    return result == -EINVAL ? -EMFILE : result;
}

LINUX_CALL(33, dup2, int fd, int to) {
    file_ref file;
    if (fd != to)
        return dup_to(fd, to, 0);
    return files_get(fd, &file) < 0 ? -EBADF : to;
}

LINUX_CALL(292, dup3, int fd, int to, unsigned flags) {
    if ((flags & ~(unsigned)OPEN_CLOSE_ON_EXEC) || fd == to)
        return -EINVAL;
    return dup_to(fd, to, flags ? DESCRIPTOR_CLOSE_ON_EXEC : 0);
}

/* ---- fcntl ---- */

/* Only a file's owner reads it without a trace. */
static k42_result may_leave_no_trace(file_ref file) {
    struct node_attributes attributes;
    struct k42_pair node = k42_call(file, node);
    if (node.result < 0 || !node.word)
        return node.result;
    k42_result result = k42_call((node_ref)node.word, attributes, &attributes);
    bool may = attributes.uid == task_self()->credentials->fsuid || files_may(CAPABILITY_OWNER);
    return result < 0 ? result : may ? 0 : -EPERM;
}

/* Its owner is told of what it is ready for, or no more. */
static k42_result set_async(int fd, bool tells) {
    file_ref file;
    k42_result result = get_held(fd, &file);
    if (result < 0)
        return result;
    if (tells)
        result = async_begin(file, fd);
    else
        async_end(k42_id_of(file));
    (void)!k42_call(file, release);
    return result;
}

static k42_result set_flags(int fd, file_ref file, unsigned now, unsigned flags) {
    k42_result result = 0;
    if ((now ^ flags) & OPEN_ASYNC)
        result = set_async(fd, flags & OPEN_ASYNC);
    return result < 0 ? result : k42_call(file, set_flags, flags);
}

static k42_result set_status(int fd, file_ref file, unsigned flags) {
    k42_result now = k42_call(file, flags), result = now;
    if (now >= 0 && (flags & ~(unsigned)now & OPEN_NO_ACCESSED))
        FILES_CALL(result, may_leave_no_trace(file));
    return result < 0 ? result : set_flags(fd, file, (unsigned)now, flags);
}

static k42_result control_file(int fd, file_ref file, int command, uintptr_t argument) {
    switch (command) {
    case F_GET_FL:
        return k42_call(file, flags);
    case F_SET_FL:
        return set_status(fd, file, (unsigned)argument);
    case F_SET_PIPE_SIZE: {
        enum { MOST_UNPRIVILEGED = 1 << 20 };
        if (argument > MOST_UNPRIVILEGED && !files_may(CAPABILITY_RESOURCES))
            return -EPERM;
        k42_result result;
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(file, control, FILE_SET_PIPE_SIZE, argument));
        return result == -ENOTTY ? -EBADF : result;
    }
    case F_GET_PIPE_SIZE: {
        k42_result result = k42_call(file, control, FILE_PIPE_SIZE, 0);
        return result == -ENOTTY ? -EBADF : result;
    }
    case F_GET_SEALS_OF: {
        k42_result result = k42_call(file, control, FILE_SEALS, 0);
        return result == -ENOTTY ? -EINVAL : result;
    }
    default:
        return -EINVAL;
    }
}

static bool is_for_held(int command) {
    return (command >= F_SET_OWNER && command <= F_GET_SIGNAL) || command == F_WATCH_FOLDER ||
           command == F_SET_LEASE || command == F_GET_LEASE || command == F_ADD_SEALS_TO ||
           (command >= F_SET_OWNER_OF_KIND && command <= F_GET_OWNER_USERS);
}

/* The file is held, so what is said of it is there when it ends. */
static k42_result control_held(int fd, int command, uintptr_t argument) {
    file_ref file;
    k42_result result = get_held(fd, &file);
    if (result < 0)
        return result;
    switch (command) {
    case F_WATCH_FOLDER:
        result = folder_watch(file, fd, (uint32_t)argument);
        break;
    case F_SET_LEASE:
        result = lease_set(file, fd, (int)argument);
        break;
    case F_GET_LEASE:
        result = lease_get(file);
        break;
    case F_ADD_SEALS_TO:
        result = seals_add(file, argument);
        break;
    default:
        result = owners_fcntl(file, command, argument);
    }
    (void)!k42_call(file, release);
    return result;
}

static bool is_lock(int command) {
    return (command >= F_GET_LOCK && command <= F_SET_LOCK_WAIT) ||
           (command >= F_GET_OPEN_LOCK && command <= F_SET_OPEN_LOCK_WAIT);
}

static struct lock_request lock_request_of(int command) {
    bool open = command >= F_GET_OPEN_LOCK;
    int plain = open ? command - F_GET_OPEN_LOCK + F_GET_LOCK : command;
    return (struct lock_request){
        .asks = plain == F_GET_LOCK, .waits = plain == F_SET_LOCK_WAIT, .of_file = open};
}

/* With O_PATH little more than the number can be used. */
static bool is_allowed_for_path(int command) {
    return command == F_DUP || command == F_DUP_ON_EXEC || command == F_GET_FD ||
           command == F_SET_FD || command == F_GET_FL;
}

LINUX_CALL(72, fcntl, int fd, int command, uintptr_t argument) {
    struct task *task = task_self();
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    switch (command) {
    case F_DUP:
        return dup_from(fd, (int)argument, 0);
    case F_DUP_ON_EXEC:
        return dup_from(fd, (int)argument, DESCRIPTOR_CLOSE_ON_EXEC);
    case F_GET_FD:
        return k42_call(task->descriptors, flags, fd);
    case F_SET_FD:
        return k42_call(task->descriptors, set_flags, fd, (unsigned)argument);
    }
    result = k42_call(file, flags);
    if (result >= 0 && (result & OPEN_PATH) && !is_allowed_for_path(command))
        return -EBADF;
    if (result >= 0 && is_lock(command)) {
        struct lock_request request = lock_request_of(command);
        return linux_result(locks_fcntl(file, &request, argument), -EBADF);
    }
    if (result >= 0)
        result = is_for_held(command) ? control_held(fd, command, argument)
                                      : control_file(fd, file, command, argument);
    return linux_result(result, -EBADF);
}

/* ---- ioctl ---- */

enum {
    IOCTL_NON_BLOCKING = 0x5421,
    IOCTL_ASYNC = 0x5452,
    IOCTL_NO_ON_EXEC = 0x5450,
    IOCTL_ON_EXEC = 0x5451,
    IOCTL_PEER = 0x5441,          /* TIOCGPTPEER */
    IOCTL_ADD_ELSEWHERE = 0x2103, /* SECCOMP_IOCTL_NOTIF_ADDFD, of whatever size and direction */
    IOCTL_OF_FAULTS = 0xaa,       /* the type of all those of userfaultfd */
};

k42_result (*files_add_elsewhere)(file_ref file, unsigned request, uintptr_t argument);

static k42_result set_flag(int fd, file_ref file, uintptr_t argument, unsigned flag) {
    int32_t value;
    k42_result result = files_copy_in(&value, argument, sizeof value);
    if (result < 0)
        return result;
    result = k42_call(file, flags);
    if (result < 0)
        return result;
    unsigned flags = value ? (unsigned)result | flag : (unsigned)result & ~flag;
    return set_flags(fd, file, (unsigned)result, flags);
}

/* The file is held: its driver may have the call wait. */
static k42_result control_waiting(file_ref file, unsigned request, uintptr_t argument) {
    k42_result result = k42_call(file, control, request, argument);
    if (result > -K42_WAIT || result == -K42_STALE)
        return result;
    result = k42_call(file, hold);
    if (result < 0)
        return result;
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(file, control, request, argument));
    (void)!k42_call(file, release);
    return result;
}

/* Opens the terminal of a master. */
static k42_result open_peer(file_ref file, unsigned flags) {
    struct place place;
    k42_result result = k42_call(file, control, FILE_PEER, (uintptr_t)&place);
    if (result >= 0)
        result = place_hold(&place);
    if (result < 0)
        return linux_result(result, -EIO);
    result = files_open_place(&place, flags);
    place_release(&place);
    return result;
}

LINUX_CALL(16, ioctl, int fd, unsigned request, uintptr_t argument) {
    struct task *task = task_self();
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    switch (request) {
    case IOCTL_ON_EXEC:
        return k42_call(task->descriptors, set_flags, fd, DESCRIPTOR_CLOSE_ON_EXEC);
    case IOCTL_NO_ON_EXEC:
        return k42_call(task->descriptors, set_flags, fd, 0);
    case IOCTL_NON_BLOCKING:
        return linux_result(set_flag(fd, file, argument, OPEN_NON_BLOCKING), -EBADF);
    case IOCTL_ASYNC:
        return linux_result(set_flag(fd, file, argument, OPEN_ASYNC), -EBADF);
    }
    if (request == IOCTL_PEER)
        return open_peer(file, (unsigned)argument);
    if ((uint16_t)request == IOCTL_ADD_ELSEWHERE &&
        k42_call(file, control, FILE_KIND, 0) == FILE_OF_LISTENER)
        return files_add_elsewhere(file, request, argument);
    if (request >= FILE_KERNEL_REQUESTS && request < FILE_REQUESTS_END)
        return -ENOTTY;
    if ((request >> 8 & 0xff) == IOCTL_OF_FAULTS &&
        k42_call(file, control, FILE_KIND, 0) == FILE_OF_FAULTS)
        return linux_result(files_control_faults(file, request, argument), -EBADF);
    return linux_result(control_waiting(file, request, argument), -EBADF);
}
