/*
 * memfd_create: a regular file without a name, in memory, which can be sealed (mem/fcm/fcm.h).
 *
 * There are no huge pages here: who asks for them is answered as by a Linux that was built so.
 */
#include "files.h"

#include "../../fs/ramfs/ramfs.h"
#include "../../mem/fcm/fcm.h"
#include "runtime.h"

enum {
    MEMORY_ON_EXEC = 1,
    MEMORY_SEALS = 2,
    MEMORY_HUGE = 4,
    MEMORY_NO_EXECUTE = 8, /* and so it stays, by a seal; so it can be sealed as well */
    MEMORY_EXECUTE = 16,
    MEMORY_ALL = 31,
    MEMORY_HUGE_SIZE = (int)(63u << 26), /* a number, with MEMORY_HUGE */
};

/* As Linux has it in /proc: what it is, and what it was called. */
#define TITLE "memfd:"

static k42_result check(unsigned flags) {
    unsigned known = (unsigned)MEMORY_ALL | (flags & MEMORY_HUGE ? (unsigned)MEMORY_HUGE_SIZE : 0u);
    unsigned both = MEMORY_EXECUTE | MEMORY_NO_EXECUTE;
    return flags & ~known || (flags & both) == both ? -EINVAL : 0;
}

static unsigned seals_of(unsigned flags) {
    if (flags & MEMORY_NO_EXECUTE)
        return FCM_SEAL_EXECUTE;
    return flags & MEMORY_SEALS ? 0 : FCM_SEAL_SEAL;
}

static k42_result make(const char *title, unsigned flags) {
    const struct credentials *who = task_self()->credentials;
    struct node_new what = {.mode = MODE_REGULAR | (flags & MEMORY_NO_EXECUTE ? 0666 : 0777),
                            .uid = who->fsuid,
                            .gid = who->fsgid};
    k42_ref node;
    k42_result result = ramfs_make_memory_file(&what, title, seals_of(flags), &node);
    if (result < 0)
        return result;
    /* As on Linux it can be run by whoever has it so: fexecve() of what was just written. */
    struct k42_pair file =
        k42_call((node_ref)node, open, OPEN_READ_WRITE | OPEN_LARGE | OPEN_UNCLAIMED);
    (void)!k42_call((node_ref)node, release);
    if (file.result < 0)
        return file.result;
    return files_add((file_ref)file.word, flags & MEMORY_ON_EXEC ? OPEN_CLOSE_ON_EXEC : 0);
}

LINUX_CALL(319, memfd_create, uintptr_t name_at, unsigned flags) {
    enum { MOST_NAME = 250 };
    char title[sizeof TITLE - 1 + MOST_NAME];
    struct files_text name;
    k42_result result = check(flags);
    if (result >= 0)
        result = files_text_get(&name, name_at, MOST_NAME);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    (void)k42_format_text(title, sizeof title, TITLE "%s", name.at);
    files_text_end(&name);
    return flags & MEMORY_HUGE ? -ENOSYS : make(title, flags);
}
