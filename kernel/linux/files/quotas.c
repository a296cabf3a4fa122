/*
 * quotactl and quotactl_fd: quotas of users, of which no file system has any. So what is asked for
 * is looked for as Linux does, and found not to be there. Owns: nothing.
 */
#include "files.h"

enum { SYNC = 0x800001, TYPES = 3 };

static k42_result find_disk(const char *text) {
    struct path path;
    struct node_attributes attributes;
    k42_result result = files_walk(&path, AT_WORKING, text, PATH_FOLLOW);
    if (result >= 0)
        result = k42_call(path.found.node, attributes, &attributes);
    if (result < 0)
        return result;
    bool disk = MODE_ENTRY_TYPE(attributes.mode) == MODE_ENTRY_TYPE(MODE_BLOCK);
    return disk ? -ENODEV : -ENOTBLK;
}

LINUX_CALL(179, quotactl, unsigned what, uintptr_t disk, unsigned id, uintptr_t at) {
    struct files_text text;
    k42_result result;
    (void)id, (void)at;
    if ((what & 0xff) >= TYPES)
        return -EINVAL;
    if (!disk)
        return what >> 8 == SYNC ? 0 : -ENODEV;
    result = files_text_get(&text, disk, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, find_disk(text.at));
    files_text_end(&text);
    return result;
}

LINUX_CALL(443, quotactl_fd, int fd, unsigned what, unsigned id, uintptr_t at) {
    file_ref file;
    (void)id, (void)at;
    k42_result result = files_get(fd, &file);
    if (result < 0)
        return result;
    return (what & 0xff) >= TYPES ? -EINVAL : -ENOSYS;
}
