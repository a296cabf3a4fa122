/*
 * ramfs: a file system in memory.                             names.c numbers.c inode.c tree.c
 *                                                              directory.h regular.c special.c
 *
 * What is there is a tree of inodes, the file system's own records; a node object stands before
 * each, in one of four kinds of classes by type, and is what everybody else knows. An inode lives
 * while it has a name or a holder and goes with its object, a grace period later, so whoever is
 * active may follow any pointer found in the tree.
 *
 * Looking names up and listing them takes no lock. Changes of one directory take its inode's lock;
 * what changes two takes both, the one above first, or else by address; that an inode is above
 * another cannot change meanwhile, since whoever moves directories between directories holds
 * fs->moving. The lock of what a name leads to comes after that of its directory. Nothing outside
 * the file system but memory is called with one of them held.
 */
#ifndef KERNEL_RAMFS_H
#define KERNEL_RAMFS_H

#include "../../body.h"
#include "../node.h"

#include <k42/lock.h>

/* ---- the names in one directory: names.c ---- */

struct entry {
    struct inode *inode; /* exchanged when another file takes the name */
    uint32_t hash, slot;
    uint32_t length;
    struct k42_defer defer;
    char text[];
};

struct cells;
struct slots;

/*
 * Entries in slots that they keep while they exist, so that a slot's number is a place to go on
 * listing from; and by hash, unless `listed`: then they are so few that they are looked through.
 * Written under the directory's lock, read without. Which of both it is changes with the class of
 * the directory's node and under the lock, as moves from other directories come past the node.
 */
struct names {
    struct cells *cells;
    struct slots *slots;
    uint32_t live;      /* entries */
    uint32_t used;      /* cells that are not empty; those of entries gone included */
    uint32_t top;       /* slots ever used */
    uint32_t free_slot; /* 1 + one below it that is free, or 0 */
    bool listed;
    bool changing; /* the node is being turned into one of the other class; atomic */
};

/* An entry in no directory yet; NULL: no memory. */
struct entry *entry_make(const struct node_name *name, struct inode *inode);
/* One that never was in a directory. */
void entry_free(struct entry *entry);

/* With the lock, or from inside a call of the directory's node; the second and third are for who
 * knows which it is. */
struct entry *names_find(const struct names *names, const struct node_name *name);
struct entry *names_find_listed(const struct names *names, const struct node_name *name);
struct entry *names_find_hashed(const struct names *names, const struct node_name *name);
/* Makes sure that one more fits. -ENOMEM, -ENOSPC. */
K42_MUST_CHECK
k42_result names_reserve(struct names *names);
void names_add(struct names *names, struct entry *entry);
/* Takes it out, and frees it when nobody can look at it any more. */
void names_remove(struct names *names, struct entry *entry);
/* Frees one whose directory goes with it, when nobody can look at it any more. */
void entry_defer_free(struct entry *entry);
/* The entry at or after *slot, which becomes its; NULL: none. */
struct entry *names_next(const struct names *names, uint32_t *slot);
/* A table with room for so many entries, and as many again; NULL: no memory. */
struct cells *names_table_make(uint32_t entries);
void names_table_free(struct cells *cells);
/* From now on by hash, in this table; -ENOSPC: there are too many for it. Or by looking through. */
K42_MUST_CHECK
k42_result names_hash(struct names *names, struct cells *cells);
void names_list(struct names *names);
/* Frees the tables of a directory without entries that nobody can look at. */
void names_end(struct names *names);

/* ---- inodes by number: numbers.c ---- */

struct numbers {
    uint64_t last; /* given */
    struct k42_lock lock;
    struct number_node *top;
};

/* Once, before any other. -ENOMEM. */
K42_MUST_CHECK
k42_result numbers_open(void);

/* Numbers an inode: inode->number. -ENOMEM. */
K42_MUST_CHECK
k42_result numbers_add(struct numbers *numbers, struct inode *inode);
void numbers_remove(struct numbers *numbers, uint64_t number);
/* Lock-free; NULL: none. */
struct inode *numbers_find(struct numbers *numbers, uint64_t number);
void numbers_end(struct numbers *numbers);

/* ---- the file system and its inodes ---- */

struct ramfs {
    uint32_t references; /* of inodes and page caches */
    uint32_t flags;      /* node_mount_flags */
    uint64_t device, type;
    const char *name;
    struct numbers numbers;
    uint64_t inodes, most_inodes; /* most: 0, no limit */
    uint64_t pages, most_pages;   /* of files' bytes; likewise */
    struct k42_lock moving;
    bool filling; /* from an archive: directories begin hashed, whatever they will have */
};

/* What a regular file's bytes are until it has a page cache: memory that outlives everything. */
struct ramfs_source {
    const char *bytes;
    uint64_t size;
};

struct extended;

struct inode {
    struct ramfs *fs;
    k42_ref self;
    uint64_t number;
    struct k42_lock lock; /* of everything below; some of it is read without, by atomic loads */
    uint32_t lives;       /* holders, and one for all names together; atomic */
    struct node_claims claims; /* claims.h; atomic */
    uint32_t mode, links, uid, gid;
    bool nameable; /* it never had a name and may get one */
    uint64_t special;
    struct node_time accessed, modified, changed, born;
    int64_t read_until; /* reading sets no time before this second; atomic, 0: the next one does */
    struct extended *extended;
    /* Of a directory, itself for the root; NULL: it was removed. Of others where `entry` is. */
    struct inode *parent;
    struct entry *entry; /* a name it has, NULL: none, or not known any more */
    uint64_t directory; /* number of where it got a name last, or was to get one; 0: none; atomic */
    union {
        struct names names; /* directory */
        struct {            /* regular */
            k42_ref fcm;
            uint64_t *room; /* the page cache's; NULL: it has none yet */
            struct ramfs_source source;
            unsigned seals; /* that it begins with: mem/fcm/fcm.h */
            char *title;    /* what a file without a name is called all the same, or NULL */
        };
        struct { /* link */
            char *target;
            uint32_t target_length;
        };
        k42_ref pipe; /* FIFO, while it is open */
    };
};

#define INODE(self) ((struct inode *)BODY(self))

/* With the inode's lock: its attributes have changed, and the next reading is to be seen. */
static inline void inode_changed(struct inode *inode, struct node_time now) {
    inode->changed = now;
    __atomic_store_n(&inode->read_until, 0, __ATOMIC_RELAXED);
}

/* With the inode's lock; read without by who lets go of the inode. */
static inline void inode_count_links(struct inode *inode, uint32_t links) {
    __atomic_store_n(&inode->links, links, __ATOMIC_RELAXED);
}

extern struct k42_class ramfs_directory_list, ramfs_directory_hash, ramfs_regular, ramfs_link,
    ramfs_special;

/* make.c: one reference more or less; the last frees it. */
void ramfs_keep(struct ramfs *fs);
void ramfs_let_go(struct ramfs *fs);

/* inode.c */

/* An inode without a name or a holder, of `mode`'s type; its only life is the caller's, to be
 * given to a name or dropped. Errors: -ENOMEM, -ENOSPC. */
K42_MUST_CHECK
k42_result inode_make(struct ramfs *fs, const struct node_new *what, struct inode **made);
/* False: it is going. */
bool inode_hold(struct inode *inode);
/* One life less; the last destroys the object. */
void inode_drop(struct inode *inode);
/* One name less, with its lock held; true when that was the last, and the names' life is to be
 * dropped once no lock is held. */
bool inode_unnamed(struct inode *inode, const struct entry *entry, struct node_time now);
/* It has a name here now, with its lock held or while nobody else knows it. */
void inode_named(struct inode *inode, struct inode *directory, struct entry *entry);

/* For `fini` of all classes. */
void ramfs_node_fini(struct k42_root *root);

/* Methods that all classes share. */
k42_result ramfs_describe(struct k42_object *self, char *text, size_t size);
k42_result ramfs_hold(struct node *self);
k42_result ramfs_release(struct node *self);
k42_result ramfs_attributes(struct node *self, struct node_attributes *attributes);
k42_result ramfs_set_attributes(struct node *self, unsigned which,
                                const struct node_attributes *attributes);
k42_result ramfs_touch(struct node *self, unsigned how);
struct k42_pair ramfs_name(struct node *self, char *text, size_t size);
k42_result ramfs_file_system(struct node *self, struct node_file_system *counts);
k42_result ramfs_get_extended(struct node *self, const struct node_name *name, char *value,
                              size_t size);
k42_result ramfs_set_extended(struct node *self, const struct node_name *name, const char *value,
                              size_t size, unsigned flags);
struct k42_pair ramfs_by_number(struct node *self, uint64_t number);
k42_result ramfs_claim(struct node *self, unsigned claim);
k42_result ramfs_unclaim(struct node *self, unsigned claim);
k42_result ramfs_claims(struct node *self, struct node_claims *claims);
#define RAMFS_METHODS                                                                              \
    .object.describe = ramfs_describe, .hold = ramfs_hold, .release = ramfs_release,               \
    .attributes = ramfs_attributes, .set_attributes = ramfs_set_attributes,                        \
    .file_system = ramfs_file_system, .touch = ramfs_touch, .jump = node_no_jump,                  \
    .name = ramfs_name, .get_extended = ramfs_get_extended, .set_extended = ramfs_set_extended,    \
    .by_number = ramfs_by_number, .claim = ramfs_claim, .unclaim = ramfs_unclaim,                  \
    .claims = ramfs_claims

void extended_end(struct extended *extended);

/* regular.c */

/* What files of a file system begin with: whether they are sealed, once and for all, or cannot be.
 */
unsigned regular_seals(const struct ramfs *fs);
/* Whether its mode is sealed as far as running it goes. */
bool regular_keeps_execute(const struct inode *inode);
/* Its size in bytes and pages in memory. */
uint64_t regular_size(struct inode *inode, uint64_t *pages);
k42_result regular_resize(struct inode *inode, uint64_t size);
/* Its last life has gone. */
void regular_abandon(struct inode *inode);
void regular_end(struct inode *inode);

/* ---- making one ---- */

#define TMPFS_TYPE 0x01021994ul

struct ramfs_options {
    const char *name; /* "ramfs", "tmpfs": what statfs and mounts say; static */
    uint64_t type;
    uint64_t most_inodes, most_bytes; /* 0: no limit */
    uint32_t mode, uid, gid;          /* of its root */
};

/* Makes one with an empty root; the node, held once, in *root. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result ramfs_make(const struct ramfs_options *options, node_ref *root);
/* The same; the root's inode, whose life is the caller's. */
K42_MUST_CHECK
k42_result ramfs_make_root(const struct ramfs_options *options, struct inode **root);

/*
 * Puts what an archive has below a directory that nobody else knows yet, over what is there. Bytes
 * of files are not copied: the archive must outlive the file system. What cannot be put in is said
 * on the log and left out. Returns how many entries were put in.
 */
size_t ramfs_fill(struct inode *root, const void *archive, size_t size);

/* A node without a name, held once, for what has none: pipes, sockets, memory files. Errors:
 * -ENOMEM. */
K42_MUST_CHECK
k42_result ramfs_make_unnamed(const struct node_new *what, k42_ref *node);
/* The same for a file called `title` that can be sealed, or begins with one of enum fcm_seals. */
K42_MUST_CHECK
k42_result ramfs_make_memory_file(const struct node_new *what, const char *title, unsigned seals,
                                  k42_ref *node);
/* The same for a pipe, which opening the node leads to; *noted says where the node knows it, for
 * whoever ends the pipe while he holds the node. */
K42_MUST_CHECK
k42_result ramfs_make_pipe_node(k42_ref pipe, k42_ref *node, k42_ref **noted);

#endif
