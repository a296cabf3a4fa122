/*
 * The interface `node`: a file, directory, link or device as a file system knows it. Made by file
 * systems, reached by path names (path.h), opened into files (file.h).
 *
 * Existence. A node lasts while the file system has a name for it or somebody holds it: open files,
 * working directories, mounts. Between k42_enter() and k42_exit() a ref just looked up needs no
 * hold; it may turn stale, which a walk takes for "not there any more".
 *
 * Methods do not wait (-K42_WAIT with a key of the node when the file system must ask a device or a
 * server). Names are not terminated; they are neither empty, "." nor "..", and have no slash.
 */
#ifndef KERNEL_NODE_H
#define KERNEL_NODE_H

#include <k42/object.h>
#include <stdbool.h>

struct node;
struct place;

#define NODE_NAME_MAX 255

struct node_time {
    int64_t seconds;
    uint32_t nanoseconds;
};

struct node_attributes {
    uint64_t device, number; /* st_dev, st_ino */
    uint32_t mode;           /* type and permissions, as st_mode */
    uint32_t links;
    uint32_t uid, gid;
    uint64_t special; /* st_rdev */
    uint64_t size;
    uint64_t blocks; /* of 512 bytes */
    uint32_t block_size;
    uint32_t mount_flags; /* of the file system: NODE_READ_ONLY, ... */
    struct node_time accessed, modified, changed, born;
};

enum node_mount_flags {
    NODE_READ_ONLY = 1,
    NODE_NO_EXECUTE = 2,
    NODE_NO_DEVICES = 4,
    NODE_NO_SETUID = 8,
};

/* Which of them to set. */
enum node_set {
    NODE_SET_MODE = 1, /* permission bits only */
    NODE_SET_UID = 2,
    NODE_SET_GID = 4,
    NODE_SET_SIZE = 8,
    NODE_SET_ACCESSED = 16,
    NODE_SET_MODIFIED = 32,
    NODE_SET_ACCESSED_NOW = 64,
    NODE_SET_MODIFIED_NOW = 128,
};

enum node_touch { NODE_TOUCH_READ = 1, NODE_TOUCH_WRITTEN = 2 };

enum node_claim { NODE_WRITTEN_TO, NODE_RUN, NODE_ONLY_READ };

/* How many have claimed it so. */
struct node_claims {
    int32_t writers; /* less than 0: that many run it */
    uint32_t readers;
};

/* Which of set-user-id and set-group-id what has this mode and group loses when the calling thread
 * writes to it. The personality's. */
uint32_t node_lost_by_writing(uint32_t mode, uint32_t gid);

/* Who asks. Lives in the personality; constant while somebody uses it. */
struct credentials {
    uint32_t uid, euid, suid, fsuid;
    uint32_t gid, egid, sgid, fsgid;
    uint64_t effective, permitted, inheritable, bounding, ambient; /* capabilities */
    uint32_t secure; /* prctl's securebits: what ids do not do to capabilities */
    uint32_t group_count;
    uint32_t references;
    uint32_t groups[]; /* in order */
};

enum node_access { NODE_EXECUTE = 1, NODE_WRITE = 2, NODE_READ = 4 }; /* X_OK, W_OK, R_OK */

/* 0 or -EACCES: what Linux says, capabilities included. No state, any context. */
K42_MUST_CHECK
k42_result node_allows(const struct node_attributes *attributes, const struct credentials *who,
                       unsigned access);
/* Whether a group is one of theirs. */
bool credentials_in_group(const struct credentials *who, uint32_t gid);

/* A name in a directory. */
struct node_name {
    const char *text;
    uint32_t length;
    uint32_t hash; /* node_hash(text, length) */
};
uint32_t node_hash(const char *text, uint32_t length);

/* The same, by the character, for whoever looks at each anyway. */
#define NODE_HASH_START 0x811c9dc5u
static inline uint32_t node_hash_step(uint32_t hash, char character) {
    return (hash ^ (uint8_t)character) * 0x01000193u;
}

/* In the answer of lookup(): a link that jump() follows, not its text. */
#define NODE_JUMPS 256

/* What to make. */
struct node_new {
    struct node_name name;
    uint32_t mode; /* type and permissions */
    uint32_t uid, gid;
    uint64_t special;   /* of a device; of a file without a name, not 0: it never gets one */
    const char *target; /* of a symbolic link, terminated */
};

/* Where to write directory entries: called for each; false ends it, before that entry. */
struct node_listing {
    /* May do whatever a method may. */
    bool (*entry)(struct node_listing *listing, const struct node_name *name, uint64_t number,
                  unsigned type, uint64_t next); /* type: DT_*; next: the cursor behind it */
};

struct node_file_system {
    uint64_t type; /* f_type */
    uint64_t blocks, blocks_free, nodes, nodes_free;
    uint32_t block_size, flags; /* node_mount_flags */
    char name[16];              /* "ramfs" */
};

struct node_ops {
    struct k42_object_ops object;

    /* One more, or one fewer, holds it. hold: -K42_STALE when it is going. */
    K42_METHOD(hold)(struct node *self);
    /* Lets it go. */
    K42_METHOD(release)(struct node *self);

    /* All of stat. */
    K42_METHOD(attributes)(struct node *self, K42_OUT struct node_attributes *attributes);

    /* Sets some, of node_set; permissions were checked. Errors: -EROFS, -EFBIG, -EPERM. */
    K42_METHOD(set_attributes)
    (struct node *self, unsigned which, K42_IN const struct node_attributes *attributes);

    /*
     * Finds a name for somebody who must be allowed to search here; the ref in the word, and as
     * result its type, DT_*, perhaps with NODE_JUMPS. Also for "..", which is the parent within the
     * file system. Errors: -ENOENT, -ENOTDIR, -EACCES.
     */
    K42_METHOD_PAIR(lookup)
    (struct node *self, K42_LOCAL const struct node_name *name,
     K42_LOCAL const struct credentials *who);

    /* Makes something; the ref in the word. With an empty name a file without one, held once, that
     * link() may name (-EINVAL: there is no such thing here). Errors: -EEXIST, -ENOENT (the
     * directory is gone), -ENOSPC, -EROFS, -EPERM. */
    K42_METHOD_PAIR(create)(struct node *self, K42_LOCAL const struct node_new *what);

    /* Another name for a node of the same file system. Errors: -EEXIST, -EXDEV, -EMLINK, -EPERM. */
    K42_METHOD(link)(struct node *self, K42_LOCAL const struct node_name *name, k42_ref node);

    /* Takes a name away, that of a directory when `directory`. Errors: -ENOENT, -EISDIR, -ENOTDIR,
     * -ENOTEMPTY, -EBUSY. `who` decides about sticky directories: -EPERM. */
    K42_METHOD(unlink)
    (struct node *self, K42_LOCAL const struct node_name *name, unsigned directory,
     K42_LOCAL const struct credentials *who);

    /*
     * Moves `name` into the directory `to` (perhaps this one) as `new_name`, at once for everyone
     * who looks. Flags of renameat2; `who` as above. Errors: -ENOENT, -EXDEV, -EEXIST, -ENOTEMPTY,
     * -EISDIR, -ENOTDIR, -EINVAL (into itself).
     */
    K42_METHOD(rename)
    (struct node *self, K42_LOCAL const struct node_name *name, k42_ref to,
     K42_LOCAL const struct node_name *new_name, unsigned flags,
     K42_LOCAL const struct credentials *who);

    /* Copies a symbolic link's target, not terminated; returns its length. Errors: -EINVAL. */
    K42_METHOD(target)
    (struct node *self, K42_OUT K42_BUF(size, 4096) char *text, size_t size);

    /* Lists entries from a cursor, 0 the first, "." and ".." included. What is there throughout is
     * listed once. Errors: -ENOTDIR. */
    K42_METHOD(list)
    (struct node *self, uint64_t cursor, K42_LOCAL struct node_listing *listing);

    /* Opens it for somebody who may; flags as open(2)'s. The file, with one holder, in the word.
     * Errors: -EISDIR, -ENXIO, -ENODEV, -EROFS, -EPERM; -K42_WAIT: a FIFO without a peer. */
    K42_METHOD_PAIR(open)(struct node *self, unsigned flags);

    /* Its page cache, in the word; as it is, where others may have changed the file. Errors:
     * -ENODEV; -K42_WAIT: there is none yet. */
    K42_METHOD_PAIR(cache)(struct node *self);

    /* Counts of the file system it is in, as statfs. */
    K42_METHOD(file_system)(struct node *self, K42_OUT struct node_file_system *counts);

    /* Its data was read or written, now: sets the times as Linux does, and after a write takes
     * set-user-id and its like away. Flags of node_touch. */
    K42_METHOD(touch)(struct node *self, unsigned how);

    /* Where a link of /proc that has no path leads; held by nobody. Errors: -EINVAL, -ENOENT,
     * -EACCES. */
    K42_METHOD(jump)(struct node *self, K42_LOCAL struct place *place);

    /* Copies the name it has, not terminated, and returns its length; the directory it has it in is
     * the word, or 0: that is a memory file's, which is in none. Of several names any; the root of
     * a file system has none. Errors: -ENOENT, and the word is then where it had its last one, or
     * was made to have one, if that is known, or 0. */
    K42_METHOD_PAIR(name)
    (struct node *self, K42_OUT K42_BUF(size, 256) char *text, size_t size);

    /*
     * Extended attributes: copies a value, or with no name the list of names, each terminated.
     * Returns its length; when `size` is 0 nothing is copied. Errors: -ENODATA, -ENOTSUP, -ERANGE.
     */
    K42_METHOD(get_extended)
    (struct node *self, K42_LOCAL const struct node_name *name,
     K42_OUT K42_BUF(size, 65536) char *value, size_t size);

    /* Sets one; XATTR_CREATE 1, XATTR_REPLACE 2; a NULL value takes it away. Errors: -EEXIST,
     * -ENODATA, -ENOTSUP, -ENOSPC. */
    K42_METHOD(set_extended)
    (struct node *self, K42_LOCAL const struct node_name *name,
     K42_BUF(size, 65536) const char *value, size_t size, unsigned flags);

    /* The node of the same file system that has this number, in the word, whatever names it has.
     * Errors: -ESTALE (it has none, or had one), -EOPNOTSUPP (it does not find nodes so). */
    K42_METHOD_PAIR(by_number)(struct node *self, uint64_t number);

    /* Somebody has it open for writing, or for reading alone, or runs it: node_claim. The first and
     * the last at once there are not. Whoever claims holds it until he gives that up; it is a full
     * barrier. Errors: -ETXTBSY. */
    K42_METHOD(claim)(struct node *self, unsigned claim);
    /* Gives one up. */
    K42_METHOD(unclaim)(struct node *self, unsigned claim);

    /* Counts of that. Errors: -EINVAL, it is not claimed. */
    K42_METHOD(claims)(struct node *self, K42_OUT struct node_claims *claims);
};

struct node {
    const struct node_ops *ops;
};
K42_DECLARE_REF(node);
extern const struct k42_interface node_interface;

#endif
