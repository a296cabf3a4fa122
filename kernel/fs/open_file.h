/*
 * Open files of nodes: what is the same in all of them, and the classes that fit most file systems.
 *
 *   open_cached()      a file with a page cache: cached_file.h
 *   open_directory()   a directory                                           file_directory.c
 *   open_path()        O_PATH: a place, nothing else                         file_path.c
 *
 * A class of files of its own begins its body with struct opened and takes the methods below. A
 * file holds its node from opening to the last release(), which also destroys it.
 */
#ifndef KERNEL_FS_OPEN_FILE_H
#define KERNEL_FS_OPEN_FILE_H

#include "../body.h"
#include "../owner.h"
#include "file.h"
#include "path.h"

struct opened {
    k42_ref self;
    node_ref node;
    struct place place; /* its mount is held; NULL: not opened by name */
    uint32_t holds;
    uint32_t flags;
    int64_t offset; /* of the one who has `moving`, or who is the owner: the class says which */
    uint32_t moving;
    struct owner_word owner;
    void (*ended)(struct opened *opened); /* with the last hold; may be NULL */
};

#define OPENED(self) ((struct opened *)BODY(self))

/*
 * Makes a file of a class: allocates a body of `size` bytes, zeroed but for struct opened, and
 * holds the node. set_up() may be NULL; its error ends it. The file, with one hold, in the word.
 */
struct k42_pair opened_make(struct k42_class *class_, size_t size, k42_ref node, unsigned flags,
                            k42_result (*set_up)(struct opened *opened, void *context),
                            void *context);

/* Opens a file whose bytes are in a page cache that lives as long as the node. */
struct k42_pair open_cached(k42_ref node, k42_ref fcm, unsigned flags);
struct k42_pair open_directory(k42_ref node, unsigned flags);
struct k42_pair open_path(k42_ref node, unsigned flags);

/* Lists what the node does, from the file's offset on. */
k42_result open_directory_list(struct file *self, struct node_listing *listing);

/*
 * The file's own offset is moved by one call at a time. offset_take(): 0, or -K42_WAIT while
 * another call has it. (Where it has an owner, that one takes nothing.)
 */
K42_MUST_CHECK
k42_result offset_take(struct opened *opened);
void offset_leave(struct opened *opened);

/* ---- methods ---- */

k42_result opened_describe(struct k42_object *self, char *text, size_t size);
k42_result opened_hold(struct file *self);
k42_result opened_release(struct file *self);
struct k42_pair opened_node(struct file *self);
k42_result opened_set_place(struct file *self, struct place *place);
struct k42_pair opened_place(struct file *self);
k42_result opened_flags(struct file *self);
k42_result opened_set_flags(struct file *self, unsigned flags);
void opened_fini(struct k42_root *root);
/* Moves the file's own offset, from the start or from where it is: what has no end to count from.
 */
k42_result opened_seek(struct file *self, int64_t offset, int whence);

/* What a file cannot do. */
k42_result file_no_read(struct file *self, int64_t offset, struct copy *copy);  /* -EBADF */
k42_result file_no_write(struct file *self, int64_t offset, struct copy *copy); /* -EBADF */
k42_result file_is_directory(struct file *self, int64_t offset, struct copy *copy);
k42_result file_no_seek(struct file *self, int64_t offset, int whence); /* -ESPIPE */
k42_result file_no_list(struct file *self, struct node_listing *listing);
k42_result file_no_control(struct file *self, unsigned request, uintptr_t argument);
k42_result file_no_map(struct file *self, struct file_map *map);
k42_result file_no_sync(struct file *self, unsigned data); /* -EINVAL */
k42_result file_synced(struct file *self, unsigned data);  /* 0 */
k42_result file_no_resize(struct file *self, uint64_t size);
k42_result file_no_allocate(struct file *self, unsigned mode, uint64_t offset, uint64_t length);
/* -ESPIPE */
k42_result file_no_seek_allocate(struct file *self, unsigned mode, uint64_t offset,
                                 uint64_t length);
k42_result file_settled(struct file *self);
/* Always readable and writable. */
k42_result file_ready(struct file *self, struct file_poll *poll);

/* What a node that is no directory, link or regular file cannot do. */
struct k42_pair node_no_lookup(struct node *self, const struct node_name *name,
                               const struct credentials *who);
struct k42_pair node_no_create(struct node *self, const struct node_new *what);
k42_result node_no_link(struct node *self, const struct node_name *name, k42_ref node);
k42_result node_no_unlink(struct node *self, const struct node_name *name, unsigned directory,
                          const struct credentials *who);
k42_result node_no_rename(struct node *self, const struct node_name *name, k42_ref to,
                          const struct node_name *new_name, unsigned flags,
                          const struct credentials *who);
k42_result node_no_target(struct node *self, char *text, size_t size);
k42_result node_no_list(struct node *self, uint64_t cursor, struct node_listing *listing);
struct k42_pair node_no_cache(struct node *self);
k42_result node_no_touch(struct node *self, unsigned how); /* 0 */
k42_result node_no_jump(struct node *self, struct place *place);
k42_result node_no_get_extended(struct node *self, const struct node_name *name, char *value,
                                size_t size);
k42_result node_no_set_extended(struct node *self, const struct node_name *name, const char *value,
                                size_t size, unsigned flags);
struct k42_pair node_no_by_number(struct node *self, uint64_t number);
k42_result node_no_claim(struct node *self, unsigned claim); /* 0: nobody asks */
k42_result node_no_claims(struct node *self, struct node_claims *claims);

/* The methods of a node that is no directory. */
#define NODE_NO_DIRECTORY                                                                          \
    .lookup = node_no_lookup, .create = node_no_create, .link = node_no_link,                      \
    .unlink = node_no_unlink, .rename = node_no_rename, .list = node_no_list

/* The methods of an open file that are the same in all. */
#define OPENED_METHODS                                                                             \
    .object.describe = opened_describe, .hold = opened_hold, .release = opened_release,            \
    .node = opened_node, .set_place = opened_set_place, .place = opened_place,                     \
    .flags = opened_flags, .set_flags = opened_set_flags, .settle = file_settled

/* The methods of an open directory, but for sync: a file system may have more to do there. */
#define OPEN_DIRECTORY_METHODS                                                                     \
    .read = file_is_directory, .write = file_no_write, .seek = opened_seek,                        \
    .list = open_directory_list, .poll = file_ready, .control = file_no_control,                   \
    .map = file_no_map, .resize = file_no_resize, .allocate = file_no_allocate

/* A number for st_dev of a file system without a device: major 0. */
uint64_t node_new_device(void);

#endif
