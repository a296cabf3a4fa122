/*
 * Having the server open a file, by a fid of its own, once for all who read and once for all who
 * write; and the text of a symbolic link.
 */
#include "asking.h"

#include "../values.h"
#include "runtime.h"

static void open_is_known(struct p9_call *call, int error) {
    struct p9_inode *inode = call->context;
    bool writes = call->word;
    k42_lock(&inode->lock);
    uint32_t unused = error ? P9_NO_FID : writes ? inode->write_fid : inode->read_fid;
    if (!error && writes)
        inode->write_fid = call->fid;
    else if (!error)
        inode->read_fid = call->fid;
    k42_unlock(&inode->lock);
    p9_fid_forget(call->client, unused);
    p9_answer(inode, &inode->open_known[writes], P9_KEY_OPEN, error);
    p9_drop(inode);
}

/* The name it was opened by may be another file's by now. */
static void opened(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    struct p9_qid qid = error ? inode->qid : p9_get_qid(reader);
    if (!error && reader->bad)
        error = -EIO;
    if (!error && qid.path != inode->qid.path) {
        p9_lose(inode);
        error = -ENOENT;
    }
    if (error)
        p9_fid_forget(call->client, call->fid);
    open_is_known(call, error);
}

static void cloned(struct p9_call *call, int error, struct p9_reader *reader) {
    (void)reader;
    struct p9_inode *inode = call->context;
    bool directory = inode->qid.type & P9_QID_DIRECTORY;
    if (error) {
        p9_fid_give(call->client, call->fid);
        open_is_known(call, error);
        return;
    }
    p9_call_again(call, P9_TLOPEN, opened);
    p9_put32(&call->message, call->fid);
    p9_put32(&call->message,
             (directory ? OPEN_DIRECTORY : 0) | (call->word ? OPEN_READ_WRITE : OPEN_READ_ONLY));
    if (p9_call_send_again(call) < 0)
        opened(call, -EIO, NULL);
}

static k42_result ask_open(struct p9_inode *inode, bool writes) {
    struct p9_call *call;
    k42_result result = p9_ask_begin(inode, P9_TWALK, cloned, &call);
    if (result < 0)
        return result;
    call->word = writes;
    result = p9_fid_take(inode->fs->client, &call->fid);
    if (result < 0) {
        p9_call_drop(call);
        p9_drop(inode);
        return result;
    }
    uint32_t fid = call->fid;
    p9_put32(&call->message, inode->fid);
    p9_put32(&call->message, fid);
    p9_put16(&call->message, 0);
    result = p9_ask(call);
    if (result < 0)
        p9_fid_give(inode->fs->client, fid);
    return result;
}

/* Once opened it stays so. */
k42_result p9_get_open(struct p9_inode *inode, bool writes) {
    if (k42_load_acquire(&inode->write_fid) != P9_NO_FID ||
        (!writes && k42_load_acquire(&inode->read_fid) != P9_NO_FID))
        return 0;
    struct p9_known *known = &inode->open_known[writes];
    k42_result result = p9_look(inode, known, P9_KEY_OPEN);
    if (result)
        return result < 0 ? result : 0;
    result = ask_open(inode, writes);
    return result < 0 ? p9_give_up(inode, known, P9_KEY_OPEN, result)
                      : p9_wait_for(inode, P9_KEY_OPEN);
}

/* ---- the text of a symbolic link ---- */

static void target_came(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    struct p9_string text = error ? (struct p9_string){"", 0} : p9_get_string(reader);
    if (!error && (reader->bad || !text.length))
        error = -EIO;
    char *copy = error ? NULL : k42_platform_alloc(text.length);
    if (!error && !copy)
        error = -ENOMEM;
    if (copy)
        __builtin_memcpy(copy, text.text, text.length);
    k42_lock(&inode->lock);
    char *old = inode->target;
    inode->target = copy;
    inode->target_length = copy ? text.length : 0;
    p9_came(&inode->target_known, error);
    k42_unlock(&inode->lock);
    k42_platform_free(old);
    p9_tell(inode, P9_KEY_TARGET);
    p9_drop(inode);
}

static k42_result ask_target(struct p9_inode *inode) {
    struct p9_call *call;
    k42_result result = p9_ask_begin(inode, P9_TREADLINK, target_came, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, inode->fid);
    return p9_ask(call);
}

k42_result p9_get_target(struct p9_inode *inode, char *text, size_t size) {
    k42_result result = p9_look(inode, &inode->target_known, P9_KEY_TARGET);
    if (result == 0) {
        result = ask_target(inode);
        return result < 0 ? p9_give_up(inode, &inode->target_known, P9_KEY_TARGET, result)
                          : p9_wait_for(inode, P9_KEY_TARGET);
    }
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    size_t length = inode->target_length < size ? inode->target_length : size;
    if (inode->target)
        __builtin_memcpy(text, inode->target, length);
    k42_unlock(&inode->lock);
    return (k42_result)length;
}
