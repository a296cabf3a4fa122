/*
 * What watched mappings lack, thread by thread, and who waits for it. See faults.h.
 *
 * Faults are found by thread, so however many wait, a fault costs the same. Waking looks at all
 * that wait at this file, as Linux does: which is no more than the threads that are stopped
 * meanwhile.
 *
 * Locking: faults->lock; a page's waiters are notified with it held. Fails: -ENOMEM.
 */
#include "faults.h"

#include "../../../fs/file.h"
#include "../../../mem/machine.h"
#include "platform.h"

#define PAGE_MASK ((uintptr_t)MACHINE_PAGE_SIZE - 1)

static uintptr_t page_of(uintptr_t address) {
    return address & ~PAGE_MASK;
}

static struct fault **list_of(struct faults *faults, int tid) {
    return &faults->of_threads[(uint32_t)tid % FAULT_LISTS];
}

/* ---- with the lock ---- */

static void enqueue(struct faults *faults, struct fault *fault) {
    fault->state = FAULT_UNREAD;
    fault->number = ++faults->numbers;
    fault->later = NULL;
    fault->earlier = faults->last;
    *(faults->last ? &faults->last->later : &faults->first) = fault;
    faults->last = fault;
}

static void dequeue(struct faults *faults, struct fault *fault, enum fault_state state) {
    if (fault->state == FAULT_UNREAD) {
        *(fault->earlier ? &fault->earlier->later : &faults->first) = fault->later;
        *(fault->later ? &fault->later->earlier : &faults->last) = fault->earlier;
    }
    fault->state = state;
}

static struct fault *find(struct faults *faults, int tid) {
    struct fault *fault = *list_of(faults, tid);
    while (fault && fault->tid != tid)
        fault = fault->next;
    return fault;
}

/* The calling thread's, hidden, whatever it was before. NULL: no memory. */
static struct fault *begin(struct faults *faults, struct fault *fault, int tid) {
    if (!fault) {
        fault = k42_platform_alloc(sizeof *fault);
        if (!fault)
            return NULL;
        struct fault **list = list_of(faults, tid);
        *fault = (struct fault){.next = *list, .tid = tid};
        *list = fault;
    }
    dequeue(faults, fault, FAULT_HIDDEN);
    return fault;
}

/* ---- a page is lacking ---- */

/* Of one that calls may not touch, or nobody: as behind the end of a file. */
static bool is_refused(const struct faults *faults, unsigned access) {
    return faults_features(faults) & UFFD_FEATURE_SIGBUS ||
           (faults->program_only && !(access & SPACE_ACCESS_PROGRAM));
}

enum { STALE, NOTED, WAITS, TO_BE_READ };

static int note(struct faults *faults, const struct file_page_missing *missing) {
    int tid = task_self()->tid;
    struct fault *fault = find(faults, tid);
    if (faults->closed)
        return STALE;
    if (!fault || page_of(fault->address) != page_of(missing->address)) {
        fault = begin(faults, fault, tid);
        if (!fault)
            return -ENOMEM;
        fault->address = missing->address;
        fault->access = missing->access;
        return NOTED;
    }
    if (fault->state != FAULT_HIDDEN)
        return WAITS;
    fault->address = missing->address;
    fault->access = missing->access;
    enqueue(faults, fault);
    return TO_BE_READ;
}

/* Between what is noted and the wait the page may come: whoever brings it notifies afterwards, and
 * by then the thread stands in the table, or is to look once more before it sleeps. */
k42_result faults_missing(struct faults *faults, const struct file_page_missing *missing) {
    if (is_refused(faults, missing->access))
        return -ENXIO;
    k42_lock(&faults->lock);
    int noted = note(faults, missing);
    k42_unlock(&faults->lock);
    if (noted < 0 || noted == STALE)
        return noted;
    if (noted == NOTED)
        return -K42_RETRY;
    if (noted == TO_BE_READ)
        (void)!wait_notify(unnamed_id(&faults->opened), UNNAMED_DATA, WAIT_READ, 1);
    return wait_on(unnamed_id(&faults->opened), page_of(missing->address), WAIT_WRITE);
}

/* ---- it is there ---- */

static bool is_in(const struct fault *fault, const struct faults_range *range) {
    return fault->address >= range->start && fault->address < range->end;
}

static void wake_some(struct faults *faults, struct fault **list, const struct faults_range *range,
                      bool hidden_only) {
    for (struct fault **at = list; *at;) {
        struct fault *fault = *at;
        if (!is_in(fault, range) || (hidden_only && fault->state != FAULT_HIDDEN)) {
            at = &fault->next;
            continue;
        }
        *at = fault->next;
        dequeue(faults, fault, FAULT_HIDDEN);
        (void)!wait_notify(unnamed_id(&faults->opened), page_of(fault->address), WAIT_WRITE,
                           WAIT_ALL);
        k42_platform_free(fault);
    }
}

void faults_wake(struct faults *faults, const struct faults_range *range, bool hidden_only) {
    k42_lock(&faults->lock);
    for (unsigned i = 0; i < FAULT_LISTS; i++)
        wake_some(faults, &faults->of_threads[i], range, hidden_only);
    k42_unlock(&faults->lock);
}

void faults_close(struct faults *faults) {
    static const struct faults_range all = {0, ~0ul};
    k42_lock(&faults->lock);
    faults->closed = true;
    k42_unlock(&faults->lock);
    wait_hangup(unnamed_id(&faults->opened), FILE_ENDS); /* mappings may name it for long */
    faults_wake(faults, &all, false);
}

/* ---- reading ---- */

static void tell(const struct faults *faults, const struct fault *fault, struct uffd_msg *message) {
    uint64_t features = faults_features(faults);
    bool write = (fault->access & SPACE_ACCESS_KINDS) == SPACE_ACCESS_WRITE;
    *message = (struct uffd_msg){.event = UFFD_EVENT_PAGEFAULT};
    message->arg.pagefault.flags = write ? UFFD_PAGEFAULT_FLAG_WRITE : 0;
    message->arg.pagefault.address =
        features & UFFD_FEATURE_EXACT_ADDRESS ? fault->address : page_of(fault->address);
    if (features & UFFD_FEATURE_THREAD_ID)
        message->arg.pagefault.feat.ptid = (uint32_t)fault->tid;
}

uint64_t faults_first(struct faults *faults, struct uffd_msg *message) {
    uint64_t number = 0;
    k42_lock(&faults->lock);
    if (faults->first) {
        number = faults->first->number;
        tell(faults, faults->first, message);
    }
    k42_unlock(&faults->lock);
    return number;
}

bool faults_take(struct faults *faults, uint64_t number) {
    k42_lock(&faults->lock);
    bool is_first = faults->first && faults->first->number == number;
    if (is_first)
        dequeue(faults, faults->first, FAULT_TOLD);
    k42_unlock(&faults->lock);
    return is_first;
}
