/*
 * remap_file_pages: other pages of the same file at an address, as a mapping of their own there.
 *
 * No state. What is mapped is kept meanwhile, since the mapping that makes room may have been what
 * did: a file is held; shared memory without one, which ends with its last mapping, has a page
 * mapped elsewhere until it is over.
 */
#include "../fs/file.h"
#include "../sched/wait.h"
#include "abi.h"
#include "call.h"
#include "memory_calls.h"
#include "task.h"

#include <k42/k42.h>

/* The mapping at `address`, which with its likes behind it reaches to `end`. */
static k42_result find_shared(uintptr_t address, uintptr_t end, struct space_mapping *mapping) {
    struct space_mapping next;
    space_ref space = task_self()->space;
    k42_result result = k42_call(space, find, address, 0, mapping);
    if (result < 0 || mapping->start > address || !(mapping->flags & SPACE_SHARED))
        return -EINVAL;
    for (uintptr_t at = mapping->end; at < end; at = next.end)
        if (k42_call(space, find, at, 0, &next) < 0 || next.start != at ||
            next.flags != mapping->flags || next.file != mapping->file)
            return -EINVAL;
    return 0;
}

static k42_result remap(const struct space_mapping *old, struct space_request *request) {
    struct file_map how = {.fcm = old->fcm};
    if (old->file != K42_NULL_REF && k42_call((file_ref)old->file, map, &how) < 0)
        return -EINVAL;
    request->fcm = how.fcm;
    request->first += how.first;
    request->file = old->file;
    request->most = old->most;
    request->protection = old->protection;
    request->flags |= old->flags & (SPACE_ANONYMOUS | SPACE_OF_MEMORY | SPACE_LOCKS);
    k42_result result = k42_call(task_self()->space, map, request).result;
    return result == -K42_RETRY ? -EPERM : result; /* sealed, since what was here has gone */
}

static k42_result remap_once(struct space_request request) {
    struct space_mapping old;
    k42_result result = find_shared(request.address, request.address + request.length, &old);
    if (result < 0)
        return result;
    bool has_file = old.file != K42_NULL_REF;
    if (has_file && k42_call((file_ref)old.file, hold) < 0)
        return -EINVAL;
    result = remap(&old, &request);
    if (has_file)
        (void)!k42_call((file_ref)old.file, release);
    return result;
}

/* ---- shared memory without a file ---- */

/* Maps its first page somewhere, which nobody may look at; returns where, or 0: it is a file's. */
static k42_result keep_once(const struct space_request *request) {
    struct space_mapping old;
    k42_result result = find_shared(request->address, request->address + request->length, &old);
    if (result < 0 || old.file != K42_NULL_REF)
        return result;
    struct space_request page = {.length = FRAME_SIZE,
                                 .flags = SPACE_SHARED | (old.flags & SPACE_ANONYMOUS),
                                 .fcm = old.fcm};
    struct k42_pair mapped = k42_call(task_self()->space, map, &page);
    return mapped.result < 0 ? mapped.result : (k42_result)mapped.word;
}

static void keep_no_more(uintptr_t page) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
              k42_call(task_self()->space, unmap, page, FRAME_SIZE));
    (void)result; /* it goes with the program otherwise */
}

LINUX_CALL(216, remap_file_pages, uintptr_t address, size_t length, int protection, uint64_t page,
           int flags) {
    struct space_request request = {
        .address = address & ~MEMORY_PAGE_MASK,
        .length = length & ~MEMORY_PAGE_MASK,
        .flags = SPACE_SHARED | SPACE_FIXED,
        .first = page,
    };
    if (protection || request.address + request.length <= request.address ||
        page + request.length / FRAME_SIZE < page)
        return -EINVAL;
    k42_result result;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, keep_once(&request)));
    if (result < 0)
        return result;
    uintptr_t kept = (uintptr_t)result;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, remap_once(request)));
    if (kept)
        keep_no_more(kept);
    if (result >= 0 && !(flags & MAP_NONBLOCK))
        memory_populate(request.address, request.address + request.length);
    return result < 0 ? result : 0;
}
