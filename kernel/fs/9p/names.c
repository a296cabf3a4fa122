/*
 * What is known of the server's files: names in directories, and inodes by number.
 *
 * Both stand in the same buckets, hashed. A name holds its directory and its inode; so what was
 * found by name stays until the name is dropped: replaced, or swept out when there are too many,
 * one bucket at a time, leaves first. A name that is being asked for stays.
 */
#include "p9.h"

#include "runtime.h"

static struct p9_bucket *bucket_of(struct p9_fs *fs, uint64_t number) {
    return &fs->buckets[(number * 0x9e3779b97f4a7c15ul) >> 54];
}
_Static_assert(P9_BUCKETS == 1u << (64 - 54), "the hash is the product's upper bits");

static struct p9_bucket *name_bucket(const struct p9_inode *directory, uint32_t hash) {
    return bucket_of(directory->fs, directory->qid.path ^ (uint64_t)hash << 16);
}

/* ---- lives ---- */

bool p9_hold(struct p9_inode *inode) {
    uint32_t lives = k42_load_relaxed(&inode->lives);
    while (lives)
        if (__atomic_compare_exchange_n(&inode->lives, &lives, lives + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

/* A file with pages goes once the thread that writes back has seen to them. */
void p9_drop(struct p9_inode *inode) {
    if (__atomic_sub_fetch(&inode->lives, 1, __ATOMIC_ACQ_REL))
        return;
    if (!inode->fcm) {
        k42_result result = k42_destroy(inode->self);
        (void)result; /* nobody else destroys it */
        return;
    }
    struct p9_fs *fs = inode->fs;
    k42_lock(&fs->lock);
    inode->next_leaving = fs->leaving;
    fs->leaving = inode;
    k42_unlock(&fs->lock);
    p9_write_soon(fs);
}

/* ---- inodes ---- */

/* Not one that has lost its last name: a server gives the numbers of such files to others. */
static struct p9_inode *find_number(struct p9_bucket *bucket, uint64_t number) {
    for (struct p9_inode *at = bucket->inodes; at; at = at->next)
        if (at->qid.path == number && !k42_load_acquire(&at->unlinked) && p9_hold(at))
            return at;
    return NULL;
}

struct p9_inode *p9_inode_find(struct p9_fs *fs, uint64_t number) {
    struct p9_bucket *bucket = bucket_of(fs, number);
    k42_lock(&bucket->lock);
    struct p9_inode *found = find_number(bucket, number);
    k42_unlock(&bucket->lock);
    return found;
}

static struct p9_inode *make_inode(struct p9_fs *fs, struct p9_inode *directory, uint32_t fid,
                                   const struct p9_attributes *attributes) {
    struct p9_inode *inode = k42_platform_alloc(sizeof *inode);
    if (!inode)
        return NULL;
    inode->fs = fs;
    inode->lives = 1;
    inode->qid = attributes->qid;
    inode->fid = fid;
    inode->read_fid = inode->write_fid = P9_NO_FID;
    p9_take_attributes(inode, attributes);
    inode->version = inode->told;
    if (k42_make(&p9_node, inode, &inode->self) < 0) {
        k42_platform_free(inode);
        return NULL;
    }
    __atomic_add_fetch(&fs->references, 1, __ATOMIC_RELAXED);
    if (directory && p9_hold(directory))
        inode->parent = directory;
    return inode;
}

/*
 * The server's way to a file that we know: as it was, unless that has been found to lead nowhere,
 * or the file is found by another name. Then the old name may be gone, and its fid leads nowhere
 * with it: the file has been renamed, or is a new one that was given the number of one removed.
 */
static void keep_fid(struct p9_inode *inode, const struct p9_inode *directory,
                     const struct node_name *name, uint32_t fid) {
    k42_lock(&inode->lock);
    bool same = !name || (inode->parent == directory && inode->name_length == name->length &&
                          __builtin_memcmp(inode->name, name->text, name->length) == 0);
    if (inode->attributes_known.error || !same) {
        uint32_t old = inode->fid;
        inode->fid = fid;
        fid = old;
    }
    k42_unlock(&inode->lock);
    p9_fid_forget(inode->fs->client, fid);
}

void p9_lose(struct p9_inode *inode) {
    char name[NODE_NAME_MAX];
    uint32_t length = 0;
    k42_lock(&inode->lock);
    struct p9_inode *directory = inode->parent;
    if (directory && inode->name && p9_hold(directory)) {
        length = inode->name_length;
        __builtin_memcpy(name, inode->name, length);
    }
    inode->lost = true;
    k42_store_release(&inode->unlinked, true);
    k42_unlock(&inode->lock);
    if (!length)
        return;
    struct node_name known = {name, length, node_hash(name, length)};
    p9_name_forget(directory, &known);
    p9_drop(directory);
}

/* Answers come one after the other, so nobody else makes the same inode meanwhile. */
struct p9_inode *p9_inode_of(struct p9_fs *fs, struct p9_inode *directory,
                             const struct node_name *name, uint32_t fid,
                             const struct p9_attributes *attributes) {
    struct p9_inode *inode = p9_inode_find(fs, attributes->qid.path);
    if (inode && inode->qid.type != attributes->qid.type) {
        p9_lose(inode);
        p9_drop(inode);
        inode = NULL;
    }
    if (inode) {
        keep_fid(inode, directory, name, fid);
        p9_take_attributes(inode, attributes);
        return inode;
    }
    inode = make_inode(fs, directory, fid, attributes);
    if (!inode) {
        p9_fid_forget(fs->client, fid);
        return NULL;
    }
    struct p9_bucket *bucket = bucket_of(fs, inode->qid.path);
    k42_lock(&bucket->lock);
    inode->next = bucket->inodes;
    bucket->inodes = inode;
    k42_unlock(&bucket->lock);
    return inode;
}

void p9_inode_end(struct p9_inode *inode) {
    struct p9_fs *fs = inode->fs;
    struct p9_bucket *bucket = bucket_of(fs, inode->qid.path);
    k42_lock(&bucket->lock);
    struct p9_inode **link = &bucket->inodes;
    while (*link && *link != inode)
        link = &(*link)->next;
    if (*link)
        *link = inode->next;
    k42_unlock(&bucket->lock);
    p9_fid_forget(fs->client, inode->fid);
    p9_fid_forget(fs->client, inode->read_fid);
    p9_fid_forget(fs->client, inode->write_fid);
    for (unsigned i = 0; i < P9_CHUNKS; i++)
        k42_platform_free(inode->chunks[i].data);
    k42_platform_free(inode->target);
    k42_platform_free(inode->name);
    if (inode->parent)
        p9_drop(inode->parent);
    k42_platform_free(inode);
    p9_fs_drop(fs);
}

/* ---- names ---- */

static bool is_named(const struct p9_name *at, const struct p9_inode *directory,
                     const struct node_name *name) {
    return at->directory == directory && at->hash == name->hash && at->length == name->length &&
           __builtin_memcmp(at->text, name->text, name->length) == 0;
}

static struct p9_name *find(struct p9_bucket *bucket, const struct p9_inode *directory,
                            const struct node_name *name) {
    struct p9_name *at = bucket->names;
    while (at && !is_named(at, directory, name))
        at = at->next;
    return at;
}

/* In its bucket, under the lock; NULL: no memory. */
static struct p9_name *add(struct p9_bucket *bucket, struct p9_inode *directory,
                           const struct node_name *name) {
    struct p9_name *made = k42_platform_alloc(sizeof *made + name->length);
    if (!made)
        return NULL;
    if (!p9_hold(directory)) {
        k42_platform_free(made);
        return NULL;
    }
    made->directory = directory;
    made->hash = name->hash;
    made->length = name->length;
    __builtin_memcpy(made->text, name->text, name->length);
    made->next = bucket->names;
    bucket->names = made;
    __atomic_add_fetch(&directory->fs->name_count, 1, __ATOMIC_RELAXED);
    return made;
}

/* It is in no bucket any more. */
static void free_name(struct p9_name *name) {
    __atomic_sub_fetch(&name->directory->fs->name_count, 1, __ATOMIC_RELAXED);
    if (name->inode)
        p9_drop(name->inode);
    p9_drop(name->directory);
    k42_platform_free(name);
}

static bool is_idle(struct p9_name *name) {
    if (name->known.asked || name->known.until > k42_platform_now_ns())
        return false;
    return !name->inode ||
           (k42_load_relaxed(&name->inode->lives) == 1 && !name->inode->may_be_dirty);
}

/* Takes those that `goes` allows out of a bucket, and frees them without its lock. */
static void take_out(struct p9_bucket *bucket, bool (*goes)(struct p9_name *name)) {
    struct p9_name *gone = NULL;
    k42_lock(&bucket->lock);
    for (struct p9_name **link = &bucket->names; *link;) {
        struct p9_name *at = *link;
        if (!goes(at)) {
            link = &at->next;
            continue;
        }
        *link = at->next;
        at->next = gone;
        gone = at;
    }
    k42_unlock(&bucket->lock);
    while (gone) {
        struct p9_name *next = gone->next;
        free_name(gone);
        gone = next;
    }
}

static void sweep(struct p9_fs *fs) {
    if (k42_load_relaxed(&fs->name_count) <= P9_NAMES_MAX)
        return;
    uint32_t number = __atomic_fetch_add(&fs->sweep, 1, __ATOMIC_RELAXED);
    take_out(&fs->buckets[number % P9_BUCKETS], is_idle);
}

k42_result p9_name_find(struct p9_inode *directory, const struct node_name *name,
                        struct p9_inode **inode) {
    struct p9_bucket *bucket = name_bucket(directory, name->hash);
    k42_result result = 1;
    k42_lock(&bucket->lock);
    struct p9_name *found = find(bucket, directory, name);
    if (!found)
        found = add(bucket, directory, name);
    if (!found) {
        result = -ENOMEM;
    } else if (p9_is_young(&found->known)) {
        *inode = found->inode;
        result = found->known.error ? found->known.error : 1;
    } else if (found->known.asked) {
        result = -K42_WAIT;
    } else {
        p9_asked(&found->known);
        result = 0;
    }
    k42_unlock(&bucket->lock);
    if (result == -K42_WAIT)
        return wait_on(k42_id_of(directory->self), P9_KEY_NAME + name->hash, WAIT_READ);
    if (result == 0)
        sweep(directory->fs);
    return result;
}

/* A file's name is told to whoever asks for it: the one it was found by last. */
static void note_name(struct p9_inode *inode, struct p9_inode *directory,
                      const struct node_name *name) {
    char *text = k42_platform_alloc(name->length ? name->length : 1);
    struct p9_inode *old = NULL;
    if (!text || !p9_hold(directory)) {
        k42_platform_free(text);
        return;
    }
    __builtin_memcpy(text, name->text, name->length);
    k42_lock(&inode->lock);
    char *old_text = inode->name;
    old = inode->parent;
    inode->name = text;
    inode->name_length = name->length;
    inode->parent = directory;
    k42_unlock(&inode->lock);
    k42_platform_free(old_text);
    if (old)
        p9_drop(old);
}

void p9_name_answer(struct p9_inode *directory, const struct node_name *name,
                    struct p9_inode *inode, int error) {
    struct p9_bucket *bucket = name_bucket(directory, name->hash);
    if (inode && inode != directory->fs->root)
        note_name(inode, directory, name);
    k42_lock(&bucket->lock);
    struct p9_inode *old = inode;
    struct p9_name *found = find(bucket, directory, name);
    if (!found)
        found = add(bucket, directory, name);
    if (found) {
        old = found->inode;
        found->inode = inode;
        p9_came(&found->known, error);
    }
    k42_unlock(&bucket->lock);
    if (old)
        p9_drop(old);
    wait_notify(k42_id_of(directory->self), P9_KEY_NAME + name->hash, WAIT_READ, WAIT_ALL);
}

void p9_name_forget(struct p9_inode *directory, const struct node_name *name) {
    struct p9_bucket *bucket = name_bucket(directory, name->hash);
    k42_lock(&bucket->lock);
    struct p9_name *found = find(bucket, directory, name);
    if (found)
        p9_forget(&found->known);
    k42_unlock(&bucket->lock);
}

static bool always(struct p9_name *name) {
    (void)name;
    return true;
}

void p9_names_end(struct p9_fs *fs) {
    for (unsigned i = 0; i < P9_BUCKETS; i++)
        take_out(&fs->buckets[i], always);
}
