/*
 * name_to_handle_at and open_by_handle_at: files by what their file system calls them, whatever
 * their names.
 *
 * A handle has the number of the file and of its file system, since that is not used again after
 * the file has gone. There are handles where nodes can be found by their numbers: in ramfs. Who
 * opens one passes by the directories above, so that takes a capability.
 */
#include "files.h"

enum { HANDLE_OF_NODE = 1, HANDLE_MOST = 128 };

struct handle_head {
    uint32_t bytes;
    int32_t type;
};

struct handle {
    uint32_t file_system, number_low, number_high;
};

/* ---- name_to_handle_at ---- */

struct naming {
    int directory, flags;
    const char *text;
    struct handle handle;
    int32_t mount;
};

static k42_result name_now(struct naming *naming) {
    struct node_attributes attributes;
    struct mount *mount;
    node_ref node;
    int flags = (naming->flags & AT_EMPTY) | (naming->flags & AT_FOLLOW ? 0 : AT_NO_FOLLOW);
    k42_result result = files_node(naming->directory, naming->text, flags, &node, &mount);
    if (result >= 0)
        result = k42_call(node, attributes, &attributes);
    if (result >= 0)
        result = k42_call(node, by_number, attributes.number).result;
    if (result < 0)
        return result;
    naming->handle = (struct handle){(uint32_t)attributes.device, (uint32_t)attributes.number,
                                     (uint32_t)(attributes.number >> 32)};
    naming->mount = mount ? (int32_t)mount->id : 0;
    return 0;
}

/* Where there is no room for it the size that it has is told. */
static k42_result tell(const struct naming *naming, uintptr_t to, uintptr_t mount_to) {
    struct handle_head head;
    k42_result result = files_copy_in(&head, to, sizeof head);
    if (result < 0 || head.bytes > HANDLE_MOST)
        return result < 0 ? result : -EINVAL;
    bool fits = head.bytes >= sizeof naming->handle;
    head = (struct handle_head){sizeof naming->handle, HANDLE_OF_NODE};
    result = files_copy_out(mount_to, &naming->mount, sizeof naming->mount);
    if (result >= 0)
        result = files_copy_out(to, &head, sizeof head);
    if (result >= 0 && fits)
        result = files_copy_out(to + sizeof head, &naming->handle, sizeof naming->handle);
    return result < 0 ? result : fits ? 0 : -EOVERFLOW;
}

LINUX_CALL(303, name_to_handle_at, int directory, uintptr_t path, uintptr_t handle,
           uintptr_t mount_to, int flags) {
    struct naming naming = {.directory = directory, .flags = flags};
    struct files_text text;
    if (flags & ~(AT_FOLLOW | AT_EMPTY))
        return -EINVAL;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    naming.text = text.at;
    FILES_CALL(result, name_now(&naming));
    files_text_end(&text);
    return result < 0 ? result : tell(&naming, handle, mount_to);
}

/* ---- open_by_handle_at ---- */

/* Any file of the file system tells which one it is. */
static k42_result find_start(int fd, struct place *start) {
    if (fd == AT_WORKING) {
        *start = path_working(task_self()->paths);
        return 0;
    }
    k42_result result = files_place(fd, start);
    return result == -ENOTDIR ? -ESTALE : result;
}

/* The place, held. */
static k42_result find_now(int fd, const struct handle *handle, struct place *found) {
    struct node_attributes attributes;
    k42_result result = find_start(fd, found);
    if (result >= 0)
        result = k42_call(found->node, attributes, &attributes);
    if (result < 0)
        return result;
    struct k42_pair node =
        k42_call(found->node, by_number, handle->number_low | (uint64_t)handle->number_high << 32);
    if (node.result < 0 || (uint32_t)attributes.device != handle->file_system)
        return -ESTALE;
    found->node = (node_ref)node.word;
    return place_hold(found) < 0 ? -ESTALE : 0;
}

static k42_result read_handle(uintptr_t from, struct handle *handle) {
    char bytes[HANDLE_MOST];
    struct handle_head head;
    k42_result result = files_copy_in(&head, from, sizeof head);
    if (result < 0 || head.bytes > HANDLE_MOST || !head.bytes)
        return result < 0 ? result : -EINVAL;
    result = files_copy_in(bytes, from + sizeof head, head.bytes);
    if (result < 0)
        return result;
    if (head.type != HANDLE_OF_NODE || head.bytes < sizeof *handle)
        return -ESTALE;
    __builtin_memcpy(handle, bytes, sizeof *handle);
    return 0;
}

LINUX_CALL(304, open_by_handle_at, int fd, uintptr_t handle_at, unsigned flags) {
    struct handle handle;
    struct place place;
    if (!files_may(CAPABILITY_READ_AND_SEARCH))
        return -EPERM;
    k42_result result = read_handle(handle_at, &handle);
    if (result >= 0)
        FILES_CALL(result, find_now(fd, &handle, &place));
    if (result < 0)
        return result;
    result = files_open_place(&place, flags);
    place_release(&place);
    return result;
}
