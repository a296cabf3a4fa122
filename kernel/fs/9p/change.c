/*
 * Changing what the server has: made, linked, unlinked, renamed, attributes set.
 *
 * A change is a conversation of one to three messages, the last answer of which ends it. That it is
 * carried out once for each call of a program is the business of changes.c.
 */
#include "changes.h"

#include "../values.h"
#include "runtime.h"

#define REMOVE_DIRECTORY 0x200u

static k42_result take(struct p9_change *change, enum p9_type type, p9_answered *answered,
                       struct p9_call **call) {
    if (!change)
        return -ENOMEM;
    k42_result result = p9_call_take(change->fs->client, type, answered, change, call);
    if (result < 0)
        p9_change_free(change);
    return result;
}

/* ---- making ---- */

static void made_is_known(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    struct p9_attributes attributes;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    attributes.asked_ns = call->begun_ns;
    struct p9_inode *inode = NULL;
    if (error)
        p9_fid_forget(call->client, call->fid);
    else
        inode = p9_inode_of(change->fs, change->directory, &change->name, call->fid, &attributes);
    if (!error && !inode)
        error = -ENOMEM;
    if (!error && attributes.qid.path != call->word) {
        /* It was opened as it was made, and others have put another file there since. */
        p9_fid_forget(call->client, change->fid);
        change->fid = P9_NO_FID;
    }
    if (inode) {
        /* What was made opened stays open. */
        k42_lock(&inode->lock);
        uint32_t old = inode->write_fid;
        inode->write_fid = change->fid != P9_NO_FID ? change->fid : old;
        change->fid = change->fid != P9_NO_FID ? old : P9_NO_FID;
        k42_unlock(&inode->lock);
        if (p9_hold(inode))
            change->made = inode;
        p9_name_answer(change->directory, &change->name, inode, 0);
    }
    p9_fid_forget(call->client, change->fid);
    change->fid = P9_NO_FID;
    p9_change_over(change, error);
}

static void made_was_walked(struct p9_call *call, int error, struct p9_reader *reader) {
    if (!error && p9_get16(reader) != 1)
        error = -ENOENT;
    if (error) {
        p9_fid_give(call->client, call->fid);
        call->fid = P9_NO_FID;
        made_is_known(call, error, NULL);
        return;
    }
    p9_call_again(call, P9_TGETATTR, made_is_known);
    p9_put32(&call->message, call->fid);
    p9_put64(&call->message, P9_GETATTR_BASIC);
    if (p9_call_send_again(call) < 0)
        made_is_known(call, -EIO, NULL);
}

/* It was made; how is it known from now on? */
static void made(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    call->word = error ? 0 : p9_get_qid(reader).path;
    p9_name_forget(change->directory, &change->name);
    call->fid = P9_NO_FID;
    if (!error)
        error = (int)p9_fid_take(call->client, &call->fid);
    if (error) {
        made_is_known(call, error, NULL);
        return;
    }
    p9_call_again(call, P9_TWALK, made_was_walked);
    p9_put32(&call->message, change->directory->fid);
    p9_put32(&call->message, call->fid);
    p9_put16(&call->message, 1);
    p9_put_string(&call->message, change->name.text, change->name.length);
    if (p9_call_send_again(call) < 0)
        made_was_walked(call, -EIO, NULL);
}

/* The fid that is to become the new file's, of the directory still. */
static void cloned(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    (void)reader;
    if (error) {
        p9_fid_give(call->client, change->fid);
        change->fid = call->fid = P9_NO_FID;
        made_is_known(call, error, NULL);
        return;
    }
    p9_call_again(call, P9_TLCREATE, made);
    p9_put32(&call->message, change->fid);
    p9_put_string(&call->message, change->name.text, change->name.length);
    p9_put32(&call->message, OPEN_READ_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE);
    p9_put32(&call->message, change->mode & MODE_PERMISSIONS);
    p9_put32(&call->message, change->gid);
    if (p9_call_send_again(call) < 0)
        made(call, -EIO, NULL);
}

static k42_result begin_file(struct p9_change *change) {
    struct p9_call *call;
    k42_result result = take(change, P9_TWALK, cloned, &call);
    if (result < 0)
        return result;
    result = p9_fid_take(change->fs->client, &change->fid);
    if (result < 0) {
        p9_call_drop(call);
        p9_change_free(change);
        return result;
    }
    p9_put32(&call->message, change->directory->fid);
    p9_put32(&call->message, change->fid);
    p9_put16(&call->message, 0);
    return p9_change_begin(change, call);
}

static enum p9_type type_for(uint32_t mode) {
    switch (mode & MODE_TYPE) {
    case MODE_DIRECTORY:
        return P9_TMKDIR;
    case MODE_LINK:
        return P9_TSYMLINK;
    default:
        return P9_TMKNOD;
    }
}

static k42_result begin_other(struct p9_change *change, const struct node_new *what) {
    struct p9_call *call;
    enum p9_type type = type_for(what->mode);
    k42_result result = take(change, type, made, &call);
    if (result < 0)
        return result;
    struct p9_writer *message = &call->message;
    p9_put32(message, change->directory->fid);
    p9_put_string(message, what->name.text, what->name.length);
    if (type == P9_TSYMLINK)
        p9_put_string(message, what->target, k42_text_length(what->target));
    else
        p9_put32(message, type == P9_TMKDIR ? what->mode & MODE_PERMISSIONS : what->mode);
    if (type == P9_TMKNOD) {
        p9_put32(message, (uint32_t)(what->special >> 8 & 0xfff));
        p9_put32(message, (uint32_t)((what->special & 0xff) | (what->special >> 12 & 0xfff00)));
    }
    p9_put32(message, what->gid);
    return p9_change_begin(change, call);
}

struct k42_pair p9_create(struct p9_inode *directory, const struct node_new *what) {
    k42_ref made;
    k42_result result = p9_change_look(P9_TLCREATE, directory, &what->name, &made);
    if (result <= 0)
        return (struct k42_pair){result, (uintptr_t)made};
    struct p9_change *change = p9_change_make(P9_TLCREATE, directory, &what->name, NULL, NULL);
    if (change) {
        change->mode = what->mode;
        change->gid = what->gid;
    }
    bool regular = (what->mode & MODE_TYPE) == MODE_REGULAR;
    result = regular && change ? begin_file(change) : begin_other(change, what);
    return (struct k42_pair){.result = result};
}

/* ---- names ---- */

static void linked(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    (void)reader;
    p9_name_forget(change->directory, &change->name);
    if (!error && change->other) {
        k42_lock(&change->other->lock);
        change->other->attributes.links++;
        k42_unlock(&change->other->lock);
    }
    p9_change_over(change, error);
}

k42_result p9_link(struct p9_inode *directory, const struct node_name *name,
                   struct p9_inode *inode) {
    struct p9_call *call;
    k42_result result = p9_change_look(P9_TLINK, directory, name, NULL);
    if (result <= 0)
        return result;
    struct p9_change *change = p9_change_make(P9_TLINK, directory, name, NULL, inode);
    result = take(change, P9_TLINK, linked, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, directory->fid);
    p9_put32(&call->message, inode->fid);
    p9_put_string(&call->message, name->text, name->length);
    return p9_change_begin(change, call);
}

/* What is known of a file that has lost a name is all that will be known if it was the last. */
static void lost_name(struct p9_inode *inode) {
    k42_lock(&inode->lock);
    if (inode->attributes.links)
        inode->attributes.links--;
    bool directory = inode->qid.type & P9_QID_DIRECTORY;
    if (directory || !inode->attributes.links) {
        inode->attributes.links = 0;
        inode->unlinked = true;
    } else {
        p9_forget(&inode->attributes_known);
    }
    k42_unlock(&inode->lock);
}

static void unlinked(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    (void)reader;
    p9_name_forget(change->directory, &change->name);
    if (!error) {
        if (change->other)
            lost_name(change->other);
        p9_name_answer(change->directory, &change->name, NULL, 0);
    }
    p9_change_over(change, error);
}

k42_result p9_unlink(struct p9_inode *directory, const struct node_name *name, bool is_directory) {
    struct p9_call *call;
    struct p9_inode *inode = NULL;
    k42_result result = p9_change_look(P9_TUNLINKAT, directory, name, NULL);
    if (result <= 0)
        return result;
    result = p9_get_name(directory, name, &inode);
    if (result < 0)
        return result;
    struct p9_change *change = p9_change_make(P9_TUNLINKAT, directory, name, NULL, inode);
    result = take(change, P9_TUNLINKAT, unlinked, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, directory->fid);
    p9_put_string(&call->message, name->text, name->length);
    p9_put32(&call->message, is_directory ? REMOVE_DIRECTORY : 0);
    return p9_change_begin(change, call);
}

static void renamed(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    struct p9_inode *to = change->other ? change->other : change->directory;
    (void)reader;
    p9_name_forget(change->directory, &change->name);
    p9_name_forget(to, &change->new_name);
    if (!error) {
        if (change->made)
            lost_name(change->made);
        p9_name_answer(change->directory, &change->name, NULL, 0);
        if (change->moved && p9_hold(change->moved))
            p9_name_answer(to, &change->new_name, change->moved, 0);
    }
    p9_change_over(change, error);
}

k42_result p9_rename(struct p9_inode *from, const struct node_name *name, struct p9_inode *to,
                     const struct node_name *new_name) {
    struct p9_call *call;
    struct p9_inode *moved = NULL, *replaced = NULL;
    k42_result result = p9_change_look(P9_TRENAMEAT, from, name, NULL);
    if (result <= 0)
        return result;
    result = p9_get_name(from, name, &moved);
    if (result < 0)
        return result;
    result = p9_get_name(to, new_name, &replaced);
    if (result < 0 && result != -ENOENT)
        return result;
    if (replaced == moved)
        return 0;
    struct p9_change *change = p9_change_make(P9_TRENAMEAT, from, name, new_name, to);
    if (change && replaced && p9_hold(replaced))
        change->made = replaced;
    if (change && p9_hold(moved))
        change->moved = moved;
    result = take(change, P9_TRENAMEAT, renamed, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, from->fid);
    p9_put_string(&call->message, name->text, name->length);
    p9_put32(&call->message, to->fid);
    p9_put_string(&call->message, new_name->text, new_name->length);
    return p9_change_begin(change, call);
}

/* ---- attributes ---- */

static void were_set(struct p9_call *call, int error, struct p9_reader *reader) {
    (void)reader;
    p9_change_over(call->context, error);
}

static void put_time(struct p9_writer *message, struct node_time time) {
    p9_put64(message, (uint64_t)time.seconds);
    p9_put64(message, time.nanoseconds);
}

static uint32_t valid_bits(unsigned which) {
    static const uint32_t bits[][2] = {
        {NODE_SET_MODE, P9_SET_MODE},
        {NODE_SET_UID, P9_SET_UID},
        {NODE_SET_GID, P9_SET_GID},
        {NODE_SET_SIZE, P9_SET_SIZE},
        {NODE_SET_ACCESSED, P9_SET_ACCESSED | P9_SET_ACCESSED_TO},
        {NODE_SET_MODIFIED, P9_SET_MODIFIED | P9_SET_MODIFIED_TO},
        {NODE_SET_ACCESSED_NOW, P9_SET_ACCESSED},
        {NODE_SET_MODIFIED_NOW, P9_SET_MODIFIED},
    };
    uint32_t valid = 0;
    for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
        valid |= which & bits[i][0] ? bits[i][1] : 0;
    return valid;
}

k42_result p9_set(struct p9_inode *inode, unsigned which,
                  const struct node_attributes *attributes) {
    struct p9_call *call;
    k42_result result = p9_change_look(P9_TSETATTR, inode, NULL, NULL);
    if (result <= 0)
        return result;
    struct p9_change *change = p9_change_make(P9_TSETATTR, inode, NULL, NULL, NULL);
    result = take(change, P9_TSETATTR, were_set, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, inode->fid);
    p9_put32(&call->message, valid_bits(which));
    p9_put32(&call->message, attributes->mode & MODE_PERMISSIONS);
    p9_put32(&call->message, attributes->uid);
    p9_put32(&call->message, attributes->gid);
    p9_put64(&call->message, attributes->size);
    put_time(&call->message, attributes->accessed);
    put_time(&call->message, attributes->modified);
    return p9_change_begin(change, call);
}
