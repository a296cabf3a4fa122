/*
 * Folders of the host as a file system, over 9P2000.L.
 *
 * The server has the truth. What is known of it is kept for a while: names and attributes for a
 * second, pages until the file is opened and turns out to have been changed by others.
 *
 * Methods do not wait, so they work in two ways.
 *
 *   Asking (asking.c): what is known and young enough is answered at once. Otherwise the question
 *   is sent, once for all who want to know, and the caller waits. The answer is put where it was
 *   missed, and the call is made again. The call that asked may use the answer however slow it is;
 *   for all others it is young for a second.
 *
 *   Changing (changes.c): a change is carried out once, whatever becomes of its caller. It is found
 *   again by the number of the program's call (wait_request()), and its result handed over then.
 *
 * Owns: struct p9_fs for each mount, p9_inode for each file the server told of, by the number that
 * the server gives it, and names in directories. An inode lives while a name or a holder does.
 * Answers arrive in the channel's thread, which changes them under the same locks.
 *
 * Locking: an inode's lock, leaf; a bucket's lock (names.c), before that; neither across calls.
 */
#ifndef KERNEL_9P_H
#define KERNEL_9P_H

#include "../../body.h"
#include "../../dev/once.h"
#include "../../sched/wait.h"
#include "../node.h"
#include "client.h"

#define P9_YOUNG_NS     1000000000ul
#define P9_BUCKETS      1024u
#define P9_NAMES_MAX    16384u /* that nobody uses but are remembered */
#define P9_CHANGE_LISTS 64u
#define P9_SYNCS        8u
#define P9_CHUNKS       4u /* of a directory's listing, at hand */

/* Keys that a node's callers wait for; lookups add the name's hash. */
enum {
    P9_KEY_ATTRIBUTES = 0,
    P9_KEY_OPEN,
    P9_KEY_TARGET,
    P9_KEY_LIST,
    P9_KEY_COUNTS,
    P9_KEY_CHANGE,
    P9_KEY_SYNC,
    P9_KEY_NAME = 16,
};

/* Something that was asked for. Young: until `until`, and for the call that asked. */
struct p9_known {
    uint64_t until;
    uint64_t asker; /* that call's number; 0: what it was told is not so any more */
    int32_t error;
    bool asked;  /* an answer is on its way */
    bool spoilt; /* and may be of before a change that is over: it is the asker's alone */
    bool unseen; /* nobody has looked at the answer */
};

/* A program's call that waits for a round of writing back. */
struct p9_sync {
    uint64_t request;
    uint32_t round;
};

struct p9_name;

struct p9_bucket {
    struct k42_lock lock;
    struct p9_name *names;
    struct p9_inode *inodes;
};

struct p9_fs {
    struct p9_client *client;
    uint64_t device;
    struct p9_inode *root;
    char tag[32];
    unsigned flags;             /* node_mount_flags */
    uint32_t references;        /* of inodes, and the thread's */
    uint32_t holders;           /* of the root, from outside */
    uint32_t name_count, sweep; /* names in all; the bucket to look for old ones in next */
    struct k42_lock lock;       /* of what follows */
    struct p9_known counts_known;
    struct p9_counts counts;
    /* Under way, or with a result, by the call's number. */
    struct p9_change *changes[P9_CHANGE_LISTS];
    bool has_changed;                   /* at all */
    struct p9_inode *written;           /* files that may have something to write back */
    struct p9_inode *leaving;           /* files with pages that nobody has any more */
    uint32_t wake;                      /* of the thread that writes back; slept on */
    uint32_t rounds_begun, rounds_over; /* of writing everything back */
    struct p9_sync syncs[P9_SYNCS];
    uint32_t next_sync;
    bool hurry;  /* it is to begin at once */
    bool ending; /* nobody has the root any more */
    struct p9_bucket buckets[P9_BUCKETS];
};

/* What changes at the server whenever somebody changes a file's bytes: its number alone may be no
 * more than the seconds of the time. */
struct p9_version {
    uint32_t number;
    struct node_time modified;
    uint64_t size;
};

/* A part of a directory's listing as it came. */
struct p9_chunk {
    struct p9_known known;
    uint64_t cursor;
    uint32_t bytes;
    uint8_t *data; /* P9_BUFFER_BYTES, or NULL */
};

struct p9_inode {
    struct p9_fs *fs;
    k42_ref self;
    struct p9_qid qid;
    uint32_t lives;            /* names and holders; atomic */
    struct node_claims claims; /* claims.h; atomic */
    uint32_t fid;              /* by which the server knows it */
    struct p9_inode *next;     /* in its bucket */
    struct p9_inode *parent;   /* the directory it was found in, held; NULL: it is the root */
    struct k42_lock lock;      /* of everything below */
    char *name;                /* that it had there */
    uint32_t name_length;
    struct node_attributes attributes;
    struct p9_known attributes_known;
    struct p9_version told; /* by the server, with the attributes */
    bool unlinked;          /* the last we know: the server cannot be asked any more */
    bool lost;              /* so it is, because its name was found to lead to another file */

    /* What the server has opened: for reading, or reading and writing; P9_NO_FID. */
    uint32_t read_fid, write_fid;
    struct p9_known open_known[2]; /* by `writes` */

    /* A regular file's pages. */
    k42_ref fcm, fr;
    struct p9_version version; /* the server's, when the pages were last known to be right */
    uint64_t version_ns;       /* when that was asked for */
    bool others;               /* others changed it before we did; the pages are to go */
    uint64_t attributes_ns;    /* when they were, if no change of ours was under way then; or 0 */
    uint32_t changing;         /* changes of ours that the server has not answered */
    uint64_t changed_ns;       /* when it answered the last */
    bool writing;              /* a round writes it back */
    bool quiet;                /* the FR takes resizes for a change of its pages alone */
    bool may_be_dirty;         /* it is in fs->written, and held by that */
    struct p9_inode *next_written, *next_leaving;
    struct once flushed, resized;

    /* A symbolic link's text. */
    struct p9_known target_known;
    char *target;
    uint32_t target_length;

    /* A directory's listing. */
    struct p9_chunk chunks[P9_CHUNKS];
    uint32_t next_chunk;
};

#define P9_INODE(self) ((struct p9_inode *)BODY(self))

extern struct k42_class p9_node, p9_fr;

/* ---- names.c: names and inodes that are known ---- */

struct p9_name {
    struct p9_name *next;
    struct p9_inode *directory; /* held */
    struct p9_inode *inode;     /* held; NULL: there is none of that name, or it is not known yet */
    struct p9_known known;
    uint32_t hash, length;
    char text[];
};

bool p9_hold(struct p9_inode *inode);
void p9_drop(struct p9_inode *inode);
/* For `fini`. */
void p9_inode_end(struct p9_inode *inode);

/*
 * Finds a name: 1, with the inode or NULL in *inode, as it was known; 0: it must be asked for, by
 * the caller, and its entry says that it is; -K42_WAIT (noted): it is being asked for. -ENOMEM.
 * The inode is held by its name while the caller is active.
 */
K42_MUST_CHECK
k42_result p9_name_find(struct p9_inode *directory, const struct node_name *name,
                        struct p9_inode **inode);
/* The name by which the server was asked for a file leads to another one: others have taken it. The
 * file is as if it had lost its last name, and is looked for anew by whoever comes by that name. */
void p9_lose(struct p9_inode *inode);
/* The answer: the name leads to an inode (whose hold becomes the name's), or with 0 and NULL there
 * is none, or an error. */
void p9_name_answer(struct p9_inode *directory, const struct node_name *name,
                    struct p9_inode *inode, int error);
/* What is known of it is not so any more. */
void p9_name_forget(struct p9_inode *directory, const struct node_name *name);
/* All names of a file system; when it ends. */
void p9_names_end(struct p9_fs *fs);

/*
 * The inode of a file that the server has just told of, by that name (NULL: the root), held once
 * more for the caller: a known one, and then one of its fid and this is forgotten, or a new one,
 * which has it from then on. NULL: no memory, and the fid is forgotten.
 */
struct p9_inode *p9_inode_of(struct p9_fs *fs, struct p9_inode *directory,
                             const struct node_name *name, uint32_t fid,
                             const struct p9_attributes *attributes);
/* A known one by number, held once more; NULL: there is none. */
struct p9_inode *p9_inode_find(struct p9_fs *fs, uint64_t number);

/* ---- asking.c, ask_*.c: asking ---- */

/* Four steps of whatever can be known, under the lock that guards it: whether it is young enough
 * for the calling program's call; that this has asked for it; that it came; that it is not so any
 * more. */
bool p9_is_young(struct p9_known *known);
void p9_asked(struct p9_known *known);
void p9_came(struct p9_known *known, int error);
void p9_forget(struct p9_known *known);

/* Each: 0, it is there; or -K42_WAIT, noted; or what the server said. */
K42_MUST_CHECK
k42_result p9_get_attributes_of(struct p9_inode *inode, struct node_attributes *attributes);
K42_MUST_CHECK
k42_result p9_get_name(struct p9_inode *directory, const struct node_name *name,
                       struct p9_inode **inode);
K42_MUST_CHECK
k42_result p9_get_open(struct p9_inode *inode, bool writes);
K42_MUST_CHECK
k42_result p9_get_target(struct p9_inode *inode, char *text, size_t size);
K42_MUST_CHECK
k42_result p9_get_list(struct p9_inode *inode, uint64_t cursor, struct node_listing *listing);
K42_MUST_CHECK
k42_result p9_get_counts_of(struct p9_inode *inode, struct p9_counts *counts);
/* Whoever wants to know attributes, or lists a directory, asks the server from now on. */
void p9_attributes_changed(struct p9_inode *inode);
/* What the server said, as everybody else knows it. */
void p9_take_attributes(struct p9_inode *inode, const struct p9_attributes *attributes);

/* ---- change.c, changes.c: changing ---- */

/* Each carries the change out once for a program's call. */
struct k42_pair p9_create(struct p9_inode *directory, const struct node_new *what);
k42_result p9_link(struct p9_inode *directory, const struct node_name *name,
                   struct p9_inode *inode);
k42_result p9_unlink(struct p9_inode *directory, const struct node_name *name, bool is_directory);
k42_result p9_rename(struct p9_inode *from, const struct node_name *name, struct p9_inode *to,
                     const struct node_name *new_name);
k42_result p9_set(struct p9_inode *inode, unsigned which, const struct node_attributes *attributes);
/*
 * True when the calling program's call has changed what a name leads to, or is about to: then what
 * it led to before, or NULL, which is what that call is told.
 */
bool p9_before_change(struct p9_inode *directory, const struct node_name *name,
                      struct p9_inode **inode);
/* Frees those that are over; when the file system ends. */
void p9_changes_end(struct p9_fs *fs);

/* ---- fr.c: a regular file's pages ---- */

/* Makes sure that the file has a page cache, and that it has no pages that others have made wrong.
 * 0, -K42_WAIT, -ENOMEM. The server has opened the file before. */
K42_MUST_CHECK
k42_result p9_get_pages(struct p9_inode *inode);
/* For the round that writes back, which waits: asks for what our changes have made of the file, so
 * that those of others are told from them. */
void p9_look_after_writing(struct p9_inode *inode);
/* A message that changes the file's bytes, size or times is being sent; it was answered, or could
 * not be sent. */
void p9_changing(struct p9_inode *inode);
void p9_changed(struct p9_inode *inode);

/* ---- write_back.c ---- */

/* A file may have something to be written back from now on. */
void p9_may_write(struct p9_inode *inode);
/* Has the thread that writes back look soon. */
void p9_write_soon(struct p9_fs *fs);
/* 0 when everything that was written before the program's call has been written back. */
K42_MUST_CHECK
k42_result p9_sync_all(struct p9_fs *fs);
/* That thread, of each file system. */
void p9_write_back(void *fs);

/* ---- directory.c ---- */

struct k42_pair p9_open_directory(struct p9_inode *inode, unsigned flags);

/* ---- mount.c ---- */

/* One reference to a file system fewer; the last ends it. */
void p9_fs_drop(struct p9_fs *fs);

#endif
