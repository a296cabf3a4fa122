/*
 * What open files without a name have in common. See unnamed.h.
 *
 * The node that all share is made when it is first asked for, and stays. Fails: -ENOMEM.
 */
#include "unnamed.h"

#include "../../fs/ramfs/ramfs.h"
#include "../files/files.h"

/* Linux's has permissions and no type. Of two that make one, one goes. */
struct k42_pair unnamed_node(struct file *self) {
    static k42_ref kept;
    static const struct node_new what = {.mode = 0600};
    k42_ref node = __atomic_load_n(&kept, __ATOMIC_ACQUIRE), made;
    (void)self;
    if (node)
        return (struct k42_pair){0, (uintptr_t)node};
    k42_result result = ramfs_make_unnamed(&what, &made);
    if (result < 0)
        return (struct k42_pair){.result = result};
    if (!__atomic_compare_exchange_n(&kept, &node, made, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        (void)!k42_call((node_ref)made, release);
        made = node;
    }
    return (struct k42_pair){0, (uintptr_t)made};
}

k42_result unnamed_seek(struct file *self, int64_t offset, int whence) {
    (void)self, (void)offset, (void)whence;
    return 0;
}

k42_result unnamed_open(struct k42_class *class_, size_t size, unsigned flags,
                        k42_result (*set_up)(struct opened *opened, void *context), void *context) {
    unsigned kept = OPEN_READ_WRITE | (flags & OPEN_NON_BLOCKING);
    struct k42_pair file = opened_make(class_, size, K42_NULL_REF, kept, set_up, context);
    return file.result < 0 ? file.result : files_add((file_ref)file.word, flags);
}

k42_result unnamed_get(int fd, enum file_kind kind, file_ref *file) {
    k42_result result = files_get(fd, file);
    if (result < 0)
        return result;
    if (k42_call(*file, control, FILE_KIND, 0) == (k42_result)kind)
        return 0;
    k42_result flags = k42_call(*file, flags);
    return flags < 0 || (flags & OPEN_PATH) ? -EBADF : -EINVAL;
}

/* What a page stopped is asked for once more, to say why. */
k42_result unnamed_copy_out(struct copy *copy, const void *from, size_t size) {
    struct copy at = *copy;
    size_t done = 0;
    while (done < size) {
        k42_result result = copy_out(&at, (const char *)from + done, size - done);
        if (result < 0)
            return result;
        done += (size_t)result;
    }
    *copy = at;
    return 0;
}

k42_result unnamed_copy_in(struct copy *copy, void *to, size_t size) {
    struct copy at = *copy;
    size_t done = 0;
    while (done < size) {
        k42_result result = copy_in(&at, (char *)to + done, size - done);
        if (result < 0)
            return result;
        done += (size_t)result;
    }
    *copy = at;
    return 0;
}
