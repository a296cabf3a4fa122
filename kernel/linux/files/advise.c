/*
 * What a program says of how it will use a file: fadvise64 and readahead; and madvise, of the files
 * that are mapped in a range.
 *
 * Advice about pages goes to the file's page cache. Advice about a way of reading asks for a class
 * of page cache by its traits: the object is swapped for one that fits, for all who have the file
 * open, by a thread of the runtime's; the call does not wait for it, and if it cannot be, the file
 * is read as well.
 *
 * Many programs say of every file that they read it in order, and some files are read again and
 * again so. A cache that lets go of what was read is chosen for what is not read again, and for
 * files so large that their pages would drive others out.
 */
#include "advise.h"
#include "../../advisor/advisor.h"
#include "../../mem/fcm/fcm.h"
#include "../../mem/frame/frame.h"
#include "files.h"
#include "runtime.h"

#include <k42/class.h>

/* Linux's numbers. */
enum {
    ADVICE_NORMAL,
    ADVICE_RANDOM,
    ADVICE_SEQUENTIAL,
    ADVICE_WILL_NEED,
    ADVICE_DONT_NEED,
    ADVICE_NO_REUSE,
    ADVICE_HUGE_PAGE = 14, /* madvise's alone */
};

#define WORTH_A_SWAP (512l << 10) /* bytes: more than reading ahead has on its way */
#define LARGE_PART   4            /* of the memory that is free */
#define LARGE_BYTES  (2l << 20)

/* Whether the traits of a class begin as those asked for do: of what is behind a file, it is not
 * ours to say. */
static bool has_same_behind(const struct k42_class *class_, const char *traits) {
    const char *have = class_->traits;
    for (; have && *traits && *traits != ' '; traits++, have++)
        if (*have != *traits)
            return false;
    return have && (!*have || *have == ' ');
}

static void ask_for_class(k42_ref fcm, const char *traits) {
    struct k42_object_info info;
    struct k42_class *now, *to;
    if (k42_inspect(fcm, &info) < 0 || !(now = k42_class_find(info.class_name)) ||
        !has_same_behind(now, traits) || k42_select(now->interface, traits, &to) < 0 || to == now ||
        advisor_chosen(k42_ref_id(fcm)) < 0)
        return;
    k42_result result = k42_swap(fcm, to, NULL);
    (void)result; /* somebody else may be swapping it; it is advice */
}

/* The page cache of a file, K42_NULL_REF when it has none. */
static k42_ref cache_of(int fd) {
    struct file_map map = {.fcm = K42_NULL_REF};
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, map, &map);
    return result < 0 ? K42_NULL_REF : map.fcm;
}

static void advise_pages(k42_ref fcm, int64_t offset, int64_t length, enum fcm_advice advice) {
    uint64_t first = (uint64_t)offset >> MACHINE_PAGE_SHIFT, inside = MACHINE_PAGE_SIZE - 1;
    uint64_t end = length && length < INT64_MAX - offset ? (uint64_t)(offset + length) : INT64_MAX;
    if (advice == FCM_UNWANTED) /* whole pages only */
        first = ((uint64_t)offset + inside) >> MACHINE_PAGE_SHIFT;
    end = (advice == FCM_WANTED ? end + inside : end) >> MACHINE_PAGE_SHIFT;
    k42_result result =
        end > first ? k42_call((fcm_ref)fcm, advise, first, end - first, advice) : 0;
    (void)result;
}

static bool drives_others_out(k42_result size) {
    struct frame_statistics now;
    frames_count(&now);
    return (uint64_t)size / FRAME_BYTES > (now.free + now.idle) / LARGE_PART;
}

static void follow(k42_ref fcm, int64_t offset, int64_t length, int advice) {
    k42_result size;
    switch (advice) {
    case ADVICE_NORMAL:
        ask_for_class(fcm, "behind=file sharing=low");
        advisor_chosen_no_more(k42_ref_id(fcm));
        break;
    case ADVICE_RANDOM:
        ask_for_class(fcm, "behind=file sharing=low");
        break;
    case ADVICE_SEQUENTIAL:
    case ADVICE_NO_REUSE:
        size = k42_call((fcm_ref)fcm, size);
        if (size >= WORTH_A_SWAP && (advice == ADVICE_NO_REUSE || drives_others_out(size)))
            ask_for_class(fcm, "behind=file access=stream");
        break;
    case ADVICE_HUGE_PAGE:
        if (k42_call((fcm_ref)fcm, size) >= LARGE_BYTES)
            ask_for_class(fcm, "behind=file pages=large");
        break;
    case ADVICE_WILL_NEED:
        advise_pages(fcm, offset, length, FCM_WANTED);
        break;
    case ADVICE_DONT_NEED:
        advise_pages(fcm, offset, length, FCM_UNWANTED);
        break;
    default:
        break;
    }
}

/* Linux's numbers of the first three are the same in both calls. */
void files_advise_mapped(uintptr_t start, uintptr_t end, int advice) {
    struct space_mapping mapping;
    if ((advice < ADVICE_NORMAL || advice > ADVICE_SEQUENTIAL) && advice != ADVICE_HUGE_PAGE)
        return;
    for (; start < end && k42_call(task_self()->space, find, start, 0, &mapping) >= 0 &&
           mapping.start < end;
         start = mapping.end)
        if (mapping.file != K42_NULL_REF && mapping.fcm != K42_NULL_REF)
            follow(mapping.fcm, 0, 0, advice);
}

/* What else cannot be sought in takes advice, for nothing. */
static bool is_pipe(int fd) {
    file_ref file;
    return files_get(fd, &file) >= 0 && k42_call(file, control, FILE_PIPE_SIZE, 0) >= 0;
}

LINUX_CALL(221, fadvise64, int fd, int64_t offset, int64_t length, int advice) {
    k42_result result = files_check_data(fd);
    if (result == -EBADF || (result == -ESPIPE && is_pipe(fd)))
        return result;
    if (length < 0 || advice < ADVICE_NORMAL || advice > ADVICE_NO_REUSE)
        return -EINVAL;
    k42_ref fcm = cache_of(fd);
    if (fcm != K42_NULL_REF && offset >= 0)
        follow(fcm, offset, length, advice);
    return 0;
}

LINUX_CALL(187, readahead, int fd, int64_t offset, size_t count) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    if (result < 0 || (result & OPEN_PATH) || !open_reads((unsigned)result))
        return -EBADF;
    if (files_check_data(fd) < 0)
        return -EINVAL;
    k42_ref fcm = cache_of(fd);
    if (fcm == K42_NULL_REF || count > INT64_MAX)
        return -EINVAL;
    if (offset >= 0 && count)
        advise_pages(fcm, offset, (int64_t)count, FCM_WANTED);
    return 0;
}
