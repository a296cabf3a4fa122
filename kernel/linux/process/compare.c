/*
 * kcmp: whether two tasks share something: a file, memory, descriptors, folders, handlers.
 *
 * What they have is compared by its identity, which also says in which order to look for it. Any
 * call's thread; looks at both without holding anything.
 */
#include "../abi.h"
#include "../events/epoll/epoll.h"
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

/* The file that a set of files has an interest in, as its descriptor in the set's task says. */
static k42_result compare_watched(const struct task *a, int a_fd, const struct task *b,
                                  const struct kcmp_epoll_slot *slot) {
    struct k42_pair one = k42_call(a->descriptors, get, a_fd);
    struct k42_pair set = k42_call(b->descriptors, get, (int)slot->efd);
    if (one.result < 0 || set.result < 0)
        return -EBADF;
    file_ref file = (file_ref)set.word;
    if (k42_call(file, control, FILE_KIND, 0) != FILE_OF_POLL)
        return -EINVAL;
    epoll_ref epoll = (epoll_ref)k42_id_ref((k42_id)k42_call(file, control, FILE_OBJECT, 0));
    struct k42_pair other = k42_call(epoll, find, (int)slot->tfd, slot->toff);
    return other.result < 0 ? other.result : order(k42_id_of((file_ref)one.word), other.word);
}

struct comparison {
    int a, b, what;
    unsigned long a_number, b_number;
    struct kcmp_epoll_slot slot;
    k42_result slot_read; /* 0, or why it is not */
};

static k42_result compare(const struct comparison *its) {
    const struct task *a = its->a > 0 ? whom_thread(its->a) : NULL;
    const struct task *b = its->b > 0 ? whom_thread(its->b) : NULL;
    if (!a || !b)
        return -ESRCH;
    if (!whom_may_trace(a) || !whom_may_trace(b))
        return -EPERM;
    switch (its->what) {
    case KCMP_FILE:
        return compare_files(a, (int)its->a_number, b, (int)its->b_number);
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
    case KCMP_EPOLL_TFD:
        return its->slot_read < 0 ? its->slot_read
                                  : compare_watched(a, (int)its->a_number, b, &its->slot);
    default:
        return -EINVAL;
    }
}

/* Another call may have the set of files: then all is looked at anew. */
LINUX_CALL(312, kcmp, int a, int b, int what, unsigned long a_number, unsigned long b_number) {
    struct comparison its = {a, b, what, a_number, b_number, {0}, 0};
    k42_result result;
    if (what == KCMP_EPOLL_TFD)
        its.slot_read = files_copy_in(&its.slot, b_number, sizeof its.slot);
    FILES_CALL(result, compare(&its));
    return result;
}
