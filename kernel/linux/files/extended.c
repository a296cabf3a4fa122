/*
 * Extended attributes: getxattr and its like, by path, by path without following, by descriptor.
 */
#include "files.h"

#include "runtime.h"

#include <string.h>

enum { MOST_NAME = 256, MOST_VALUE = 65536, BY_PATH, BY_LINK, BY_FILE };

/* What a call is about: the node is found anew in each attempt. */
struct extended_call {
    int how, fd;
    const char *path;
    const struct node_name *name; /* NULL: list */
    char *value;
    size_t size;
    unsigned flags;
    bool sets, removes;
    bool trusted; /* the name is for administrators alone */
};

/* One that was opened for its path alone is none. */
static k42_result check_file(int fd) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    return result >= 0 && (result & OPEN_PATH) ? -EBADF : result;
}

/* Attributes of users are for files and folders, and as readable and writable as these. */
static k42_result may_as_user(const struct extended_call *call,
                              const struct node_attributes *attributes) {
    const struct credentials *who = task_self()->credentials;
    uint32_t type = attributes->mode & MODE_TYPE;
    if (type != MODE_REGULAR && type != MODE_DIRECTORY)
        return call->sets ? -EPERM : -ENODATA;
    if (call->sets && type == MODE_DIRECTORY && (attributes->mode & MODE_STICKY) &&
        who->fsuid != attributes->uid && !files_may(CAPABILITY_OWNER))
        return -EPERM;
    return node_allows(attributes, who, call->sets ? NODE_WRITE : NODE_READ);
}

static k42_result carry_out(const struct extended_call *call) {
    node_ref node;
    struct mount *mount;
    int flags = call->how == BY_FILE ? AT_EMPTY : call->how == BY_LINK ? AT_NO_FOLLOW : 0;
    k42_result result =
        files_node(call->how == BY_FILE ? call->fd : AT_WORKING, call->path, flags, &node, &mount);
    if (result >= 0 && call->how == BY_FILE)
        result = check_file(call->fd);
    if (result >= 0 && call->trusted && !files_may(CAPABILITY_ADMINISTRATOR))
        result = call->sets ? -EPERM : -ENODATA;
    if (result < 0)
        return result;
    struct node_attributes attributes;
    bool of_user = call->name && call->name->text[0] == 'u';
    if (call->sets)
        result = files_writable(mount);
    if (result >= 0 && (of_user || call->sets))
        result = k42_call(node, attributes, &attributes);
    if (result >= 0 && of_user)
        result = may_as_user(call, &attributes);
    else if (result >= 0 && call->sets && !call->trusted)
        result = node_allows(&attributes, task_self()->credentials, NODE_WRITE);
    if (result < 0)
        return result;
    if (!call->sets)
        return k42_call(node, get_extended, call->name, call->value, call->size);
    result = k42_call(node, set_extended, call->name, call->removes ? NULL : call->value,
                      call->size, call->flags);
    if (result >= 0 && notify_any())
        notify_node(node, NOTIFY_ATTRIBUTES);
    return result;
}

/* The path's text, or none for a descriptor; carries the call out. */
static k42_result with_path(struct extended_call *call, uintptr_t path) {
    struct files_text text;
    k42_result result = 0;
    if (call->how == BY_FILE) {
        call->fd = (int)path;
        call->path = "";
        if (call->fd == AT_WORKING)
            return -EBADF;
        FILES_CALL(result, carry_out(call));
        return result;
    }
    result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    call->path = text.at;
    FILES_CALL(result, carry_out(call));
    files_text_end(&text);
    return result;
}

static bool begins(const char *text, const char *with) {
    while (*with && *text == *with)
        text++, with++;
    return !*with;
}

/* The name's text, of a class that there is. */
static k42_result with_name(struct extended_call *call, uintptr_t path, uintptr_t name_at) {
    struct files_text text;
    k42_result result = files_text_get(&text, name_at, MOST_NAME);
    if (result < 0)
        return result == -ENAMETOOLONG ? -ERANGE : result;
    struct node_name name = {text.at, (uint32_t)text.length, 0};
    call->name = &name;
    call->trusted = begins(text.at, "trusted.");
    if (!text.length)
        result = -ERANGE;
    else if (!begins(text.at, "user.") && !call->trusted && !begins(text.at, "security."))
        result = -EOPNOTSUPP;
    else if (begins("trusted.", text.at) || begins("user.", text.at) ||
             begins("security.", text.at))
        result = -EINVAL; /* a class alone */
    else
        result = with_path(call, path);
    files_text_end(&text);
    return result;
}

/* Leaves out names that the caller may not know of; what is left of so many bytes. */
static k42_result without_trusted(char *names, k42_result bytes) {
    k42_result kept = 0;
    for (k42_result at = 0; at < bytes;) {
        k42_result length = 1;
        while (names[at + length - 1])
            length++;
        if (!begins(names + at, "trusted.")) {
            memmove(names + kept, names + at, (size_t)length);
            kept += length;
        }
        at += length;
    }
    return kept;
}

static k42_result get(int how, uintptr_t path, uintptr_t name, uintptr_t to, size_t size) {
    bool filters = !name && !files_may(CAPABILITY_ADMINISTRATOR);
    struct extended_call call = {.how = how,
                                 .size = size < MOST_VALUE && !filters ? size : MOST_VALUE};
    call.value = k42_platform_alloc(call.size ? call.size : 1);
    if (!call.value)
        return -ENOMEM;
    k42_result result = name ? with_name(&call, path, name) : with_path(&call, path);
    if (result > 0 && filters)
        result = without_trusted(call.value, result);
    if (result > 0 && size && (size_t)result > size)
        result = -ERANGE;
    if (result > 0 && size) {
        k42_result copied = files_copy_out(to, call.value, (size_t)result);
        result = copied < 0 ? copied : result;
    }
    k42_platform_free(call.value);
    return result;
}

/* A name is looked at before the value. */
static k42_result check_name(uintptr_t name_at) {
    struct files_text text;
    k42_result result = files_text_get(&text, name_at, MOST_NAME);
    if (result < 0)
        return result == -ENAMETOOLONG ? -ERANGE : result;
    result = text.length ? 0 : -ERANGE;
    files_text_end(&text);
    return result;
}

static k42_result set(int how, uintptr_t path, uintptr_t name, uintptr_t from, size_t size,
                      unsigned flags) {
    struct extended_call call = {.how = how, .size = size, .flags = flags, .sets = true};
    if (flags & ~3u)
        return -EINVAL;
    k42_result result = check_name(name);
    if (result < 0)
        return result;
    if (size > MOST_VALUE)
        return -E2BIG;
    call.value = k42_platform_alloc(size ? size : 1);
    if (!call.value)
        return -ENOMEM;
    result = size ? files_copy_in(call.value, from, size) : 0;
    if (result >= 0)
        result = with_name(&call, path, name);
    k42_platform_free(call.value);
    return result;
}

static k42_result take_away(int how, uintptr_t path, uintptr_t name) {
    struct extended_call call = {.how = how, .sets = true, .removes = true};
    return with_name(&call, path, name);
}

LINUX_CALL(188, setxattr, uintptr_t path, uintptr_t name, uintptr_t from, size_t size,
           unsigned flags) {
    return set(BY_PATH, path, name, from, size, flags);
}

LINUX_CALL(189, lsetxattr, uintptr_t path, uintptr_t name, uintptr_t from, size_t size,
           unsigned flags) {
    return set(BY_LINK, path, name, from, size, flags);
}

LINUX_CALL(190, fsetxattr, int fd, uintptr_t name, uintptr_t from, size_t size, unsigned flags) {
    return set(BY_FILE, (uintptr_t)fd, name, from, size, flags);
}

LINUX_CALL(191, getxattr, uintptr_t path, uintptr_t name, uintptr_t to, size_t size) {
    return name ? get(BY_PATH, path, name, to, size) : -EFAULT;
}

LINUX_CALL(192, lgetxattr, uintptr_t path, uintptr_t name, uintptr_t to, size_t size) {
    return name ? get(BY_LINK, path, name, to, size) : -EFAULT;
}

LINUX_CALL(193, fgetxattr, int fd, uintptr_t name, uintptr_t to, size_t size) {
    return name ? get(BY_FILE, (uintptr_t)fd, name, to, size) : -EFAULT;
}

LINUX_CALL(194, listxattr, uintptr_t path, uintptr_t to, size_t size) {
    return get(BY_PATH, path, 0, to, size);
}

LINUX_CALL(195, llistxattr, uintptr_t path, uintptr_t to, size_t size) {
    return get(BY_LINK, path, 0, to, size);
}

LINUX_CALL(196, flistxattr, int fd, uintptr_t to, size_t size) {
    return get(BY_FILE, (uintptr_t)fd, 0, to, size);
}

LINUX_CALL(197, removexattr, uintptr_t path, uintptr_t name) {
    return take_away(BY_PATH, path, name);
}

LINUX_CALL(198, lremovexattr, uintptr_t path, uintptr_t name) {
    return take_away(BY_LINK, path, name);
}

LINUX_CALL(199, fremovexattr, int fd, uintptr_t name) {
    return take_away(BY_FILE, (uintptr_t)fd, name);
}
