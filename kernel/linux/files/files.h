/*
 * What the file system calls share: paths of programs, files by descriptor, waiting.
 *
 * A call's thread is active and its task's. Anything found through a descriptor or a path lasts
 * until the thread leaves its generation, which only WAIT_CALL does; what must outlive that is
 * held.
 */
#ifndef KERNEL_LINUX_FILES_H
#define KERNEL_LINUX_FILES_H

#include "../../copy.h"
#include "../../fs/file.h"
#include "../../fs/mount.h"
#include "../../fs/notify.h"
#include "../../fs/path.h"
#include "../../fs/values.h"
#include "../../sched/wait.h"
#include "../linux.h"
#include "../task.h"

#include <errno.h>

enum {
    AT_WORKING = -100, /* AT_FDCWD */
    AT_NO_FOLLOW = 0x100,
    AT_EFFECTIVE = 0x200, /* of faccessat; AT_REMOVE_DIRECTORY of unlinkat */
    AT_REMOVE_DIRECTORY = 0x200,
    AT_FOLLOW = 0x400,
    AT_NO_AUTOMATIC = 0x800,
    AT_EMPTY = 0x1000,
    AT_SYNC_TYPES = 0x6000,
};

/* ---- waiting ---- */

/* What a call answers for what methods say beyond Linux's errors. */
static inline k42_result linux_result(k42_result result, k42_result stale) {
    if (__builtin_expect(result > -4096, 1))
        return result == -EINTR ? -LINUX_RESTART : result;
    return result == -K42_STALE ? stale : result;
}

/*
 * Evaluates an expression that finds everything it needs anew, as often as it must be: also where a
 * node went between the look at its name and the call, since rename() may have given the name to
 * another one, and a name that is replaced leads to one of the two at each moment. Who meets that
 * ever so often is told that there is nothing.
 */
#define FILES_CALL(result, ...)                                                                    \
    do {                                                                                           \
        unsigned files_looks = 1000;                                                               \
        do                                                                                         \
            WAIT_CALL(result, WAIT_FOREVER, 0, __VA_ARGS__);                                       \
        while ((result) == -K42_STALE && --files_looks);                                           \
        (result) = linux_result((result), -ENOENT);                                                \
    } while (0)

/* Who has ended gives up what he had mapped with his memory, a grace period after his parent knows
 * of the end: what is refused for its sake is refused when all who had ended before have done so.
 * The caller is active, before and after. */
static inline void files_wait_for_ended(void) {
    k42_exit();
    (void)!k42_defer_flush();
    k42_enter();
}

/* ---- a program's memory ---- */

/* Copies all of it, waiting for pages. 0 or -EFAULT. */
K42_MUST_CHECK
k42_result files_copy_in(void *to, uintptr_t from, size_t size);
K42_MUST_CHECK
k42_result files_copy_out(uintptr_t to, const void *from, size_t size);

/* What a later version of a structure has more is to be zero. 0, -E2BIG, -EFAULT. */
K42_MUST_CHECK
k42_result files_check_rest(uintptr_t at, size_t size);

/* A text of a program: a path or a name. */
struct files_text {
    char *at; /* terminated */
    size_t length;
    char here[256];
};

/* Copies one of at most `most` bytes with its end. 0, -EFAULT, -ENAMETOOLONG, -ENOMEM. Afterwards
 * files_text_end(), when it succeeded. */
K42_MUST_CHECK
k42_result files_text_get(struct files_text *text, uintptr_t from, size_t most);
void files_text_end(struct files_text *text);
#define FILES_PATH 4096

/* Ranges of a program's memory: struct iovec. */
enum { FILES_VECTORS_FEW = 8, FILES_BYTES_MOST = 0x7ffff000 };
struct files_vectors {
    struct copy_range few[FILES_VECTORS_FEW], *at;
    size_t count, total; /* cut to FILES_BYTES_MOST */
};

/* Copies them. 0, -EFAULT, -EINVAL (too many, or negative), -ENOMEM. Afterwards
 * files_vectors_end(), when it succeeded. */
K42_MUST_CHECK
k42_result files_vectors_get(struct files_vectors *vectors, uintptr_t from, size_t count);
void files_vectors_end(struct files_vectors *vectors);

/* ---- files that the kernel itself writes, in the caller's name ---- */

/* Made if it is not there, held once; no link is followed at its end. */
K42_MUST_CHECK
k42_result files_open_for_kernel(const char *path, uint32_t mode, file_ref *file);
/* Makes it empty. */
K42_MUST_CHECK
k42_result files_truncate_for_kernel(file_ref file);

/* Moves a file's own offset as lseek; while somebody else does, it waits, as for no signal. */
k42_result files_seek(file_ref file, int64_t offset, int whence);

/* ---- descriptors ---- */

/* -EBADF. */
static inline k42_result files_get(int number, file_ref *file) {
    struct k42_pair found = k42_call(task_self()->descriptors, get, number);
    *file = (file_ref)found.word;
    return found.result;
}

/* Whether a descriptor is one of bytes that are somewhere. 0, -EBADF, -ESPIPE. */
K42_MUST_CHECK
k42_result files_check_data(int fd);

/* Opens what is at a place, which the caller holds: a number in the table. As open(2). */
K42_MUST_CHECK
k42_result files_open_place(const struct place *place, unsigned flags);

/* Puts a file with one hold into the table; releases it when that fails. */
k42_result files_add(file_ref file, unsigned flags);

/* Takes one back that the program has not been told of. */
void files_take_back(int number);

/* Set by queues of messages when it first matters: the calling process closes a descriptor of a
 * file; atomic. */
extern void (*files_told_of_closing)(file_ref file);

/* Set by seccomp: an ioctl by which a listener puts a file into another task's table, and waits for
 * that. */
extern k42_result (*files_add_elsewhere)(file_ref file, unsigned request, uintptr_t argument);

/* An ioctl of userfaultfd's file (linux/events/faults/), which is held meanwhile. */
k42_result files_control_faults(file_ref file, unsigned request, uintptr_t argument);

/* The number of descriptors a process may have. */
static inline int files_limit(void) {
    uint64_t limit = task_limit(task_self(), 7);
    return limit < 0x7fffffff ? (int)limit : 0x7fffffff;
}

/* The name of an open file as seen from a root, not terminated; returns its length. -ENOENT. */
K42_MUST_CHECK
k42_result files_name(file_ref file, const struct place *root, char *text, size_t size);

/* ---- paths ---- */

/* Where the file of a descriptor is, not held: good until the caller's active section ends. Errors:
 * -EBADF, -ENOTDIR (it has no place among files). */
K42_MUST_CHECK
k42_result files_place(int fd, struct place *place);

/* Walks a path from a directory's descriptor or AT_WORKING; flags of path_flags. */
K42_MUST_CHECK
k42_result files_walk(struct path *path, int directory, const char *text, unsigned flags);

/* Flags of *at() calls turned into those of a walk. */
static inline unsigned files_walk_flags(int flags) {
    return (flags & AT_NO_FOLLOW ? 0u : PATH_FOLLOW) | (flags & AT_EMPTY ? PATH_EMPTY : 0u);
}

/*
 * What a path or, with AT_EMPTY and an empty path, a descriptor leads to, also if that has no
 * place.
 */
K42_MUST_CHECK
k42_result files_node(int directory, const char *text, int flags, node_ref *node,
                      struct mount **mount);

/* The same, and the directory in which it was found, null: it was not found by a name. */
K42_MUST_CHECK
k42_result files_found(int directory, const char *text, int flags, struct place *place,
                       node_ref *above);

/* -EROFS. */
static inline k42_result files_writable(const struct mount *mount) {
    return mount && (mount->flags & NODE_READ_ONLY) ? -EROFS : 0;
}

static inline bool files_may(unsigned capability) {
    return task_capable(task_self(), capability);
}

/* Makes a regular file as long as `to` says. Errors: -ETXTBSY, those of node.set_attributes. */
K42_MUST_CHECK
k42_result files_set_size(node_ref node, const struct node_attributes *to);

/* Which of set-user-id and set-group-id a file loses that the caller changes. */
static inline uint32_t files_lost_set_id(uint32_t mode, uint32_t gid) {
    bool keeps_group =
        !(mode & MODE_GROUP_EXECUTE) &&
        (credentials_in_group(task_self()->credentials, gid) || files_may(CAPABILITY_KEEP_SET_ID));
    return mode & (MODE_SET_UID | (keeps_group ? 0 : MODE_SET_GID));
}

/* What stands in the way of a new name after a walk with PATH_PARENT: -EEXIST, -ENOENT. */
K42_MUST_CHECK
k42_result files_can_make(const struct path *path, bool is_directory);

/* The mode that a new file gets in the directory of a walk, of the one that is asked for. */
uint32_t files_mode_in(const struct path *path, uint32_t mode);

/* Whether the caller may change names in the directory of a walk with PATH_PARENT. */
K42_MUST_CHECK
k42_result files_may_change(const struct path *path);

/* ---- reading and writing ---- */

struct files_transfer {
    file_ref file;
    int64_t offset; /* or FILE_CURRENT */
    struct copy copy;
    bool write;
    bool limited;   /* RLIMIT_FSIZE has cut it */
    unsigned flags; /* of the file, when asked for */
};

/* Carries it out, waiting as the file says; returns bytes, or what Linux says. */
k42_result files_transfer(struct files_transfer *transfer);

/* One attempt, for who waits in another way; what it must wait for it says as methods do. A write's
 * SIGPIPE is the caller's matter. */
k42_result files_transfer_once(struct files_transfer *transfer);

/* Counts what a call between two files gave as read and as written by the calling task; returns it.
 */
k42_result files_count_both(k42_result result);

/* Makes a node of mknod's kind by a path of the kernel's; it lasts while the caller is active. */
K42_MUST_CHECK
k42_result files_make_node(char *path, uint32_t mode, node_ref *node);
/* Takes such a name away. */
k42_result files_remove_node(const char *path);

/* ---- how long files may become (size_limit.c) ---- */

k42_result files_cut_write(struct files_transfer *transfer, uint64_t limit);
/* Cuts a write that is about to be tried to what RLIMIT_FSIZE leaves of it. 0, -K42_WAIT, what the
 * file's attributes fail with, or -EFBIG: it leaves nothing, and SIGXFSZ says so. */
K42_MUST_CHECK
static inline k42_result files_limit_write(struct files_transfer *transfer) {
    uint64_t limit = __atomic_load_n(&task_self()->file_size_limit, __ATOMIC_RELAXED);
    return __builtin_expect(limit == TASK_UNLIMITED, 1) ? 0 : files_cut_write(transfer, limit);
}
/* Of a regular file that has `present` bytes and is to have `wanted`. 0, or -EFBIG as above. */
K42_MUST_CHECK
k42_result files_limit_size(uint64_t present, uint64_t wanted);
/* The same of an open file, of whatever kind, which may say -K42_WAIT. */
K42_MUST_CHECK
k42_result files_limit_resize(file_ref file, uint64_t wanted);

/* A signal for the calling thread, because of what it does to a file. */
void files_tell_self(int signal);

#endif
