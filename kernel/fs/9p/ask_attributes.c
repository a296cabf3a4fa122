/*
 * Attributes of files, and the counts of the file system. A file that has lost its last name is not
 * asked about any more: the server would not find it.
 */
#include "asking.h"

#include "runtime.h"

static struct node_time time_from(struct p9_time time) {
    return (struct node_time){(int64_t)time.seconds, (uint32_t)time.nanoseconds};
}

void p9_take_attributes(struct p9_inode *inode, const struct p9_attributes *from) {
    k42_lock(&inode->lock);
    inode->told = (struct p9_version){from->qid.version, time_from(from->modified), from->size};
    bool all = !inode->changing && inode->changed_ns < from->asked_ns;
    inode->attributes_ns = all ? from->asked_ns : 0;
    inode->attributes = (struct node_attributes){
        .device = inode->fs->device,
        .number = from->qid.path,
        .mode = from->mode,
        .links = (uint32_t)from->links,
        .uid = from->uid,
        .gid = from->gid,
        .special = from->device,
        .size = from->size,
        .blocks = from->blocks,
        .block_size = 4096,
        .mount_flags = inode->fs->flags,
        .accessed = time_from(from->accessed),
        .modified = time_from(from->modified),
        .changed = time_from(from->changed),
        .born = time_from(from->valid & P9_GETATTR_ALL & ~P9_GETATTR_BASIC ? from->born
                                                                           : from->changed),
    };
    p9_came(&inode->attributes_known, 0);
    if (!all)
        inode->attributes_known.until = 0;
    k42_unlock(&inode->lock);
}

static void attributes_came(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    struct p9_attributes attributes;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    attributes.asked_ns = call->begun_ns;
    bool other = !error && attributes.qid.path != inode->qid.path;
    if (other)
        p9_lose(inode);
    if (error || other)
        p9_answer(inode, &inode->attributes_known, P9_KEY_ATTRIBUTES, error);
    else
        p9_take_attributes(inode, &attributes);
    p9_tell(inode, P9_KEY_ATTRIBUTES);
    p9_drop(inode);
}

static k42_result ask_attributes(struct p9_inode *inode) {
    struct p9_call *call;
    k42_result result = p9_ask_begin(inode, P9_TGETATTR, attributes_came, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, inode->fid);
    p9_put64(&call->message, P9_GETATTR_BASIC);
    return p9_ask(call);
}

void p9_attributes_changed(struct p9_inode *inode) {
    k42_lock(&inode->lock);
    p9_forget(&inode->attributes_known);
    for (unsigned i = 0; i < P9_CHUNKS; i++)
        p9_forget(&inode->chunks[i].known);
    k42_unlock(&inode->lock);
}

/* The server knows nothing of a file without a name; the size is that of its pages if it has any.
 */
k42_result p9_get_attributes_of(struct p9_inode *inode, struct node_attributes *attributes) {
    k42_result result =
        inode->unlinked ? 1 : p9_look(inode, &inode->attributes_known, P9_KEY_ATTRIBUTES);
    if (result == 0) {
        result = ask_attributes(inode);
        return result < 0 ? p9_give_up(inode, &inode->attributes_known, P9_KEY_ATTRIBUTES, result)
                          : p9_wait_for(inode, P9_KEY_ATTRIBUTES);
    }
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    *attributes = inode->attributes;
    k42_unlock(&inode->lock);
    return 0;
}

/* ---- counts ---- */

static void counts_came(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    struct p9_counts counts;
    if (!error && !p9_get_counts(reader, &counts))
        error = -EIO;
    k42_lock(&inode->lock);
    if (!error)
        inode->fs->counts = counts;
    p9_came(&inode->fs->counts_known, error);
    k42_unlock(&inode->lock);
    p9_tell(inode, P9_KEY_COUNTS);
    p9_drop(inode);
}

/* Always those of the root, whose lock guards them. */
k42_result p9_get_counts_of(struct p9_inode *any, struct p9_counts *counts) {
    struct p9_inode *inode = any->fs->root;
    struct p9_known *known = &inode->fs->counts_known;
    struct p9_call *call;
    k42_result result = p9_look(inode, known, P9_KEY_COUNTS);
    if (result == 0) {
        result = p9_ask_begin(inode, P9_TSTATFS, counts_came, &call);
        if (!result) {
            p9_put32(&call->message, inode->fid);
            result = p9_ask(call);
        }
        return result < 0 ? p9_give_up(inode, known, P9_KEY_COUNTS, result)
                          : p9_wait_for(inode, P9_KEY_COUNTS);
    }
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    *counts = inode->fs->counts;
    k42_unlock(&inode->lock);
    return 0;
}
