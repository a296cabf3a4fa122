/*
 * RLIMIT_FSIZE: how long a process may make regular files, of whatever file system.
 *
 * Asked before a file is changed, in the call, not in the file: two writers that move the same end
 * at one moment may both go as far as the limit lets either, so a file gets longer than its limit
 * by what one call writes at most, never more. The limit is in the task's record (process/keep.c),
 * and a process without one pays a load and a compare.
 *
 * Any call's thread; holds nothing. Methods that must ask a server say -K42_WAIT, which is passed
 * on.
 */
#include "files.h"

#include "../signal/signals.h"

/* As Linux says it: as if the program had sent it. */
void files_tell_self(int signal) {
    struct signal_info info = signal_from_self(signal, 0 /* SI_USER */);
    (void)!signal_thread(task_self()->tid, &info);
}

/* Ends the call, so it is said once. */
static k42_result too_long(void) {
    files_tell_self(SIGXFSZ);
    return -EFBIG;
}

static uint64_t limit_of_self(void) {
    return __atomic_load_n(&task_self()->file_size_limit, __ATOMIC_RELAXED);
}

static k42_result attributes_of(file_ref file, struct node_attributes *attributes) {
    struct k42_pair node = k42_call(file, node);
    return node.result < 0 ? node.result : k42_call((node_ref)node.word, attributes, attributes);
}

/* What is no regular file, and what cannot be written at all, is the file's to say. */
static bool is_limited(file_ref file, struct node_attributes *attributes, k42_result *result) {
    k42_result flags = k42_call(file, flags);
    if (flags < 0 || (flags & OPEN_PATH) || !open_writes((unsigned)flags))
        return false;
    *result = attributes_of(file, attributes);
    return *result < 0 || (attributes->mode & MODE_TYPE) == MODE_REGULAR;
}

k42_result files_cut_write(struct files_transfer *transfer, uint64_t limit) {
    struct node_attributes attributes;
    k42_result result = 0;
    if (!transfer->copy.left || !is_limited(transfer->file, &attributes, &result) || result < 0)
        return result;
    int64_t at = transfer->offset;
    if (at < FILE_CURRENT || (k42_call(transfer->file, flags) & OPEN_APPEND))
        at = (int64_t)attributes.size;
    else if (at == FILE_CURRENT)
        at = k42_call(transfer->file, seek, 0, SEEK_TO_CURRENT);
    if (at < 0)
        return at;
    if ((uint64_t)at >= limit)
        return too_long();
    transfer->limited |= copy_cut(&transfer->copy, limit - (uint64_t)at) > 0;
    return 0;
}

k42_result files_limit_size(uint64_t present, uint64_t wanted) {
    return wanted > present && wanted > limit_of_self() ? too_long() : 0;
}

k42_result files_limit_resize(file_ref file, uint64_t wanted) {
    struct node_attributes attributes;
    k42_result result = 0;
    if (limit_of_self() == TASK_UNLIMITED || !is_limited(file, &attributes, &result) || result < 0)
        return result;
    return files_limit_size(attributes.size, wanted);
}
