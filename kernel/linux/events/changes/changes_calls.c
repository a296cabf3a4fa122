/*
 * inotify_init, inotify_add_watch, inotify_rm_watch.
 *
 * The file and the node are found anew in each attempt: the file may be closed while another call
 * has it. The order in which Linux says what is wrong is kept here.
 */
#include "../../files/files.h"
#include "changes.h"

enum {
    OF_MASK = NOTIFY_EVENTS | NOTIFY_DIRECTORY | NOTIFY_UNMOUNTED | CHANGES_LOST | CHANGES_ENDED |
              CHANGES_FOLDERS_ONLY | CHANGES_NO_FOLLOW | CHANGES_NAMED_ONLY | CHANGES_NEW_ONLY |
              CHANGES_ADD | CHANGES_ONCE,
};

static k42_result open_changes(unsigned flags) {
    if (flags & ~(unsigned)(OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    return changes_file_open(flags);
}

LINUX_CALL(253, inotify_init, void) {
    return open_changes(0);
}

LINUX_CALL(294, inotify_init1, unsigned flags) {
    return open_changes(flags);
}

static k42_result check_file(int fd) {
    file_ref file;
    return unnamed_get(fd, FILE_OF_CHANGES, &file);
}

static k42_result set(int fd, const struct changes_request *request) {
    file_ref file;
    k42_result result = unnamed_get(fd, FILE_OF_CHANGES, &file);
    return result < 0 ? result : k42_call(file, control, FILE_SET, (uintptr_t)request);
}

/* Who watches must be allowed to read. */
static k42_result add_now(int fd, const char *text, uint32_t mask) {
    struct changes_request request = {.mask = mask};
    struct node_attributes attributes;
    struct path path;
    unsigned flags = (mask & CHANGES_NO_FOLLOW ? 0u : PATH_FOLLOW) |
                     (mask & CHANGES_FOLDERS_ONLY ? PATH_DIRECTORY : 0u);
    k42_result result = files_walk(&path, AT_WORKING, text, flags);
    if (result >= 0)
        result = k42_call(path.found.node, attributes, &attributes);
    if (result >= 0)
        result = node_allows(&attributes, path.who, NODE_READ);
    if (result < 0)
        return result;
    request.node = (k42_ref)path.found.node;
    return set(fd, &request);
}

/* Partly: the end of a file in a folder of the host (9P) is not told of. */
LINUX_CALL(254, inotify_add_watch, int fd, uintptr_t path, uint32_t mask) {
    struct files_text text;
    if (!mask || (mask & ~(uint32_t)OF_MASK))
        return -EINVAL;
    k42_result result = check_file(fd);
    if (result != -EBADF && (mask & CHANGES_ADD) && (mask & CHANGES_NEW_ONLY))
        return -EINVAL;
    if (result >= 0)
        result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, add_now(fd, text.at, mask));
    files_text_end(&text);
    return result;
}

LINUX_CALL(255, inotify_rm_watch, int fd, int number) {
    struct changes_request request = {.number = number};
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0, set(fd, &request));
    return linux_result(result, -EBADF);
}
