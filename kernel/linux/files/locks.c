/*
 * fcntl's locks, and flock.
 */
#include "locks.h"

#include "../../fs/locks.h"
#include "files.h"

struct linux_flock {
    int16_t type, whence;
    int64_t start, length;
    int32_t process;
};

enum { FLOCK_READ, FLOCK_WRITE, FLOCK_NONE };

/* The range in bytes from the file's start. -EINVAL, -EOVERFLOW. */
static k42_result range_of(file_ref file, const struct linux_flock *from, struct file_lock *lock) {
    int64_t base = 0;
    if (from->whence == SEEK_TO_CURRENT) {
        base = files_seek(file, 0, SEEK_TO_CURRENT);
    } else if (from->whence == SEEK_TO_END) {
        struct node_attributes attributes;
        struct k42_pair node = k42_call(file, node);
        k42_result result = node.result;
        if (result >= 0)
            WAIT_CALL(result, WAIT_FOREVER, 0,
                      k42_call((node_ref)node.word, attributes, &attributes));
        base = result < 0 ? result : (int64_t)attributes.size;
    } else if (from->whence != SEEK_TO_START) {
        return -EINVAL;
    }
    if (base < 0)
        return base == -ESPIPE ? 0 : base;
    int64_t start, end;
    if (__builtin_add_overflow(base, from->start, &start))
        return -EOVERFLOW;
    if (from->length > 0) {
        if (__builtin_add_overflow(start, from->length - 1, &end))
            return -EOVERFLOW;
    } else {
        end = from->length ? start - 1 : INT64_MAX;
        start += from->length;
    }
    if (start < 0)
        return -EINVAL;
    lock->start = (uint64_t)start;
    lock->end = end == INT64_MAX ? ~0ul : (uint64_t)end;
    return 0;
}

static k42_result lock_of(file_ref file, const struct lock_request *request,
                          const struct linux_flock *from, struct file_lock *lock) {
    struct task *task = task_self();
    struct k42_pair node = k42_call(file, node);
    if (node.result < 0)
        return node.result;
    if (from->type != FLOCK_READ && from->type != FLOCK_WRITE && from->type != FLOCK_NONE)
        return -EINVAL;
    if (request->of_file && from->process)
        return -EINVAL;
    *lock = (struct file_lock){
        .node = k42_id_of(node.word),
        .owner = request->of_file ? k42_id_of(file) : k42_id_of(task->descriptors),
        .kind = LOCK_RECORD,
        .type = from->type == FLOCK_READ    ? LOCK_READ
                : from->type == FLOCK_WRITE ? LOCK_WRITE
                                            : LOCK_NONE,
        .process = request->of_file ? -1 : task->pid,
    };
    return range_of(file, from, lock);
}

static k42_result ask(const struct file_lock *lock, struct linux_flock *to, uintptr_t argument) {
    struct file_lock found;
    if (lock->type == LOCK_NONE)
        return -EINVAL;
    locks_find(lock, &found);
    if (found.type == LOCK_NONE) {
        to->type = FLOCK_NONE;
    } else {
        *to = (struct linux_flock){
            .type = found.type == LOCK_READ ? FLOCK_READ : FLOCK_WRITE,
            .start = (int64_t)found.start,
            .length = found.end == ~0ul ? 0 : (int64_t)(found.end - found.start + 1),
            .process = found.process,
        };
    }
    return files_copy_out(argument, to, sizeof *to);
}

/* The lock's own file must have been opened for what the lock is about. */
static k42_result may_lock(file_ref file, const struct file_lock *lock) {
    k42_result flags = k42_call(file, flags);
    if (flags < 0)
        return flags;
    if ((lock->type == LOCK_READ && !open_reads((unsigned)flags)) ||
        (lock->type == LOCK_WRITE && !open_writes((unsigned)flags)))
        return -EBADF;
    return 0;
}

static k42_result set(file_ref file, const struct file_lock *lock, bool waits) {
    k42_result result = locks_set(lock);
    if (result != -K42_WAIT)
        return result == -ENOMEM ? -ENOLCK : result;
    if (!waits)
        return -EAGAIN;
    result = k42_call(file, hold);
    if (result < 0)
        return result;
    struct lock_waiter waiter = {.listed = false};
    WAIT_CALL(result, WAIT_FOREVER, 0, locks_await(lock, &waiter));
    locks_waited(&waiter);
    (void)!k42_call(file, release);
    return result == -ENOMEM ? -ENOLCK : result;
}

k42_result locks_fcntl(file_ref file, const struct lock_request *request, uintptr_t argument) {
    struct linux_flock flock;
    struct file_lock lock;
    k42_result result = files_copy_in(&flock, argument, sizeof flock);
    if (result >= 0)
        result = lock_of(file, request, &flock, &lock);
    if (result < 0)
        return result;
    if (request->asks)
        return ask(&lock, &flock, argument);
    result = may_lock(file, &lock);
    return result < 0 ? result : set(file, &lock, request->waits);
}

void locks_closed(file_ref file, descriptors_ref owner) {
    struct k42_pair node = k42_call(file, node);
    if (node.result >= 0)
        locks_drop(k42_id_of(node.word), k42_id_of(owner));
}

enum { WHOLE_SHARED = 1, WHOLE_EXCLUSIVE = 2, WHOLE_NO_WAIT = 4, WHOLE_NONE = 8 };

LINUX_CALL(73, flock, int fd, unsigned operation) {
    unsigned what = operation & ~(unsigned)WHOLE_NO_WAIT;
    if (what != WHOLE_SHARED && what != WHOLE_EXCLUSIVE && what != WHOLE_NONE)
        return -EINVAL;
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    if (result < 0 || (result & OPEN_PATH))
        return -EBADF;
    struct k42_pair node = k42_call(file, node);
    if (node.result < 0)
        return linux_result(node.result, -EBADF);
    struct file_lock lock = {
        .node = k42_id_of(node.word),
        .owner = k42_id_of(file),
        .kind = LOCK_WHOLE,
        .type = what == WHOLE_SHARED ? LOCK_READ
                : what == WHOLE_NONE ? LOCK_NONE
                                     : LOCK_WRITE,
        .end = ~0ul,
    };
    return linux_result(set(file, &lock, !(operation & WHOLE_NO_WAIT)), -EBADF);
}
