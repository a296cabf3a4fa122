/*
 * Working directory and root, the mask, and listing.
 */
#include "files.h"

#include "../../mem/heap/heap.h"
#include "runtime.h"

#include <string.h>

/* ---- getdents ---- */

enum { LISTING_ROOM = 4096 };

/* Entries on their way to a program: gathered here, since listing may not wait. The memory is not
 * zeroed, for nearly all directories are shorter than the room that programs have for them. */
struct gathering {
    struct node_listing listing;
    char *bytes;
    size_t room, used, last; /* last: where the last entry begins */
    bool old;                /* as getdents, not getdents64, lays them out */
    bool full;
};

struct dirent64 {
    uint64_t number;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
} __attribute__((packed));

struct dirent_old {
    uint64_t number, next;
    uint16_t length;
    char name[];
} __attribute__((packed));

/* What is behind a name, to the next multiple of eight, lies in so many bytes at an entry's end. */
enum { BEHIND = 16 };

static bool gather(struct node_listing *listing, const struct node_name *name, uint64_t number,
                   unsigned type, uint64_t next) {
    struct gathering *to = k42_container(listing, struct gathering, listing);
    size_t head = to->old ? offsetof(struct dirent_old, name) : offsetof(struct dirent64, name);
    size_t length = (head + name->length + 1 + (to->old ? 1 : 0) + 7) & ~(size_t)7;
    if (length > to->room - to->used) {
        to->full = true;
        return false;
    }
    char *at = to->bytes + to->used;
    memset(at + length - BEHIND, 0, BEHIND);
    if (to->old) {
        struct dirent_old *entry = (struct dirent_old *)(void *)at;
        *entry = (struct dirent_old){number, next, (uint16_t)length};
        at[length - 1] = (char)type;
    } else {
        struct dirent64 *entry = (struct dirent64 *)(void *)at;
        *entry = (struct dirent64){number, (int64_t)next, (uint16_t)length, (uint8_t)type};
    }
    memcpy(at + head, name->text, name->length);
    to->used += length;
    return true;
}

/* A directory that has been removed lists nothing, not even itself. */
static k42_result list_there(file_ref file, struct gathering *gathering) {
    struct node_attributes attributes;
    struct k42_pair node = k42_call(file, node);
    k42_result result = node.result;
    if (result >= 0)
        result = k42_call((node_ref)node.word, attributes, &attributes);
    if (result >= 0 && (attributes.mode & MODE_TYPE) == MODE_DIRECTORY && !attributes.links)
        return -ENOENT;
    return k42_call(file, list, &gathering->listing);
}

static k42_result list(int fd, uintptr_t to, unsigned size, bool old) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    size_t room = size < LISTING_ROOM * 8 ? size : LISTING_ROOM * 8;
    struct gathering gathering = {.listing = {gather}, .room = room, .old = old};
    k42_result before = -EINVAL;
    gathering.bytes = heap_allocate(room ? room : 1);
    result = gathering.bytes ? k42_call(file, hold) : -ENOMEM;
    if (result >= 0) {
        before = files_seek(file, 0, SEEK_TO_CURRENT);
        WAIT_CALL(result, WAIT_FOREVER, 0, list_there(file, &gathering));
        if (result >= 0)
            notify_file_if_any(file, NOTIFY_READ);
        if (result >= 0 && gathering.used)
            result = files_copy_out(to, gathering.bytes, gathering.used);
        if (result == -EFAULT && before >= 0) /* they are told again */
            (void)!files_seek(file, before, SEEK_TO_START);
        (void)!k42_call(file, release);
    }
    if (result >= 0 && gathering.full && !gathering.used)
        result = -EINVAL;
    heap_free(gathering.bytes);
    return result < 0 ? linux_result(result, -EBADF) : (k42_result)gathering.used;
}

LINUX_CALL(217, getdents64, int fd, uintptr_t to, unsigned size) {
    return list(fd, to, size, false);
}

LINUX_CALL(78, getdents, int fd, uintptr_t to, unsigned size) {
    return list(fd, to, size, true);
}

/* ---- where paths begin ---- */

static k42_result can_enter(const struct place *place, const struct credentials *who) {
    struct node_attributes attributes;
    k42_result result = k42_call(place->node, attributes, &attributes);
    if (result < 0)
        return result;
    if ((attributes.mode & MODE_TYPE) != MODE_DIRECTORY)
        return -ENOTDIR;
    return node_allows(&attributes, who, NODE_EXECUTE);
}

/* The place of a directory, held. */
static k42_result directory_now(const char *text, struct place *place) {
    struct path path;
    k42_result result = files_walk(&path, AT_WORKING, text, PATH_FOLLOW | PATH_DIRECTORY);
    if (result >= 0)
        result = can_enter(&path.found, path.who);
    if (result >= 0)
        result = place_hold(&path.found);
    *place = path.found;
    return result;
}

static k42_result directory_at(uintptr_t path, struct place *place) {
    struct files_text text;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, directory_now(text.at, place));
    files_text_end(&text);
    return result;
}

LINUX_CALL(80, chdir, uintptr_t path) {
    struct place place;
    k42_result result = directory_at(path, &place);
    if (result < 0)
        return result;
    path_set_working(task_self()->paths, &place);
    return 0;
}

LINUX_CALL(161, chroot, uintptr_t path) {
    struct place place;
    k42_result result = directory_at(path, &place);
    if (result < 0)
        return result;
    if (!files_may(CAPABILITY_CHROOT)) {
        place_release(&place);
        return -EPERM;
    }
    path_set_root(task_self()->paths, &place);
    return 0;
}

static k42_result enter_file(int fd, struct place *place) {
    k42_result result = files_place(fd, place);
    if (result < 0)
        return result;
    result = can_enter(place, task_self()->credentials);
    return result < 0 ? result : place_hold(place);
}

LINUX_CALL(81, fchdir, int fd) {
    struct place place;
    k42_result result;
    FILES_CALL(result, enter_file(fd, &place));
    if (result < 0)
        return result;
    path_set_working(task_self()->paths, &place);
    return 0;
}

LINUX_CALL(79, getcwd, uintptr_t to, size_t size) {
    struct path_context *paths = task_self()->paths;
    struct place working = path_working(paths), root = path_root(paths);
    static const char outside[] = "(unreachable)";
    enum { PREFIX = sizeof outside - 1 };
    char *text = k42_platform_alloc(FILES_PATH), *begin;
    if (!text)
        return -ENOMEM;
    k42_result result = path_name(&working, &root, text + PREFIX, FILES_PATH - PREFIX, &begin);
    if (result > 0)
        begin = memcpy(begin - PREFIX, outside, PREFIX);
    if (result >= 0) {
        size_t length = (size_t)(text + FILES_PATH - begin);
        result = length > size ? -ERANGE : files_copy_out(to, begin, length);
        result = result < 0 ? result : (k42_result)length;
    }
    k42_platform_free(text);
    return result;
}

LINUX_CALL(95, umask, uint32_t mask) {
    return __atomic_exchange_n(&task_self()->paths->mask, mask & 0777, __ATOMIC_RELAXED);
}
