/*
 * kcmp: whether two tasks share something: a file, memory, descriptors, folders, handlers.
 *
 * What they have is compared by its identity, which also says in which order to look for it. Any
 * call's thread; looks at both without holding anything.
 */
#include "../abi.h"
#include "../files/files.h"
#include "../whom.h"

#include <k42/k42.h>
#include <linux/kcmp.h>

/* 0: the same; 1: less; 2: more. */
static k42_result order(uint64_t a, uint64_t b) {
    return a == b ? 0 : a < b ? 1 : 2;
}

static k42_result compare_files(const struct task *a, int a_fd, const struct task *b, int b_fd) {
    struct k42_pair one = k42_call(a->descriptors, get, a_fd);
    struct k42_pair other = k42_call(b->descriptors, get, b_fd);
    if (one.result < 0 || other.result < 0)
        return -EBADF;
    return order(k42_id_of((file_ref)one.word), k42_id_of((file_ref)other.word));
}

static uint64_t memory_of(const struct task *task) {
    return (uintptr_t)__atomic_load_n(&task->memory, __ATOMIC_ACQUIRE);
}

/* Partly: no KCMP_EPOLL_TFD. */
LINUX_CALL(312, kcmp, int a_tid, int b_tid, int what, unsigned long a_number,
           unsigned long b_number) {
    const struct task *a = a_tid > 0 ? whom_thread(a_tid) : NULL;
    const struct task *b = b_tid > 0 ? whom_thread(b_tid) : NULL;
    if (!a || !b)
        return -ESRCH;
    if (!whom_may_trace(a) || !whom_may_trace(b))
        return -EPERM;
    switch (what) {
    case KCMP_FILE:
        return compare_files(a, (int)a_number, b, (int)b_number);
    case KCMP_VM:
        return order(memory_of(a), memory_of(b));
    case KCMP_FILES:
        return order(k42_id_of(a->descriptors), k42_id_of(b->descriptors));
    case KCMP_FS:
        return order((uintptr_t)a->paths, (uintptr_t)b->paths);
    case KCMP_SIGHAND:
        return order(k42_id_of(a->process), k42_id_of(b->process));
    case KCMP_IO:
    case KCMP_SYSVSEM:
        return 0; /* nobody has any */
    default:
        return -EINVAL;
    }
}
