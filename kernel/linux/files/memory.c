/*
 * memfd_create: a regular file without a name, in memory.
 *
 * Seals are not kept: such a file says that it is sealed against further ones.
 */
#include "files.h"

#include "../../fs/ramfs/ramfs.h"

enum { MEMORY_ON_EXEC = 1, MEMORY_SEALS = 2, MEMORY_NO_EXECUTE = 8, MEMORY_EXECUTE = 16 };

LINUX_CALL(319, memfd_create, uintptr_t name_at, unsigned flags) {
    enum { MOST_NAME = 250 };
    struct files_text name;
    k42_ref node;
    if (flags & ~(unsigned)(MEMORY_ON_EXEC | MEMORY_SEALS | MEMORY_NO_EXECUTE | MEMORY_EXECUTE))
        return -EINVAL;
    k42_result result = files_text_get(&name, name_at, MOST_NAME);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    files_text_end(&name);
    const struct credentials *who = task_self()->credentials;
    struct node_new what = {.mode = MODE_REGULAR | (flags & MEMORY_NO_EXECUTE ? 0666 : 0777),
                            .uid = who->fsuid,
                            .gid = who->fsgid};
    result = ramfs_make_unnamed(&what, &node);
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
