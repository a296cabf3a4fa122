/*
 * userfaultfd: a file that is told where watched mappings of its program lack a page, and through
 * which somebody brings it.
 *
 *   faults.c         what is lacking, and who waits for it     faults_file.c   reading, polling
 *   faults_calls.c   userfaultfd, its ioctls                   copies.c        bringing pages
 *
 * A mapping names the file that watches it (mem/space/watch.c), and asks it when a thread touches
 * what is not there. The thread waits at the file with the page's address as the key, as for
 * anything: a signal or its end takes it away from there. When somebody brings the page, says wake,
 * or closes the file, whoever waits in that range makes the access again.
 *
 * A thread has one fault at most, since it touches one address at a time: whatever it did about its
 * last one, the next takes that one's place. So there are no more of them than there were threads.
 *
 * No fault is told whose page is there. A thread that finds nothing notes its fault first, hidden;
 * when it comes to the same again, having looked once more, the fault becomes one to be read. What
 * brings a page does so first, and then takes all faults there away, hidden ones, too: so either
 * the second look sees the page, or the fault is gone and noted anew.
 */
#ifndef KERNEL_LINUX_FAULTS_H
#define KERNEL_LINUX_FAULTS_H

#include "../../../mem/space/space.h"
#include "../../task.h"
#include "../unnamed.h"

#include <k42/lock.h>
#include <linux/userfaultfd.h>

#define FAULT_LISTS 32u

enum fault_state { FAULT_HIDDEN, FAULT_UNREAD, FAULT_TOLD };

struct fault {
    struct fault *next;            /* of threads with the same remainder */
    struct fault *later, *earlier; /* of those to be read */
    uintptr_t address;
    uint64_t number; /* which of all that were to be read */
    uint32_t access;
    int32_t tid;
    uint32_t state;
};

struct faults {
    struct opened opened; /* held by its users and by mappings */
    uint32_t users;       /* descriptors and calls: with the last it is closed; atomic */
    uint32_t watched;     /* mappings that name it; atomic */
    space_ref space;      /* whose mappings it watches; see faults_reach(); constant */
    int32_t pid;          /* and the process's number that made it; constant */
    bool program_only;    /* not what calls touch; constant */
    uint64_t features;    /* 0: UFFDIO_API was not called; set once, atomic */

    struct k42_lock lock; /* guards what follows; leaf, but for notifications */
    struct fault *of_threads[FAULT_LISTS];
    struct fault *first, *last; /* to be read */
    uint64_t numbers;
    bool closed;
};

#define FEATURES_SET (1ul << 63) /* with those asked for */
/* What there is to be asked for. */
#define FEATURES_KNOWN                                                                             \
    (UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_SIGBUS | UFFD_FEATURE_THREAD_ID |                   \
     UFFD_FEATURE_EXACT_ADDRESS)

static inline uint64_t faults_features(const struct faults *faults) {
    return __atomic_load_n(&faults->features, __ATOMIC_ACQUIRE);
}

/*
 * Whether the address space is there, for the calling thread as long as it is active: while a
 * mapping of it names the file, it has not ended, and its number is nobody else's; before that, and
 * afterwards, only the process itself can tell.
 */
static inline bool faults_reach(const struct faults *faults) {
    const struct task *self = task_self();
    return __atomic_load_n(&faults->watched, __ATOMIC_ACQUIRE) ||
           (self->pid == faults->pid && self->space == faults->space);
}

struct faults_range {
    uintptr_t start, end;
};

/* ---- faults.c ---- */

struct file_page_missing;
/* FILE_PAGE_MISSING. */
k42_result faults_missing(struct faults *faults, const struct file_page_missing *missing);
/* Whoever waits for a page of the range tries again; or, `hidden_only`, nobody who waits does. */
void faults_wake(struct faults *faults, const struct faults_range *range, bool hidden_only);
/* The first to be read, as a message. Its number, which it is taken by; 0: there is none. */
uint64_t faults_first(struct faults *faults, struct uffd_msg *message);
/* False: somebody has woken its thread meanwhile. */
bool faults_take(struct faults *faults, uint64_t number);
/* With its last user. */
void faults_close(struct faults *faults);

/* ---- copies.c ---- */

/* UFFDIO_COPY and UFFDIO_ZEROPAGE. */
k42_result faults_copy(struct faults *faults, uintptr_t argument);
k42_result faults_zero(struct faults *faults, uintptr_t argument);

/* ---- faults_calls.c ---- */

/* Whole pages of a program's, and some. -EINVAL. */
K42_MUST_CHECK
k42_result faults_check_range(uint64_t start, uint64_t length, struct faults_range *range);

/* ---- faults_file.c ---- */

/* A new one's number in the calling task's table. */
k42_result faults_file_open(unsigned flags, bool program_only);

#endif
