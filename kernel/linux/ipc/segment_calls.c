/*
 * shmget, shmat, shmdt: segments of shared memory come into address spaces and leave them.
 *
 * An address space that had a segment notes that, and so do its copies: such a one detaches them
 * before it ends, since its other mappings end later than anybody is told. See segment.h.
 */
#include "segment.h"

#include "../../arch/x86_64/user_copy.h"
#include "../../fs/file.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../call.h"
#include "../task.h"

#include <linux/shm.h>

#define PAGE_MASK (FRAME_SIZE - 1)

struct ipc_table ipc_segments = {.make = segment_make, .unmake = segment_unmake, .most = SHMMNI};

/*
 * Partly: there are no large pages to be had by SHM_HUGETLB, which fails as where none are
 * reserved.
 */
LINUX_CALL(29, shmget, int key, size_t size, int flags) {
    struct ipc_request request = {key, flags, size};
    if ((flags & SHM_HUGETLB) && (flags & IPC_CREAT) && size)
        return -ENOMEM;
    k42_result result;
    MEMORY_CALL(result, result = ipc_get(&ipc_segments, &request));
    return result;
}

/* ---- attaching ---- */

struct attachment {
    int id;
    unsigned rights; /* as ipc_allows() has them */
    struct space_request request;
};

static size_t whole_pages(uint64_t size) {
    return (size + PAGE_MASK) & ~PAGE_MASK;
}

/* Found anew each time, for it may be removed while this waits. */
static k42_result attach_once(struct attachment *attachment) {
    struct space_request *request = &attachment->request;
    struct ipc_entry *entry = ipc_find(&ipc_segments, attachment->id);
    struct file_map map;
    k42_result result = entry ? ipc_allows(entry, attachment->rights) : -EINVAL;
    if (result < 0)
        return result;
    result = k42_call((file_ref)entry->object, map, &map);
    if (result < 0)
        return result;
    request->length = whole_pages(entry->size);
    request->fcm = map.fcm;
    request->file = entry->object;
    if (request->address + request->length < request->address)
        return -EINVAL;
    struct k42_pair mapped = k42_call(task_self()->space, map, request);
    return mapped.result < 0 ? mapped.result : (k42_result)mapped.word;
}

/* Where to attach, in the request. */
static k42_result choose_place(struct space_request *request, uintptr_t address, int flags) {
    if (!address)
        return flags & SHM_REMAP ? -EINVAL : 0;
    if ((address & PAGE_MASK) && !(flags & SHM_RND))
        return -EINVAL;
    request->address = address & ~PAGE_MASK;
    if (!request->address && (flags & SHM_REMAP))
        return -EINVAL;
    request->flags |= SPACE_FIXED | (flags & SHM_REMAP ? 0 : SPACE_NO_REPLACE);
    return 0;
}

static void choose_rights(struct attachment *attachment, int flags) {
    struct space_request *request = &attachment->request;
    request->protection = SPACE_READ | (flags & SHM_RDONLY ? 0 : SPACE_WRITE);
    request->most = request->protection | SPACE_EXECUTE;
    attachment->rights = 0444 | (flags & SHM_RDONLY ? 0 : 0222);
    if (flags & SHM_EXEC) {
        request->protection |= SPACE_EXECUTE;
        attachment->rights |= 0111;
    }
}

LINUX_CALL(30, shmat, int id, uintptr_t address, int flags) {
    struct attachment attachment = {.id = id, .request.flags = SPACE_SHARED | SPACE_OF_MEMORY};
    k42_result result = id < 0 ? -EINVAL : choose_place(&attachment.request, address, flags);
    if (result < 0)
        return result;
    choose_rights(&attachment, flags);
    __atomic_store_n(&task_self()->memory->segments, true, __ATOMIC_RELAXED);
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, attach_once(&attachment)));
    return result == -EEXIST ? -EINVAL : result == -K42_STALE ? -EIDRM : result;
}

/* ---- detaching ---- */

/* The first mapping from `at` on that shows a segment as if that began at `address`; or, when it is
 * known, which file's. */
static bool find_attached(space_ref space, uintptr_t at, uintptr_t address, k42_ref file,
                          struct space_mapping *found) {
    for (; k42_call(space, find, at, 0, found) >= 0; at = found->end) {
        bool fits = found->start >= address && found->start - address == found->first * FRAME_SIZE;
        if (fits && (file ? found->file == file : segment_is_mapped(found)))
            return true;
    }
    return false;
}

static k42_result unmap(space_ref space, const struct space_mapping *mapping, unsigned flags) {
    k42_result result;
    size_t length = mapping->end - mapping->start;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, flags,
                                  k42_call(space, unmap, mapping->start, length)));
    return result;
}

/* All parts of it that are left where they were attached, however they were cut. */
LINUX_CALL(67, shmdt, uintptr_t address) {
    space_ref space = task_self()->space;
    struct space_mapping mapping;
    struct node_attributes attributes;
    if ((address & PAGE_MASK) || !find_attached(space, address, address, K42_NULL_REF, &mapping))
        return -EINVAL;
    k42_ref file = mapping.file;
    struct k42_pair node = k42_call((file_ref)file, node);
    k42_result result =
        node.result < 0 ? -EINVAL : k42_call((node_ref)node.word, attributes, &attributes);
    uintptr_t end = address + whole_pages(attributes.size);
    while (result >= 0) {
        result = unmap(space, &mapping, WAIT_KILLABLE);
        if (result < 0 || !find_attached(space, mapping.end, address, file, &mapping) ||
            mapping.start >= end)
            break;
    }
    return result < 0 ? result : 0;
}

void segments_detach(space_ref space) {
    struct space_mapping mapping;
    for (uintptr_t at = 0; k42_call(space, find, at, 0, &mapping) >= 0; at = mapping.end)
        if (segment_is_mapped(&mapping))
            (void)!unmap(space, &mapping, WAIT_UNINTERRUPTIBLE);
}
