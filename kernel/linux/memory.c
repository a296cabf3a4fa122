/*
 * The memory calls: mmap and its like, on the caller's address space.
 */
#include "../arch/x86_64/user_copy.h"
#include "../fs/file.h"
#include "../mem/fcm/fcm.h"
#include "../sched/wait.h"
#include "abi.h"
#include "call.h"
#include "files/advise.h"
#include "memory_calls.h"
#include "program.h"
#include "task.h"

#include <k42/k42.h>

#define ALL_PROTECTION            (SPACE_READ | SPACE_WRITE | SPACE_EXECUTE)
#define PERSONA_READ_IMPLIES_EXEC 0x0400000

/* ---- mmap ---- */

static unsigned flags_of(int flags) {
    unsigned wanted = 0;
    if ((flags & MAP_TYPE) != MAP_PRIVATE)
        wanted |= SPACE_SHARED;
    if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
        wanted |= SPACE_FIXED;
    if (flags & MAP_FIXED_NOREPLACE)
        wanted |= SPACE_NO_REPLACE;
    if (flags & MAP_GROWSDOWN)
        wanted |= SPACE_GROWS_DOWN;
    if (flags & MAP_32BIT)
        wanted |= SPACE_LOW;
    if (flags & MAP_LOCKED)
        wanted |= SPACE_LOCKED;
    return wanted;
}

/* What its file wants of a mapping. What is secret is shared, and locked as far as one may. */
static k42_result add_flags(struct space_request *request, unsigned flags) {
    if (flags & SPACE_SECRET && !(request->flags & SPACE_SHARED))
        return -EINVAL;
    if (flags & SPACE_LOCKED) {
        k42_result result = memory_may_lock();
        (void)result; /* nothing at all is too little below */
        request->most_locked = memory_most_locked();
    }
    request->flags |= flags;
    return 0;
}

/* What is sealed against writing is not mapped for it, nor will be. */
static k42_result heed_seals(struct space_request *request) {
    if (!(request->flags & SPACE_SHARED) || !(request->most & SPACE_WRITE))
        return 0;
    k42_result seals = k42_call((fcm_ref)request->fcm, seal, 0u);
    if (seals < 0 || !(seals & FCM_SEALED_WRITING))
        return 0;
    request->most &= ~(unsigned)SPACE_WRITE;
    return request->protection & SPACE_WRITE ? -EPERM : 0;
}

/* What the file is opened for decides what its mapping may be asked for. */
static k42_result add_file(struct space_request *request, int number, uint64_t offset) {
    struct k42_pair file = k42_call(task_self()->descriptors, get, number);
    struct file_map how;
    if (file.result < 0)
        return file.result;
    file_ref ref = (file_ref)file.word;
    k42_result flags = k42_call(ref, flags);
    if (flags < 0)
        return flags;
    unsigned access = flags & O_ACCMODE;
    if ((flags & O_PATH) || access == O_WRONLY)
        return flags & O_PATH ? -EBADF : -EACCES;
    k42_result result = k42_call(ref, map, &how);
    if (result < 0)
        return result;
    k42_result first = (k42_result)(how.first + offset / FRAME_SIZE);
    if (how.first == FILE_MAP_ASKS && (first = k42_call(ref, control, FILE_MAP_PAGE, offset)) < 0)
        return first;
    if (how.flags && (result = add_flags(request, how.flags)) < 0)
        return result;
    struct k42_pair place = k42_call(ref, place);
    if (place.result >= 0 && !place.word)
        request->flags |= SPACE_OF_MEMORY;
    request->fcm = how.fcm;
    request->first = (uint64_t)first;
    request->file = (k42_ref)ref;
    request->most = request->flags & SPACE_SHARED ? how.most : ALL_PROTECTION;
    return request->protection & ~request->most ? -EACCES : heed_seals(request);
}

/* What came of a call that maps: where, and whether that is locked and to be brought in. */
static k42_result taken_note(struct k42_pair mapped, bool *locked) {
    *locked = mapped.result > 0;
    return mapped.result < 0 ? mapped.result : (k42_result)mapped.word;
}

static k42_result map_once(const struct space_request *request, bool *locked) {
    return taken_note(k42_call(task_self()->space, map, request), locked);
}

/* The file is looked up each time, for it may be closed while this waits, or sealed before it is
 * mapped. */
static k42_result map_file_once(struct space_request *request, int number, uint64_t offset,
                                bool *locked) {
    k42_result result;
    do {
        result = add_file(request, number, offset);
        if (result >= 0)
            result = map_once(request, locked);
    } while (result == -K42_RETRY);
    return result;
}

/* Those that Linux has always had: who asks for MAP_SHARED_VALIDATE wants others to be refused. */
#define KNOWN_FLAGS                                                                                \
    (MAP_TYPE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | MAP_UNINITIALIZED |   \
     MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK | MAP_STACK |        \
     MAP_HUGETLB | MAP_32BIT | 0x3f << 26)

LINUX_CALL(9, mmap, uintptr_t address, size_t length, int protection, int flags, int file,
           uint64_t offset) {
    unsigned type = flags & MAP_TYPE;
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (!length || !memory_is_page(offset) || (fixed && !memory_is_page(address)) ||
        (flags & MAP_HUGETLB) ||
        (type != MAP_PRIVATE && type != MAP_SHARED && type != MAP_SHARED_VALIDATE))
        return -EINVAL;
    if (!(length = memory_whole_pages(length)))
        return -ENOMEM;
    if (offset + length < offset)
        return -EOVERFLOW;
    if (type == MAP_SHARED_VALIDATE && !(flags & MAP_ANONYMOUS) && (flags & ~KNOWN_FLAGS))
        return -EOPNOTSUPP;
    struct space_request request = {
        .address = address & ~MEMORY_PAGE_MASK,
        .length = length,
        .protection = (unsigned)protection & ALL_PROTECTION,
        .flags = flags_of(flags),
        .most = ALL_PROTECTION,
    };
    bool locked = false;
    if (request.flags & SPACE_GROWS_DOWN)
        request.limit = task_limit(task_self(), RLIMIT_STACK);
    k42_result result = flags & MAP_LOCKED ? memory_may_lock() : 0;
    if (result < 0)
        return result;
    request.most_locked = memory_most_locked();
    if (flags & MAP_ANONYMOUS)
        MEMORY_CALL(result,
                    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, map_once(&request, &locked)));
    else
        MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                      map_file_once(&request, file, offset, &locked)));
    if (result >= 0 && locked)
        memory_bring_in((uintptr_t)result, (uintptr_t)result + length);
    else if (result >= 0 && (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
        memory_populate((uintptr_t)result, (uintptr_t)result + length);
    return result;
}

/* It is no range of a program's. */
static bool is_outside(uintptr_t address, size_t length) {
    return address > USER_END - length;
}

LINUX_CALL(11, munmap, uintptr_t address, size_t length) {
    k42_result result;
    if (!memory_is_page(address) || !length || !(length = memory_whole_pages(length)) ||
        is_outside(address, length))
        return -EINVAL;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                  k42_call(task_self()->space, unmap, address, length)));
    return result;
}

k42_result memory_protect(uintptr_t address, size_t length, int protection) {
    k42_result result;
    if (!memory_is_page(address) || !(~protection & (PROT_GROWSDOWN | PROT_GROWSUP)) ||
        (protection & ~(int)(ALL_PROTECTION | PROT_SEM | PROT_GROWSDOWN | PROT_GROWSUP)))
        return -EINVAL;
    if (!length)
        return 0;
    if (!(length = memory_whole_pages(length)) || is_outside(address, length))
        return -ENOMEM;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                  k42_call(task_self()->space, protect, address, length,
                                           (unsigned)protection & ALL_PROTECTION)));
    return result;
}

LINUX_CALL(10, mprotect, uintptr_t address, size_t length, int protection) {
    return memory_protect(address, length, protection);
}

static k42_result move_once(const struct space_move *move, bool *locked) {
    return taken_note(k42_call(task_self()->space, resize, move), locked);
}

/* What is behind goes, whatever it is and whether there is any; only the beginning must be there.
 */
static k42_result shrink_once(const struct space_move *move, bool *locked) {
    struct space_mapping mapping;
    uintptr_t end = move->address + move->new_length;
    k42_result result = k42_call(task_self()->space, find, move->address, 0, &mapping);
    if (result < 0 || mapping.start > move->address)
        return -EFAULT;
    if (is_outside(move->address, move->length))
        return -EINVAL;
    result = k42_call(task_self()->space, unmap, end, move->length - move->new_length);
    *locked = false;
    return result < 0 ? result : (k42_result)move->address;
}

LINUX_CALL(25, mremap, uintptr_t address, size_t length, size_t new_length, int flags,
           uintptr_t new_address) {
    struct space_move move = {
        .address = address, .new_address = new_address, .most_locked = memory_most_locked()};
    bool locked = false;
    k42_result result;
    if (!memory_is_page(address) || !new_length ||
        (flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) ||
        ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE)) ||
        ((flags & MREMAP_FIXED) && !memory_is_page(new_address)))
        return -EINVAL;
    move.length = memory_whole_pages(length);
    move.new_length = memory_whole_pages(new_length);
    if (!move.new_length || (length && !move.length))
        return -EINVAL;
    move.flags = (flags & MREMAP_MAYMOVE ? SPACE_MAY_MOVE : 0) |
                 (flags & MREMAP_FIXED ? SPACE_MOVE_TO : 0) |
                 (flags & MREMAP_DONTUNMAP ? SPACE_LEAVE : 0);
    k42_result (*once)(const struct space_move *, bool *) =
        move.length > move.new_length && !(flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) ? shrink_once
                                                                                      : move_once;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, once(&move, &locked)));
    if (result >= 0 && locked && move.new_length > move.length)
        memory_bring_in((uintptr_t)result + move.length, (uintptr_t)result + move.new_length);
    return result;
}

/* ---- brk ---- */

static k42_result break_once(uintptr_t end, bool *locked) {
    return taken_note(k42_call(task_self()->space, set_break, end), locked);
}

/* It answers where the end is, moved or not; only that tells of a failure. */
LINUX_CALL(12, brk, uintptr_t end) {
    struct space_marks marks;
    bool locked = false;
    k42_result result = k42_call(task_self()->space, marks, &marks);
    if (result < 0 || end < marks.break_start || end > USER_END ||
        end - marks.break_start > task_limit(task_self(), RLIMIT_DATA))
        return result < 0 ? result : (k42_result)marks.break_end;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, break_once(end, &locked)));
    if (result >= 0 && locked)
        memory_bring_in(marks.break_end, (uintptr_t)result);
    return result < 0 ? (k42_result)marks.break_end : result;
}

/* ---- the others ---- */

k42_result memory_check_mapped(uintptr_t address, size_t length) {
    uintptr_t end = address + length;
    while (address < end) {
        struct space_mapping mapping;
        k42_result result = k42_call(task_self()->space, find, address, 0, &mapping);
        if (result < 0 || mapping.start > address)
            return -ENOMEM;
        address = mapping.end;
    }
    return 0;
}

/* In whole pages it is none, as Linux counts, or leads beyond all addresses. */
static bool wraps(uintptr_t address, size_t length) {
    size_t rounded = (length + (FRAME_SIZE - 1)) & ~(FRAME_SIZE - 1);
    return rounded < length || address + rounded < address;
}

/* What brings pages in takes long: piece by piece, and grace periods pass in between. */
static k42_result advise(uintptr_t address, size_t length, int advice) {
    bool long_lasting = advice == MADV_POPULATE_READ || advice == MADV_POPULATE_WRITE;
    size_t piece = long_lasting ? MEMORY_PIECE : length;
    k42_result result = 0;
    for (; result >= 0 && length; address += piece, length -= piece) {
        piece = piece < length ? piece : length;
        MEMORY_CALL(result,
                    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                              k42_call(task_self()->space, advise, address, piece, advice)));
        k42_safe_point();
    }
    return result;
}

LINUX_CALL(28, madvise, uintptr_t address, size_t length, int advice) {
    k42_result result;
    size_t pages = memory_whole_pages(length);
    if (!memory_is_page(address) || wraps(address, length))
        return -EINVAL;
    if ((length && !pages) || is_outside(address, pages))
        return -ENOMEM;
    if (!pages)
        return 0;
    result = advise(address, pages, advice);
    if (result >= 0)
        files_advise_mapped(address, address + pages, advice);
    /* What is mapped has been advised; a gap is told of afterwards. */
    return result < 0 ? result : memory_check_mapped(address, pages);
}

/* What is locked cannot be had anew. */
static k42_result check_unlocked(uintptr_t address, size_t length) {
    struct space_mapping mapping;
    uintptr_t end = address + length;
    for (; address < end && k42_call(task_self()->space, find, address, 0, &mapping) >= 0 &&
           mapping.start < end;
         address = mapping.end)
        if (mapping.flags & SPACE_LOCKED)
            return -EBUSY;
    return 0;
}

LINUX_CALL(26, msync, uintptr_t address, size_t length, int flags) {
    k42_result result = 0;
    size_t pages = memory_whole_pages(length);
    if (!memory_is_page(address) || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) ||
        ((flags & MS_ASYNC) && (flags & MS_SYNC)))
        return -EINVAL;
    if ((length && !pages && !wraps(0, length)) || is_outside(address, pages))
        return -ENOMEM;
    if (!pages)
        return 0;
    if (flags & MS_INVALIDATE)
        result = check_unlocked(address, pages);
    if (result >= 0)
        WAIT_CALL(result, WAIT_FOREVER, 0,
                  k42_call(task_self()->space, sync, address, pages, !!(flags & MS_SYNC)));
    return result;
}

#define MINCORE_PIECE 512u

LINUX_CALL(27, mincore, uintptr_t address, size_t length, uintptr_t to) {
    uint8_t bytes[MINCORE_PIECE];
    size_t pages = memory_whole_pages(length) / FRAME_SIZE;
    if (!memory_is_page(address))
        return -EINVAL;
    if ((length && !pages) || is_outside(address, pages * FRAME_SIZE))
        return -ENOMEM;
    while (pages) {
        size_t piece = pages < MINCORE_PIECE ? pages : MINCORE_PIECE;
        k42_result result =
            k42_call(task_self()->space, resident, address, piece * FRAME_SIZE, bytes, piece);
        for (size_t n = 0; n < piece; n++)
            bytes[n] &= SPACE_PAGE_HERE;
        if (result >= 0)
            result = program_write(to, bytes, piece);
        if (result < 0)
            return result;
        pages -= piece;
        to += piece;
        address += piece * FRAME_SIZE;
    }
    return 0;
}
