/*
 * stat and its like, access, statfs.
 */
#include "files.h"

#include "runtime.h"

#include <string.h>

/* struct stat of this processor. */
struct linux_stat {
    uint64_t device, number, links;
    uint32_t mode, uid, gid, unused;
    uint64_t special;
    int64_t size, block_size, blocks;
    uint64_t accessed, accessed_ns, modified, modified_ns, changed, changed_ns;
    int64_t unused_too[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "Linux's layout");

static k42_result put_stat(uintptr_t to, const struct node_attributes *from) {
    struct linux_stat stat = {
        .device = from->device,
        .number = from->number,
        .links = from->links,
        .mode = from->mode,
        .uid = from->uid,
        .gid = from->gid,
        .special = from->special,
        .size = (int64_t)from->size,
        .block_size = from->block_size,
        .blocks = (int64_t)from->blocks,
        .accessed = (uint64_t)from->accessed.seconds,
        .accessed_ns = from->accessed.nanoseconds,
        .modified = (uint64_t)from->modified.seconds,
        .modified_ns = from->modified.nanoseconds,
        .changed = (uint64_t)from->changed.seconds,
        .changed_ns = from->changed.nanoseconds,
    };
    return files_copy_out(to, &stat, sizeof stat);
}

static k42_result get_now(int directory, const char *text, int flags,
                          struct node_attributes *attributes) {
    node_ref node;
    struct mount *mount;
    k42_result result = files_node(directory, text, flags, &node, &mount);
    return result < 0 ? result : k42_call(node, attributes, attributes);
}

/* An absent path with AT_EMPTY_PATH is an empty one. */
static k42_result get(int directory, uintptr_t path, int flags,
                      struct node_attributes *attributes) {
    struct files_text text = {.at = text.here};
    k42_result result = 0;
    text.here[0] = 0;
    if (path || !(flags & AT_EMPTY))
        result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, get_now(directory, text.at, flags, attributes));
    files_text_end(&text);
    return result;
}

static k42_result stat_path(int directory, uintptr_t path, int flags, uintptr_t to) {
    struct node_attributes attributes;
    k42_result result = get(directory, path, flags, &attributes);
    return result < 0 ? result : put_stat(to, &attributes);
}

static k42_result get_file(int fd, struct node_attributes *attributes) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    struct k42_pair node = k42_call(file, node);
    result = node.result < 0 ? node.result : k42_call((node_ref)node.word, attributes, attributes);
    return result == -K42_STALE ? -EBADF : result;
}

LINUX_CALL(4, stat, uintptr_t path, uintptr_t to) {
    return stat_path(AT_WORKING, path, 0, to);
}

LINUX_CALL(5, fstat, int fd, uintptr_t to) {
    struct node_attributes attributes;
    k42_result result;
    FILES_CALL(result, get_file(fd, &attributes));
    return result < 0 ? result : put_stat(to, &attributes);
}

LINUX_CALL(6, lstat, uintptr_t path, uintptr_t to) {
    return stat_path(AT_WORKING, path, AT_NO_FOLLOW, to);
}

LINUX_CALL(262, newfstatat, int directory, uintptr_t path, uintptr_t to, int flags) {
    if (flags & ~(AT_NO_FOLLOW | AT_NO_AUTOMATIC | AT_EMPTY | AT_SYNC_TYPES))
        return -EINVAL;
    return stat_path(directory, path, flags, to);
}

/* ---- statx ---- */

struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t unused;
};

struct linux_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, unused;
    uint64_t number, size, blocks, attributes_mask;
    struct statx_time accessed, born, changed, modified;
    uint32_t special_major, special_minor, device_major, device_minor;
    uint64_t mount;
    uint32_t direct_memory, direct_offset;
    uint64_t unused_too[12];
};
_Static_assert(sizeof(struct linux_statx) == 256, "Linux's layout");

enum { STATX_KNOWN = 0xfff, STATX_RESERVED = 1u << 31, STATX_MOUNT_ROOT = 0x2000 };

static struct statx_time statx_time(struct node_time time) {
    return (struct statx_time){time.seconds, time.nanoseconds, 0};
}

static uint32_t major_of(uint64_t number) {
    return number >> 8 & 0xfff;
}

static uint32_t minor_of(uint64_t number) {
    return (number & 0xff) | (number >> 12 & 0xfff00);
}

LINUX_CALL(332, statx, int directory, uintptr_t path, int flags, unsigned mask, uintptr_t to) {
    struct node_attributes from;
    if ((flags & ~(AT_NO_FOLLOW | AT_NO_AUTOMATIC | AT_EMPTY | AT_SYNC_TYPES)) ||
        (mask & STATX_RESERVED) || (flags & AT_SYNC_TYPES) == AT_SYNC_TYPES)
        return -EINVAL;
    k42_result result = get(directory, path, flags, &from);
    if (result < 0)
        return result;
    struct linux_statx statx = {
        .mask = STATX_KNOWN,
        .block_size = from.block_size,
        .links = from.links,
        .uid = from.uid,
        .gid = from.gid,
        .mode = (uint16_t)from.mode,
        .number = from.number,
        .size = from.size,
        .blocks = from.blocks,
        .accessed = statx_time(from.accessed),
        .born = statx_time(from.born),
        .changed = statx_time(from.changed),
        .modified = statx_time(from.modified),
        .special_major = major_of(from.special),
        .special_minor = minor_of(from.special),
        .device_major = major_of(from.device),
        .device_minor = minor_of(from.device),
    };
    return files_copy_out(to, &statx, sizeof statx);
}

/* ---- access ---- */

static k42_result access_now(int directory, const char *text, unsigned access, int flags) {
    struct node_attributes attributes;
    node_ref node;
    struct mount *mount;
    k42_result result = files_node(directory, text, flags, &node, &mount);
    if (result >= 0)
        result = k42_call(node, attributes, &attributes);
    if (result < 0 || !access)
        return result < 0 ? result : 0;
    if ((attributes.mode & MODE_TYPE) == MODE_REGULAR && (access & NODE_EXECUTE) && mount &&
        (mount->flags & NODE_NO_EXECUTE))
        return -EACCES;
    result = node_allows(&attributes, task_self()->credentials, access);
    bool is_data = MODE_ENTRY_TYPE(attributes.mode) == ENTRY_REGULAR ||
                   MODE_ENTRY_TYPE(attributes.mode) == ENTRY_DIRECTORY ||
                   MODE_ENTRY_TYPE(attributes.mode) == ENTRY_LINK;
    if (result == 0 && (access & NODE_WRITE) && is_data &&
        ((attributes.mount_flags & NODE_READ_ONLY) || files_writable(mount) < 0))
        return -EROFS;
    return result;
}

/* The caller with his real ids, and with root's capabilities if that is who he is. Others may look
 * at a task's credentials at any time, so they are replaced, and go a grace period later. */
struct real {
    struct k42_defer defer;
    struct credentials who;
};

static void free_real(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct real, defer));
}

static struct real *as_real(const struct credentials *from) {
    size_t groups = from->group_count * sizeof from->groups[0];
    struct real *real = k42_platform_alloc(sizeof *real + groups);
    if (!real)
        return NULL;
    memcpy(&real->who, from, sizeof *from + groups);
    real->who.fsuid = from->uid;
    real->who.fsgid = from->gid;
    real->who.effective = from->uid == 0 ? from->permitted : 0;
    return real;
}

static k42_result access_as_real(int directory, const char *text, unsigned access, int flags) {
    struct task *task = task_self();
    struct credentials *before = task->credentials;
    k42_result result;
    if (before->uid == before->fsuid && before->gid == before->fsgid) {
        FILES_CALL(result, access_now(directory, text, access, flags));
        return result;
    }
    struct real *real = as_real(before);
    if (!real)
        return -ENOMEM;
    __atomic_store_n(&task->credentials, &real->who, __ATOMIC_RELEASE);
    FILES_CALL(result, access_now(directory, text, access, flags));
    __atomic_store_n(&task->credentials, before, __ATOMIC_RELEASE);
    k42_defer(&real->defer, free_real);
    return result;
}

static k42_result access_path(int directory, uintptr_t path, unsigned access, int flags) {
    struct files_text text;
    if ((access & ~7u) || (flags & ~(AT_EFFECTIVE | AT_NO_FOLLOW | AT_EMPTY)))
        return -EINVAL;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    if (flags & AT_EFFECTIVE)
        FILES_CALL(result, access_now(directory, text.at, access, flags));
    else
        result = access_as_real(directory, text.at, access, flags);
    files_text_end(&text);
    return result;
}

LINUX_CALL(21, access, uintptr_t path, unsigned access) {
    return access_path(AT_WORKING, path, access, 0);
}

LINUX_CALL(269, faccessat, int directory, uintptr_t path, unsigned access) {
    return access_path(directory, path, access, 0);
}

LINUX_CALL(439, faccessat2, int directory, uintptr_t path, unsigned access, int flags) {
    return access_path(directory, path, access, flags);
}

/* ---- statfs ---- */

struct linux_statfs {
    int64_t type, block_size;
    uint64_t blocks, free, available, nodes, nodes_free;
    uint32_t id[2];
    int64_t name_length, fragment_size, flags, unused[4];
};
_Static_assert(sizeof(struct linux_statfs) == 120, "Linux's layout");

static k42_result statfs_node(node_ref node, struct mount *mount, struct linux_statfs *to) {
    struct node_file_system from;
    struct node_attributes attributes;
    k42_result result = k42_call(node, file_system, &from);
    if (result >= 0)
        result = k42_call(node, attributes, &attributes);
    if (result < 0)
        return result;
    unsigned flags = from.flags | (mount ? mount->flags : 0);
    enum { VALID = 0x20, RELATIVE_ACCESSED = 0x1000 };
    *to = (struct linux_statfs){
        .type = (int64_t)from.type,
        .block_size = from.block_size,
        .blocks = from.blocks,
        .free = from.blocks_free,
        .available = from.blocks_free,
        .nodes = from.nodes,
        .nodes_free = from.nodes_free,
        .id = {(uint32_t)attributes.device, (uint32_t)(attributes.device >> 32)},
        .name_length = NODE_NAME_MAX,
        .fragment_size = from.block_size,
        .flags = VALID | RELATIVE_ACCESSED | (flags & NODE_READ_ONLY ? 1 : 0) |
                 (flags & NODE_NO_SETUID ? 2 : 0) | (flags & NODE_NO_DEVICES ? 4 : 0) |
                 (flags & NODE_NO_EXECUTE ? 8 : 0),
    };
    return 0;
}

static k42_result statfs_now(int directory, const char *text, int flags, struct linux_statfs *to) {
    node_ref node;
    struct mount *mount;
    k42_result result = files_node(directory, text, flags, &node, &mount);
    return result < 0 ? result : statfs_node(node, mount, to);
}

LINUX_CALL(137, statfs, uintptr_t path, uintptr_t to) {
    struct linux_statfs statfs;
    struct files_text text;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, statfs_now(AT_WORKING, text.at, 0, &statfs));
    files_text_end(&text);
    return result < 0 ? result : files_copy_out(to, &statfs, sizeof statfs);
}

LINUX_CALL(138, fstatfs, int fd, uintptr_t to) {
    struct linux_statfs statfs;
    k42_result result;
    FILES_CALL(result, statfs_now(fd, "", AT_EMPTY, &statfs));
    if (fd == AT_WORKING)
        return -EBADF;
    return result < 0 ? result : files_copy_out(to, &statfs, sizeof statfs);
}
