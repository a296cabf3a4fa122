/*
 * open and its like.
 *
 * What a path leads to is found and opened in one attempt, which is made again if it must wait;
 * from then on the file is held and what is left (truncating, a FIFO's other end) waits for itself.
 */
#include "../landlock/landlock.h"
#include "files.h"
#include "leases.h"

enum {
    ALL_FLAGS = OPEN_ACCESS | OPEN_CREATE | OPEN_EXCLUSIVE | OPEN_NO_TERMINAL | OPEN_TRUNCATE |
                OPEN_APPEND | OPEN_NON_BLOCKING | OPEN_SYNC | OPEN_ASYNC | OPEN_DIRECT |
                OPEN_LARGE | OPEN_DIRECTORY | OPEN_NO_FOLLOW | OPEN_NO_ACCESSED |
                OPEN_CLOSE_ON_EXEC | OPEN_PATH | OPEN_TEMPORARY,
};

struct opening {
    int directory;
    const char *text;
    unsigned flags;
    uint32_t mode;
    unsigned resolve;          /* path_flags that are asked for */
    const struct place *place; /* what is to be opened, instead of a path; or NULL */
    file_ref file;             /* the result, with one hold */
    unsigned type;             /* what it is, DT_* */
    bool made;                 /* by this call */
};

static unsigned access_of(unsigned flags) {
    bool both = (flags & OPEN_ACCESS) == OPEN_ACCESS; /* which then gives neither */
    unsigned access = both ? NODE_READ | NODE_WRITE : 0u;
    access |= (open_reads(flags) ? NODE_READ : 0u) | (open_writes(flags) ? NODE_WRITE : 0u);
    return access | (flags & OPEN_TRUNCATE ? NODE_WRITE : 0u);
}

/* Whether the caller may open it so; it exists. Which type it has is seen here, since not every
 * walk has seen it. */
static k42_result may_open(struct opening *opening, const struct path *path,
                           const struct place *place) {
    struct node_attributes attributes;
    k42_result result = k42_call(place->node, attributes, &attributes);
    if (result < 0)
        return result;
    unsigned type = MODE_ENTRY_TYPE(attributes.mode), access = access_of(opening->flags);
    /* The other end of a pipe without a name has been there already, and is not waited for. */
    opening->type = type == ENTRY_FIFO && !place->mount ? 0 : type;
    unsigned mount_flags = attributes.mount_flags | (place->mount ? place->mount->flags : 0);
    if (type == ENTRY_LINK)
        return -ELOOP;
    if (type == ENTRY_DIRECTORY && (access & NODE_WRITE))
        return -EISDIR;
    bool is_data = type == ENTRY_REGULAR || type == ENTRY_DIRECTORY;
    bool is_device = type == MODE_ENTRY_TYPE(MODE_CHARACTER) || type == MODE_ENTRY_TYPE(MODE_BLOCK);
    if (is_device && (mount_flags & NODE_NO_DEVICES))
        return -EACCES;
    if (is_data && (access & NODE_WRITE) && (mount_flags & NODE_READ_ONLY))
        return -EROFS;
    result = node_allows(&attributes, path->who, access);
    if (result < 0)
        return result;
    if ((opening->flags & OPEN_NO_ACCESSED) && path->who->fsuid != attributes.uid &&
        !files_may(CAPABILITY_OWNER))
        return -EPERM;
    return 0;
}

static uint32_t rights_to_open(const struct opening *opening) {
    if (opening->type == ENTRY_DIRECTORY)
        return LANDLOCK_ACCESS_FS_READ_DIR;
    return (open_reads(opening->flags) ? LANDLOCK_ACCESS_FS_READ_FILE : 0u) |
           (open_writes(opening->flags) ? LANDLOCK_ACCESS_FS_WRITE_FILE : 0u);
}

/* Opens what is at a place. */
static k42_result open_place(struct opening *opening, const struct path *path,
                             const struct place *place) {
    opening->type = ENTRY_REGULAR;
    k42_result result = opening->made ? 0 : may_open(opening, path, place);
    if (result >= 0)
        result = landlock_may(place, path->above, rights_to_open(opening));
    if (result < 0)
        return result;
    struct k42_pair opened = k42_call(place->node, open, opening->flags);
    if (opened.result < 0)
        return opened.result;
    opening->file = (file_ref)opened.word;
    if (!place->mount)
        return 0;
    struct place there = *place;
    result = k42_call(opening->file, set_place, &there);
    if (result < 0)
        (void)!k42_call(opening->file, release);
    return result < 0 ? result : 0;
}

static k42_result open_present(struct opening *opening) {
    struct path path;
    unsigned flags = opening->resolve | (opening->flags & OPEN_NO_FOLLOW ? 0u : PATH_FOLLOW) |
                     (opening->flags & OPEN_DIRECTORY ? PATH_DIRECTORY : 0u);
    k42_result result = files_walk(&path, opening->directory, opening->text, flags);
    if (result < 0)
        return result;
    return open_place(opening, &path, &path.found);
}

/* ---- O_CREAT ---- */

static k42_result make(struct opening *opening, struct path *path) {
    k42_result result = files_may_change(path);
    if (result >= 0)
        result = landlock_may(&path->found, (node_ref)K42_NULL_REF, LANDLOCK_ACCESS_FS_MAKE_REG);
    if (result < 0)
        return result;
    path->above = path->found.node;
    struct node_new what = {
        .name = path->last,
        .mode = files_mode_in(path, MODE_REGULAR | (opening->mode & MODE_PERMISSIONS)),
        .uid = path->who->fsuid,
        .gid = path->who->fsgid,
    };
    struct k42_pair made = k42_call(path->found.node, create, &what);
    if (made.result < 0)
        return made.result;
    opening->made = true;
    if (notify_any())
        notify_name(path->found.node, &path->last, NOTIFY_MADE, 0);
    struct place place = {path->found.mount, (node_ref)made.word};
    return open_place(opening, path, &place);
}

/* As Linux: what somebody else has put into a directory like /tmp is not opened by who wanted to
 * make it, unless it is a file or a FIFO. */
static k42_result is_safe(const struct path *path) {
    struct node_attributes directory, there;
    if (path->type == ENTRY_REGULAR || path->type == ENTRY_FIFO)
        return 0;
    k42_result result = k42_call(path->found.node, attributes, &directory);
    if (result < 0 || !(directory.mode & MODE_STICKY) || !(directory.mode & 0002))
        return result;
    result = k42_call(path->there.node, attributes, &there);
    bool safe = there.uid == directory.uid || there.uid == path->who->fsuid;
    return result < 0 ? result : safe ? 0 : -EACCES;
}

static k42_result open_there(struct opening *opening, const struct path *path) {
    if (opening->flags & OPEN_EXCLUSIVE)
        return -EEXIST;
    if (path->type == ENTRY_DIRECTORY)
        return -EISDIR;
    k42_result result = is_safe(path);
    if (result < 0)
        return result;
    if (path->type == ENTRY_LINK)
        return -ELOOP;
    return open_place(opening, path, &path->there);
}

/* With no link followed, what is at the last name. */
static k42_result look(struct path *path) {
    struct k42_pair child = k42_call(path->found.node, lookup, &path->last, path->who);
    if (child.result < 0)
        return child.result == -ENOENT ? 0 : child.result;
    path->there = (struct place){path->found.mount, (node_ref)child.word};
    path->above = path->found.node;
    path->type = (unsigned)child.result & 255;
    mount_descend(&path->there);
    return 0;
}

static k42_result make_or_open(struct opening *opening, struct path *path) {
    bool follows = path->flags & PATH_FOLLOW;
    if (path_last_is_special(path))
        return opening->flags & OPEN_EXCLUSIVE ? -EEXIST : -EISDIR;
    if (path->last_is_directory)
        return -EISDIR;
    if (!follows && !path->there.node) {
        k42_result result = look(path);
        if (result < 0)
            return result;
    }
    return path->there.node ? open_there(opening, path) : make(opening, path);
}

static k42_result open_or_make(struct opening *opening) {
    struct path path;
    bool follows = !(opening->flags & (OPEN_EXCLUSIVE | OPEN_NO_FOLLOW));
    k42_result result = files_walk(&path, opening->directory, opening->text,
                                   opening->resolve | PATH_PARENT | (follows ? PATH_FOLLOW : 0u));
    if (result >= 0)
        result = make_or_open(opening, &path);
    path_end(&path);
    /* Somebody else was quicker: then it is there. */
    bool again = result == -EEXIST && !(opening->flags & OPEN_EXCLUSIVE);
    return again ? -K42_RETRY : result;
}

/* ---- others ---- */

/* O_TMPFILE: a file without a name in a directory's file system. */
static k42_result open_temporary(struct opening *opening) {
    struct path path;
    k42_result result = files_walk(&path, opening->directory, opening->text,
                                   opening->resolve | PATH_FOLLOW | PATH_DIRECTORY);
    if (result >= 0)
        result = files_may_change(&path);
    if (result < 0)
        return result;
    struct node_new what = {
        .name = {.text = ""},
        .special = opening->flags & OPEN_EXCLUSIVE,
        .mode = files_mode_in(&path, MODE_REGULAR | (opening->mode & MODE_PERMISSIONS)),
        .uid = path.who->fsuid,
        .gid = path.who->fsgid,
    };
    struct k42_pair made = k42_call(path.found.node, create, &what);
    if (made.result < 0)
        return made.result == -EINVAL ? -EOPNOTSUPP : made.result;
    struct place place = {path.found.mount, (node_ref)made.word};
    path.above = path.found.node;
    opening->made = true;
    result = open_place(opening, &path, &place);
    (void)!k42_call(place.node, release);
    return result;
}

struct k42_pair open_path(k42_ref node, unsigned flags);

static k42_result open_only_path(struct opening *opening) {
    struct path path;
    unsigned flags = opening->resolve | (opening->flags & OPEN_NO_FOLLOW ? 0u : PATH_FOLLOW) |
                     (opening->flags & OPEN_DIRECTORY ? PATH_DIRECTORY : 0u);
    k42_result result = files_walk(&path, opening->directory, opening->text, flags);
    if (result < 0)
        return result;
    struct k42_pair opened = open_path((k42_ref)path.found.node, opening->flags);
    if (opened.result < 0)
        return opened.result;
    opening->file = (file_ref)opened.word;
    if (path.found.mount)
        result = k42_call(opening->file, set_place, &path.found);
    return result < 0 ? result : 0;
}

/* Without a path that leads there. */
static k42_result open_there_now(struct opening *opening) {
    struct task *task = task_self();
    struct path path = {.context = task->paths, .who = task->credentials};
    struct node_attributes attributes;
    k42_result result = k42_call(opening->place->node, attributes, &attributes);
    if (result < 0)
        return result;
    bool is_directory = (attributes.mode & MODE_TYPE) == MODE_DIRECTORY;
    if ((opening->flags & OPEN_DIRECTORY) && !is_directory)
        return -ENOTDIR;
    return open_place(opening, &path, opening->place);
}

static k42_result open_now(struct opening *opening) {
    k42_result result;
    do {
        opening->made = false;
        if (opening->place)
            result = open_there_now(opening);
        else if (opening->flags & OPEN_PATH)
            result = open_only_path(opening);
        else if ((opening->flags & OPEN_TEMPORARY) == OPEN_TEMPORARY)
            result = open_temporary(opening);
        else if (opening->flags & OPEN_CREATE)
            result = open_or_make(opening);
        else
            result = open_present(opening);
    } while (result == -K42_RETRY);
    return result;
}

/* What is left to do with an open file; it is held, so waiting is fine. */
static k42_result complete(struct opening *opening) {
    k42_result result = 0;
    if ((opening->flags & OPEN_TRUNCATE) && opening->type == ENTRY_REGULAR && !opening->made) {
        struct k42_pair node = k42_call(opening->file, node);
        struct node_attributes empty = {.size = 0};
        FILES_CALL(result, files_set_size((node_ref)node.word, &empty));
        if (result >= 0)
            notify_file_if_any(opening->file, NOTIFY_WRITTEN);
    }
    if (result >= 0 && opening->type == ENTRY_FIFO && !(opening->flags & OPEN_NON_BLOCKING))
        FILES_CALL(result, k42_call(opening->file, settle));
    return result;
}

static k42_result check_flags(struct opening *opening) {
    unsigned flags = opening->flags;
    if (flags & OPEN_PATH)
        flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW | OPEN_CLOSE_ON_EXEC;
    bool temporary = (flags & OPEN_TEMPORARY) == OPEN_TEMPORARY;
    if (temporary && (!open_writes(flags) || (flags & OPEN_CREATE)))
        return -EINVAL;
    if (!temporary && (flags & OPEN_TEMPORARY & ~(unsigned)OPEN_DIRECTORY))
        return -EINVAL;
    if (!temporary && (flags & OPEN_CREATE) && (flags & OPEN_DIRECTORY))
        return -EINVAL;
    opening->flags = flags;
    return 0;
}

/* Who has a lease of the file knows it from its claims already that it is open. */
static k42_result break_leases(const struct opening *opening) {
    struct k42_pair node = k42_call(opening->file, node);
    k42_result result = node.result;
    if (result >= 0)
        FILES_CALL(result, leases_break(k42_id_of((node_ref)node.word), opening->flags));
    return result;
}

static bool is_leased(const struct opening *opening) {
    return __atomic_load_n(&leases_there, __ATOMIC_RELAXED) && opening->type == ENTRY_REGULAR;
}

/* An open file into the table. */
static k42_result add_opened(struct opening *opening) {
    k42_result result = 0;
    if (__builtin_expect(is_leased(opening), 0))
        result = break_leases(opening);
    if (result >= 0 && (opening->type == ENTRY_FIFO || (opening->flags & OPEN_TRUNCATE)))
        result = complete(opening);
    if (result < 0) {
        (void)!k42_call(opening->file, release);
        return result;
    }
    notify_file_if_any(opening->file, NOTIFY_OPENED);
    return files_add(opening->file, opening->flags & OPEN_CLOSE_ON_EXEC);
}

static k42_result open_text(struct opening *opening, uintptr_t path) {
    struct files_text text;
    k42_result result = check_flags(opening);
    if (result >= 0)
        result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    opening->text = text.at;
    if (opening->flags & (OPEN_CREATE | OPEN_TRUNCATE)) /* nothing is changed without a number */
        result = k42_call(task_self()->descriptors, room, 0, files_limit());
    if (result >= 0)
        FILES_CALL(result, open_now(opening));
    files_text_end(&text);
    return result < 0 ? result : add_opened(opening);
}

k42_result files_open_place(const struct place *place, unsigned flags) {
    struct opening opening = {.place = place, .flags = (flags & ALL_FLAGS) | OPEN_LARGE};
    k42_result result = flags & (OPEN_CREATE | OPEN_EXCLUSIVE) ? -EINVAL : check_flags(&opening);
    if (result >= 0)
        FILES_CALL(result, open_now(&opening));
    return result < 0 ? result : add_opened(&opening);
}

k42_result files_open_for_kernel(const char *path, uint32_t mode, file_ref *file) {
    struct opening opening = {.directory = AT_WORKING,
                              .text = path,
                              .flags = OPEN_WRITE_ONLY | OPEN_CREATE | OPEN_NO_FOLLOW |
                                       OPEN_NON_BLOCKING,
                              .mode = mode};
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, open_now(&opening));
    *file = opening.file;
    return result;
}

k42_result files_truncate_for_kernel(file_ref file) {
    struct opening opening = {.flags = OPEN_TRUNCATE, .type = ENTRY_REGULAR, .file = file};
    return complete(&opening);
}

k42_result files_add(file_ref file, unsigned flags) {
    unsigned on_exec = flags & OPEN_CLOSE_ON_EXEC ? DESCRIPTOR_CLOSE_ON_EXEC : 0u;
    k42_result result =
        k42_call(task_self()->descriptors, add, 0, (k42_ref)file, on_exec, files_limit());
    if (result < 0)
        (void)!k42_call(file, release);
    return result;
}

void files_take_back(int number) {
    struct k42_pair taken = k42_call(task_self()->descriptors, take, number);
    if (taken.result >= 0)
        (void)!k42_call((file_ref)taken.word, release);
}

/* What is not known is ignored. A file has O_LARGEFILE on this processor. */
static k42_result open_at(int directory, uintptr_t path, unsigned flags, uint32_t mode) {
    struct opening opening = {
        .directory = directory, .flags = (flags & ALL_FLAGS) | OPEN_LARGE, .mode = mode};
    return open_text(&opening, path);
}

LINUX_CALL(2, open, uintptr_t path, unsigned flags, uint32_t mode) {
    return open_at(AT_WORKING, path, flags, mode);
}

LINUX_CALL(257, openat, int directory, uintptr_t path, unsigned flags, uint32_t mode) {
    return open_at(directory, path, flags, mode);
}

LINUX_CALL(85, creat, uintptr_t path, uint32_t mode) {
    return open_at(AT_WORKING, path, OPEN_CREATE | OPEN_WRITE_ONLY | OPEN_TRUNCATE, mode);
}

struct open_how {
    uint64_t flags, mode, resolve;
};

enum {
    RESOLVE_NO_MOUNTS = 1,
    RESOLVE_NO_JUMPS = 2,
    RESOLVE_NO_LINKS = 4,
    RESOLVE_BENEATH = 8,
    RESOLVE_IN_ROOT = 16,
    RESOLVE_CACHED = 32,
    HOW_MOST = 4096,
};

k42_result files_check_rest(uintptr_t at, size_t size) {
    char some[64];
    while (size) {
        size_t piece = size < sizeof some ? size : sizeof some;
        k42_result result = files_copy_in(some, at, piece);
        for (size_t n = 0; n < piece && result >= 0; n++)
            result = some[n] ? -E2BIG : 0;
        if (result < 0)
            return result;
        at += piece;
        size -= piece;
    }
    return 0;
}

static k42_result check_how(const struct open_how *how, unsigned *resolve) {
    if ((how->flags & ~(uint64_t)(unsigned)ALL_FLAGS) || (how->resolve & ~63ul) ||
        (how->mode & ~(uint64_t)MODE_PERMISSIONS) ||
        (how->mode && !(how->flags & (OPEN_CREATE | (OPEN_TEMPORARY & ~OPEN_DIRECTORY)))) ||
        (how->resolve & (RESOLVE_BENEATH | RESOLVE_IN_ROOT)) == (RESOLVE_BENEATH | RESOLVE_IN_ROOT))
        return -EINVAL;
    if (how->resolve & RESOLVE_CACHED)
        return -EAGAIN; /* nothing here tells whether a walk would wait; the caller asks again */
    *resolve = (how->resolve & RESOLVE_NO_MOUNTS ? PATH_NO_MOUNTS : 0u) |
               (how->resolve & RESOLVE_NO_LINKS ? PATH_NO_LINKS : 0u) |
               (how->resolve & RESOLVE_NO_JUMPS ? PATH_NO_JUMPS : 0u) |
               (how->resolve & RESOLVE_BENEATH ? PATH_BENEATH : 0u) |
               (how->resolve & RESOLVE_IN_ROOT ? PATH_IN_ROOT : 0u);
    return 0;
}

LINUX_CALL(437, openat2, int directory, uintptr_t path, uintptr_t how_at, size_t size) {
    struct open_how how;
    struct opening opening = {.directory = directory};
    if (size < sizeof how)
        return -EINVAL;
    if (size > HOW_MOST)
        return -E2BIG;
    k42_result result = files_copy_in(&how, how_at, sizeof how);
    if (result >= 0)
        result = files_check_rest(how_at + sizeof how, size - sizeof how);
    if (result >= 0)
        result = check_how(&how, &opening.resolve);
    if (result < 0)
        return result;
    opening.flags = (unsigned)how.flags | OPEN_LARGE;
    opening.mode = (uint32_t)how.mode;
    return open_text(&opening, path);
}
