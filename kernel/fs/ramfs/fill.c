/*
 * Filling a ramfs from an archive, before anybody else knows it.
 *
 * Built for speed at boot: names of one folder stand together in archives, so the folder of the
 * last name is looked at first; bytes stay where they are. Two entries with the same number on the
 * same device are one file; whichever has bytes gives them.
 */
#include "directory.h"
#include "tree.h"

#include "../cpio/cpio.h"
#include "../values.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

enum { BUCKETS = 256 };

/* A file with several names, of which one was seen. */
struct several {
    struct several *next;
    uint32_t number, major, minor;
    struct inode *inode;
};

struct filling {
    struct inode *root;
    struct inode *folder;    /* of the last entry */
    const char *folder_name; /* its name in the archive, with the slash behind it */
    size_t folder_length;
    struct several *several[BUCKETS];
    size_t entries;
};

static struct node_name name_of(const char *text, size_t length) {
    return (struct node_name){text, (uint32_t)length, node_hash(text, (uint32_t)length)};
}

/* A folder below another; made when it is not there. NULL: no memory, or no folder. */
static struct inode *enter(struct inode *folder, const struct node_name *name) {
    struct entry *entry = names_find(&folder->names, name);
    if (entry)
        return inode_is_directory(entry->inode) ? entry->inode : NULL;
    struct node_new what = {.mode = MODE_DIRECTORY | 0755};
    struct inode *inode;
    if (inode_make(folder->fs, &what, &inode) < 0)
        return NULL;
    if (tree_add(folder, name, inode) == 0)
        return inode;
    inode_drop(inode);
    return NULL;
}

static bool is_usable(const struct node_name *name) {
    bool dots =
        name->length <= 2 && name->text[0] == '.' && (name->length == 1 || name->text[1] == '.');
    return name->length && name->length <= NODE_NAME_MAX && !dots;
}

/* Finds the folder that an entry is in; its last name in *name. NULL: it cannot be. */
static struct inode *folder_of(struct filling *filling, const struct cpio_entry *entry,
                               struct node_name *name) {
    const char *at = entry->name, *end = at + entry->name_length;
    struct inode *folder = filling->root;
    if (filling->folder_length && entry->name_length > filling->folder_length &&
        !memcmp(at, filling->folder_name, filling->folder_length)) {
        at += filling->folder_length;
        folder = filling->folder;
    }
    const char *last = at;
    for (;;) {
        while (at < end && *at == '/')
            at++;
        last = at;
        while (at < end && *at != '/')
            at++;
        *name = name_of(last, (size_t)(at - last));
        if (!is_usable(name))
            return NULL;
        if (at == end)
            break;
        folder = enter(folder, name);
        if (!folder)
            return NULL;
    }
    filling->folder = folder;
    filling->folder_name = entry->name;
    filling->folder_length = (size_t)(last - entry->name);
    return folder;
}

static struct several *find_several(struct filling *filling, const struct cpio_entry *entry) {
    struct several *at = filling->several[entry->number % BUCKETS];
    while (at &&
           (at->number != entry->number || at->major != entry->major || at->minor != entry->minor))
        at = at->next;
    return at;
}

static void remember(struct filling *filling, const struct cpio_entry *entry, struct inode *inode) {
    struct several *several = k42_platform_alloc(sizeof(*several));
    if (!several)
        return;
    struct several **bucket = &filling->several[entry->number % BUCKETS];
    *several = (struct several){*bucket, entry->number, entry->major, entry->minor, inode};
    *bucket = several;
}

static void forget_all(struct filling *filling) {
    for (unsigned n = 0; n < BUCKETS; n++)
        for (struct several *at = filling->several[n], *next; at; at = next) {
            next = at->next;
            k42_platform_free(at);
        }
    memset(filling->several, 0, sizeof filling->several);
}

static void give_bytes(struct inode *inode, const struct cpio_entry *entry) {
    if (entry->size && (inode->mode & MODE_TYPE) == MODE_REGULAR)
        inode->source = (struct ramfs_source){entry->data, entry->size};
}

static void set_times(struct inode *inode, const struct cpio_entry *entry) {
    inode->accessed = inode->modified = (struct node_time){entry->modified, 0};
}

static k42_result make(struct inode *folder, const struct node_name *name,
                       const struct cpio_entry *entry, struct inode **made) {
    char target[4096];
    struct node_new what = {
        .mode = entry->mode & (MODE_TYPE | MODE_PERMISSIONS),
        .uid = entry->uid,
        .gid = entry->gid,
        .special = (uint64_t)(entry->special_major & 0xfff) << 8 | (entry->special_minor & 0xff) |
                   (uint64_t)(entry->special_minor & ~0xffu) << 12,
        .target = target,
    };
    if ((what.mode & MODE_TYPE) == MODE_LINK) {
        if (!entry->size || entry->size >= sizeof target)
            return -ENAMETOOLONG;
        memcpy(target, entry->data, entry->size);
        target[entry->size] = 0;
    }
    k42_result result = inode_make(folder->fs, &what, made);
    if (result < 0)
        return result;
    result = tree_add(folder, name, *made);
    if (result < 0)
        inode_drop(*made);
    return result;
}

/* Takes away what an archive before had there. A folder stays a folder. */
static k42_result make_room(struct inode *folder, const struct node_name *name,
                            const struct cpio_entry *entry, bool *done) {
    static const struct credentials all = {.effective = ~0ul};
    struct entry *present = names_find(&folder->names, name);
    *done = false;
    if (!present)
        return 0;
    struct inode *inode = present->inode;
    if (inode_is_directory(inode) && (entry->mode & MODE_TYPE) == MODE_DIRECTORY) {
        inode->mode = entry->mode & (MODE_TYPE | MODE_PERMISSIONS);
        inode->uid = entry->uid;
        inode->gid = entry->gid;
        set_times(inode, entry);
        *done = true;
        return 0;
    }
    return tree_remove(folder, name, inode_is_directory(inode), &all);
}

static k42_result put(struct filling *filling, const struct cpio_entry *entry) {
    struct node_name name;
    struct inode *folder = folder_of(filling, entry, &name), *inode;
    bool done;
    if (!folder)
        return -EINVAL;
    bool is_one_of_several = entry->links > 1 && (entry->mode & MODE_TYPE) != MODE_DIRECTORY;
    struct several *several = is_one_of_several ? find_several(filling, entry) : NULL;
    k42_result result = make_room(folder, &name, entry, &done);
    if (result < 0 || done)
        return result;
    if (several && several->inode->links) {
        give_bytes(several->inode, entry);
        return tree_link(folder, &name, several->inode);
    }
    result = make(folder, &name, entry, &inode);
    if (result < 0)
        return result;
    give_bytes(inode, entry);
    set_times(inode, entry);
    if (is_one_of_several && !several)
        remember(filling, entry, inode);
    return 0;
}

size_t ramfs_fill(struct inode *root, const void *archive, size_t size) {
    struct filling filling = {.root = root};
    struct cpio cpio = cpio_begin(archive, size);
    struct cpio_entry entry;
    root->fs->filling = true;
    for (unsigned trailers = 0; cpio_next(&cpio, &entry); trailers = cpio.trailers) {
        if (cpio.trailers != trailers)
            forget_all(&filling);
        if (!entry.name_length) { /* the root itself */
            root->mode = MODE_DIRECTORY | (entry.mode & MODE_PERMISSIONS);
            set_times(root, &entry);
            continue;
        }
        k42_result result = put(&filling, &entry);
        if (result >= 0)
            filling.entries++;
        else
            k42_log("initial file system: an entry at byte %lu is left out: %s", cpio.at,
                    k42_error_name(result));
    }
    if (cpio.wrong)
        k42_log("initial file system: %s, at byte %lu", cpio.wrong, cpio.wrong_at);
    forget_all(&filling);
    root->fs->filling = false;
    directory_fits(root);
    return filling.entries;
}
