/*
 * Calls that change what a node says of itself: mode, owner, size, times.
 */
#include "../system.h"
#include "files.h"
#include "leases.h"

/* Where a change goes: a path or a descriptor. */
struct change {
    int directory;
    const char *text;
    int flags;
    k42_result (*now)(const struct change *change, node_ref node,
                      struct node_attributes *attributes);
    unsigned which;
    struct node_attributes to;
    bool times_need_write; /* utime: all are set to now, which whoever may write may do */
    bool is_wrong;         /* the times are none, which is said when the node was found */
    uint32_t told;         /* what it is to who watches */
};

static k42_result change_now(const struct change *change) {
    struct node_attributes attributes;
    node_ref node;
    struct mount *mount;
    k42_result result = files_node(change->directory, change->text, change->flags, &node, &mount);
    if (result >= 0)
        result = change->is_wrong ? -EINVAL : files_writable(mount);
    if (result >= 0)
        result = k42_call(node, attributes, &attributes);
    if (result >= 0 && (attributes.mount_flags & NODE_READ_ONLY))
        result = -EROFS;
    if (result >= 0)
        result = change->now(change, node, &attributes);
    if (result >= 0 && change->told && notify_any())
        notify_node(node, change->told);
    return result;
}

static k42_result change_path(struct change *change, uintptr_t path) {
    struct files_text text;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    change->text = text.at;
    FILES_CALL(result, change_now(change));
    files_text_end(&text);
    return result;
}

/* Of a descriptor; one opened with O_PATH does not count. */
static k42_result change_file(struct change *change) {
    file_ref file;
    k42_result result = files_get(change->directory, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    if (result < 0 || (result & OPEN_PATH))
        return -EBADF;
    change->text = "";
    change->flags = AT_EMPTY;
    FILES_CALL(result, change_now(change));
    return result;
}

static bool is_owner(const struct node_attributes *attributes) {
    return task_self()->credentials->fsuid == attributes->uid || files_may(CAPABILITY_OWNER);
}

/* ---- chmod ---- */

static k42_result set_mode(const struct change *change, node_ref node,
                           struct node_attributes *attributes) {
    const struct credentials *who = task_self()->credentials;
    struct node_attributes to = {.mode = change->to.mode & MODE_PERMISSIONS};
    if ((attributes->mode & MODE_TYPE) == MODE_LINK)
        return -EOPNOTSUPP;
    if (!is_owner(attributes))
        return -EPERM;
    if (!credentials_in_group(who, attributes->gid) && !files_may(CAPABILITY_KEEP_SET_ID))
        to.mode &= ~(uint32_t)MODE_SET_GID;
    return k42_call(node, set_attributes, NODE_SET_MODE, &to);
}

LINUX_CALL(90, chmod, uintptr_t path, uint32_t mode) {
    struct change change = {
        .directory = AT_WORKING, .now = set_mode, .told = NOTIFY_ATTRIBUTES, .to.mode = mode};
    return change_path(&change, path);
}

LINUX_CALL(268, fchmodat, int directory, uintptr_t path, uint32_t mode) {
    struct change change = {
        .directory = directory, .now = set_mode, .told = NOTIFY_ATTRIBUTES, .to.mode = mode};
    return change_path(&change, path);
}

LINUX_CALL(452, fchmodat2, int directory, uintptr_t path, uint32_t mode, int flags) {
    struct change change = {.directory = directory,
                            .flags = flags,
                            .now = set_mode,
                            .told = NOTIFY_ATTRIBUTES,
                            .to.mode = mode};
    if (flags & ~(AT_NO_FOLLOW | AT_EMPTY))
        return -EINVAL;
    return change_path(&change, path);
}

LINUX_CALL(91, fchmod, int fd, uint32_t mode) {
    struct change change = {
        .directory = fd, .now = set_mode, .told = NOTIFY_ATTRIBUTES, .to.mode = mode};
    return change_file(&change);
}

/* ---- chown ---- */

static k42_result set_owner(const struct change *change, node_ref node,
                            struct node_attributes *attributes) {
    const struct credentials *who = task_self()->credentials;
    struct node_attributes to = change->to;
    unsigned which = change->which;
    bool may = files_may(CAPABILITY_CHOWN), owns = who->fsuid == attributes->uid;
    if ((which & NODE_SET_UID) && !may && !(owns && to.uid == attributes->uid))
        return -EPERM;
    if ((which & NODE_SET_GID) && !may &&
        !(owns && (to.gid == attributes->gid || credentials_in_group(who, to.gid))))
        return -EPERM;
    /* A program that changes hands loses its rights. */
    if ((attributes->mode & MODE_TYPE) != MODE_DIRECTORY) {
        uint32_t lost = files_lost_set_id(attributes->mode, attributes->gid);
        if (lost && !is_owner(attributes))
            return -EPERM;
        to.mode = attributes->mode & ~lost;
        which |= lost ? NODE_SET_MODE : 0u;
    }
    return k42_call(node, set_attributes, which, &to);
}

static struct change owner_change(int directory, uint32_t uid, uint32_t gid, int flags) {
    return (struct change){
        .directory = directory,
        .flags = flags,
        .now = set_owner,
        .which = (uid != ~0u ? NODE_SET_UID : 0u) | (gid != ~0u ? NODE_SET_GID : 0u),
        .to.uid = uid,
        .to.gid = gid,
        .told = uid != ~0u || gid != ~0u ? NOTIFY_ATTRIBUTES : 0u,
    };
}

LINUX_CALL(92, chown, uintptr_t path, uint32_t uid, uint32_t gid) {
    struct change change = owner_change(AT_WORKING, uid, gid, 0);
    return change_path(&change, path);
}

LINUX_CALL(94, lchown, uintptr_t path, uint32_t uid, uint32_t gid) {
    struct change change = owner_change(AT_WORKING, uid, gid, AT_NO_FOLLOW);
    return change_path(&change, path);
}

LINUX_CALL(93, fchown, int fd, uint32_t uid, uint32_t gid) {
    struct change change = owner_change(fd, uid, gid, 0);
    return change_file(&change);
}

LINUX_CALL(260, fchownat, int directory, uintptr_t path, uint32_t uid, uint32_t gid, int flags) {
    struct change change = owner_change(directory, uid, gid, flags);
    if (flags & ~(AT_NO_FOLLOW | AT_EMPTY))
        return -EINVAL;
    return change_path(&change, path);
}

/* ---- truncate ---- */

/* While it is cut it is written to, which what runs is not. */
k42_result files_set_size(node_ref node, const struct node_attributes *to) {
    k42_result result = k42_call(node, claim, NODE_WRITTEN_TO);
    if (result < 0)
        return result;
    result = k42_call(node, set_attributes, NODE_SET_SIZE, to);
    (void)!k42_call(node, unclaim, NODE_WRITTEN_TO);
    return result;
}

static k42_result set_size(const struct change *change, node_ref node,
                           struct node_attributes *attributes) {
    if ((attributes->mode & MODE_TYPE) == MODE_DIRECTORY)
        return -EISDIR;
    if ((attributes->mode & MODE_TYPE) != MODE_REGULAR)
        return -EINVAL;
    k42_result result = node_allows(attributes, task_self()->credentials, NODE_WRITE);
    if (result >= 0)
        result = files_limit_size(attributes->size, change->to.size);
    if (result >= 0)
        result = leases_break(k42_id_of(node), OPEN_WRITE_ONLY);
    return result < 0 ? result : files_set_size(node, &change->to);
}

LINUX_CALL(76, truncate, uintptr_t path, int64_t size) {
    struct change change = {.directory = AT_WORKING,
                            .now = set_size,
                            .told = NOTIFY_WRITTEN,
                            .to.size = (uint64_t)size};
    return size < 0 ? -EINVAL : change_path(&change, path);
}

static k42_result resize(file_ref file, uint64_t size) {
    k42_result result = files_limit_resize(file, size);
    return result < 0 ? result : k42_call(file, resize, size);
}

/* A file opened for writing may be made shorter whatever its mode says now. */
LINUX_CALL(77, ftruncate, int fd, int64_t size) {
    file_ref file;
    if (size < 0)
        return -EINVAL;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, hold);
    if (result < 0)
        return linux_result(result, -EBADF);
    WAIT_CALL(result, WAIT_FOREVER, 0, resize(file, (uint64_t)size));
    if (result >= 0 && notify_any())
        notify_node((node_ref)k42_call(file, node).word, NOTIFY_WRITTEN);
    (void)!k42_call(file, release);
    return linux_result(result, -EBADF);
}

/* Room is memory, of which no call gets more than half of what is free. */
static k42_result check_room(uint64_t length) {
    uint64_t total, available;
    system_memory(&total, &available);
    return length / 4096 > available / 2 ? -ENOSPC : 0;
}

static k42_result allocate(file_ref file, unsigned mode, uint64_t offset, uint64_t length) {
    bool fills = !(mode & ~(unsigned)ALLOCATE_KEEP_SIZE) || mode == ALLOCATE_ZERO;
    k42_result result = fills ? files_limit_resize(file, offset + length) : 0;
    if (result >= 0 && !(mode & ALLOCATE_PUNCH))
        result = check_room(length);
    return result < 0 ? result : k42_call(file, allocate, mode, offset, length);
}

LINUX_CALL(285, fallocate, int fd, int mode, int64_t offset, int64_t length) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode & ~(ALLOCATE_KEEP_SIZE | ALLOCATE_PUNCH | ALLOCATE_COLLAPSE | ALLOCATE_ZERO |
                 ALLOCATE_INSERT))
        return -EOPNOTSUPP;
    if ((mode & ALLOCATE_PUNCH) && !(mode & ALLOCATE_KEEP_SIZE))
        return -EOPNOTSUPP;
    result = k42_call(file, flags);
    if (result < 0 || (result & OPEN_PATH) || !open_writes((unsigned)result))
        return -EBADF;
    if (offset > INT64_MAX - length)
        return -EFBIG;
    result = k42_call(file, hold);
    if (result < 0)
        return linux_result(result, -EBADF);
    WAIT_CALL(result, WAIT_FOREVER, 0,
              allocate(file, (unsigned)mode, (uint64_t)offset, (uint64_t)length));
    if (result >= 0)
        notify_file_if_any(file, NOTIFY_WRITTEN);
    (void)!k42_call(file, release);
    return linux_result(result, -EBADF);
}

/* ---- times ---- */

struct linux_timespec {
    int64_t seconds, nanoseconds;
};

enum { TIME_NOW = (1 << 30) - 1, TIME_OMIT = (1 << 30) - 2 };

static k42_result set_times(const struct change *change, node_ref node,
                            struct node_attributes *attributes) {
    if (!is_owner(attributes)) {
        if (!change->times_need_write)
            return -EPERM;
        k42_result result = node_allows(attributes, task_self()->credentials, NODE_WRITE);
        if (result < 0)
            return result;
    }
    return k42_call(node, set_attributes, change->which, &change->to);
}

/* Which of them to set; *is_wrong when it is no time. */
static unsigned take_time(const struct linux_timespec *from, struct node_time *to, unsigned set,
                          unsigned set_now, bool *is_wrong) {
    if (from->nanoseconds == TIME_OMIT)
        return 0;
    if (from->nanoseconds == TIME_NOW)
        return set_now;
    if (from->nanoseconds < 0 || from->nanoseconds >= 1000000000)
        *is_wrong = true;
    *to = (struct node_time){from->seconds, (uint32_t)from->nanoseconds};
    return set;
}

/* Times that are not there mean now. */
static void set_change_times(struct change *change, const struct linux_timespec *times) {
    enum { BOTH_NOW = NODE_SET_ACCESSED_NOW | NODE_SET_MODIFIED_NOW };
    change->now = set_times;
    change->which = BOTH_NOW;
    if (times)
        change->which = take_time(&times[0], &change->to.accessed, NODE_SET_ACCESSED,
                                  NODE_SET_ACCESSED_NOW, &change->is_wrong) |
                        take_time(&times[1], &change->to.modified, NODE_SET_MODIFIED,
                                  NODE_SET_MODIFIED_NOW, &change->is_wrong);
    change->times_need_write = change->which == BOTH_NOW;
    bool accessed = change->which & (NODE_SET_ACCESSED | NODE_SET_ACCESSED_NOW);
    bool modified = change->which & (NODE_SET_MODIFIED | NODE_SET_MODIFIED_NOW);
    change->told = accessed && modified ? NOTIFY_ATTRIBUTES
                   : accessed           ? NOTIFY_READ
                   : modified           ? NOTIFY_WRITTEN
                                        : 0u;
}

static k42_result change_times(int directory, uintptr_t path, const struct linux_timespec *times,
                               int flags) {
    struct change change = {.directory = directory, .flags = flags};
    set_change_times(&change, times);
    if (times && times[0].nanoseconds == TIME_OMIT && times[1].nanoseconds == TIME_OMIT)
        return 0;
    return path ? change_path(&change, path) : change_file(&change);
}

LINUX_CALL(280, utimensat, int directory, uintptr_t path, uintptr_t times_at, int flags) {
    struct linux_timespec times[2];
    if (flags & ~(AT_NO_FOLLOW | AT_EMPTY))
        return -EINVAL;
    k42_result result = times_at ? files_copy_in(times, times_at, sizeof times) : 0;
    if (result < 0)
        return result;
    if (!path && directory == AT_WORKING)
        return -EFAULT;
    if (!path && flags)
        return -EINVAL;
    return change_times(directory, path, times_at ? times : NULL, flags);
}

/* In microseconds, as utimes has them. */
static k42_result change_times_us(int directory, uintptr_t path, uintptr_t times_at) {
    struct linux_timespec times[2];
    k42_result result = times_at ? files_copy_in(times, times_at, sizeof times) : 0;
    for (int n = 0; n < 2 && times_at && result >= 0; n++) {
        if (times[n].nanoseconds < 0 || times[n].nanoseconds >= 1000000)
            result = -EINVAL;
        times[n].nanoseconds *= 1000;
    }
    return result < 0 ? result : change_times(directory, path, times_at ? times : NULL, 0);
}

LINUX_CALL(235, utimes, uintptr_t path, uintptr_t times) {
    return path ? change_times_us(AT_WORKING, path, times) : -EFAULT;
}

LINUX_CALL(261, futimesat, int directory, uintptr_t path, uintptr_t times) {
    return change_times_us(directory, path, times);
}

LINUX_CALL(132, utime, uintptr_t path, uintptr_t times_at) {
    int64_t seconds[2];
    k42_result result = times_at ? files_copy_in(seconds, times_at, sizeof seconds) : 0;
    if (result < 0 || !path)
        return result < 0 ? result : -EFAULT;
    struct linux_timespec times[2] = {{times_at ? seconds[0] : 0, 0},
                                      {times_at ? seconds[1] : 0, 0}};
    return change_times(AT_WORKING, path, times_at ? times : NULL, 0);
}
