/*
 * Changing what the server has: made, linked, unlinked, renamed, attributes set.
 *
 * A change is carried out once. The program's call that wants it finds it again by its number
 * (wait_request()), which is the same at each attempt; a caller who went away leaves a result that
 * nobody fetches, and those are freed when they are old. So changes of different calls overlap, and
 * each is seen by whoever asks after its caller has been told.
 *
 * A change is a conversation of one or two messages; `step` of the last one ends it.
 */
#include "p9.h"

#include "../values.h"
#include "runtime.h"

#define OLD_NS           10000000000ul
#define REMOVE_DIRECTORY 0x200u

struct p9_change {
    struct p9_change *next;
    uint64_t request;
    uint64_t over; /* when; 0: under way */
    k42_result result;
    struct p9_inode *directory; /* held */
    struct p9_inode *other;     /* held: where it goes, what gets a name, what is set; or NULL */
    struct p9_inode *made;      /* held: the result of create, what rename replaces; or NULL */
    struct p9_inode *moved;     /* held: what rename moves; or NULL */
    struct p9_fs *fs;
    uint32_t mode, gid, fid;
    struct node_name name, new_name;
    char text[];
};

/* ---- once for each call ---- */

static void free_change(struct p9_change *change) {
    p9_drop(change->directory);
    if (change->other)
        p9_drop(change->other);
    if (change->made)
        p9_drop(change->made);
    if (change->moved)
        p9_drop(change->moved);
    k42_platform_free(change);
}

static k42_result wait_for(const struct p9_change *change) {
    return wait_on(k42_id_of(change->directory->self), P9_KEY_CHANGE, WAIT_READ);
}

/* Takes the call's change out if it is over; NULL: it is not, or there is none (*known). */
static struct p9_change *fetch(struct p9_fs *fs, uint64_t request, bool *known) {
    struct p9_change *found = NULL, *old = NULL;
    uint64_t now = k42_platform_now_ns();
    *known = false;
    k42_lock(&fs->lock);
    for (struct p9_change **link = &fs->changes; *link;) {
        struct p9_change *at = *link;
        bool mine = at->request == request, over = k42_load_acquire(&at->over);
        *known = *known || mine;
        if (over && (mine || at->over + OLD_NS < now)) {
            *link = at->next;
            at->next = mine ? NULL : old;
            if (mine)
                found = at;
            else
                old = at;
            continue;
        }
        link = &at->next;
    }
    k42_unlock(&fs->lock);
    while (old) {
        struct p9_change *next = old->next;
        free_change(old);
        old = next;
    }
    return found;
}

static struct p9_change *make_change(struct p9_inode *directory, const struct node_name *name,
                                     const struct node_name *new_name, struct p9_inode *other) {
    uint32_t first = name ? name->length : 0, second = new_name ? new_name->length : 0;
    struct p9_change *change = k42_platform_alloc(sizeof *change + first + second);
    if (!change)
        return NULL;
    if (!p9_hold(directory)) {
        k42_platform_free(change);
        return NULL;
    }
    change->directory = directory;
    change->fs = directory->fs;
    change->other = other && p9_hold(other) ? other : NULL;
    change->fid = P9_NO_FID;
    if (name) {
        __builtin_memcpy(change->text, name->text, first);
        change->name = (struct node_name){change->text, first, name->hash};
    }
    if (new_name) {
        __builtin_memcpy(change->text + first, new_name->text, second);
        change->new_name = (struct node_name){change->text + first, second, new_name->hash};
    }
    return change;
}

static void end_change(struct p9_change *change, int error) {
    change->result = error;
    p9_attributes_changed(change->directory);
    if (change->other)
        p9_attributes_changed(change->other);
    k42_id id = k42_id_of(change->directory->self);
    k42_store_release(&change->over, k42_platform_now_ns());
    WAIT_BARRIER();
    wait_notify(id, P9_KEY_CHANGE, WAIT_READ, WAIT_ALL);
}

/* Sends the first message and has the caller wait; on an error there was no change. */
static k42_result begin_change(struct p9_change *change, struct p9_call *call) {
    struct p9_fs *fs = change->fs;
    change->request = wait_request();
    k42_lock(&fs->lock);
    change->next = fs->changes;
    fs->changes = change;
    k42_unlock(&fs->lock);
    k42_result result = p9_call_send(call);
    if (result >= 0)
        return wait_for(change);
    k42_lock(&fs->lock);
    struct p9_change **link = &fs->changes;
    while (*link != change)
        link = &(*link)->next;
    *link = change->next;
    k42_unlock(&fs->lock);
    if (change->fid != P9_NO_FID)
        p9_fid_give(fs->client, change->fid);
    free_change(change);
    return result;
}

/* The change that this call wants is over: its result, or 0 with *change NULL: make it now. */
static k42_result again(struct p9_inode *directory, struct p9_change **change) {
    bool known;
    *change = fetch(directory->fs, wait_request(), &known);
    if (!*change && known)
        return wait_on(k42_id_of(directory->self), P9_KEY_CHANGE, WAIT_READ);
    return 0;
}

/* For those whose result is a number. 1: it is not yet under way. */
static k42_result fetch_result(struct p9_inode *directory) {
    struct p9_change *change;
    k42_result result = again(directory, &change);
    if (result < 0 || !change)
        return result < 0 ? result : 1;
    result = change->result;
    free_change(change);
    return result;
}

static k42_result take(struct p9_change *change, enum p9_type type, p9_answered *answered,
                       struct p9_call **call) {
    if (!change)
        return -ENOMEM;
    k42_result result = p9_call_take(change->fs->client, type, answered, change, call);
    if (result < 0)
        free_change(change);
    return result;
}

/* ---- making ---- */

static void made_is_known(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_change *change = call->context;
    struct p9_attributes attributes;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    struct p9_inode *inode = NULL;
    if (error)
        p9_fid_forget(call->client, call->fid);
    else
        inode = p9_inode_of(change->fs, change->directory, call->fid, &attributes);
    if (!error && !inode)
        error = -ENOMEM;
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
    end_change(change, error);
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
    (void)reader;
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
        free_change(change);
        return result;
    }
    p9_put32(&call->message, change->directory->fid);
    p9_put32(&call->message, change->fid);
    p9_put16(&call->message, 0);
    return begin_change(change, call);
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
    return begin_change(change, call);
}

struct k42_pair p9_create(struct p9_inode *directory, const struct node_new *what) {
    struct p9_change *change;
    k42_result result = again(directory, &change);
    if (change) {
        struct k42_pair pair = {change->result, change->made ? (uintptr_t)change->made->self : 0};
        free_change(change);
        return pair;
    }
    if (result == 0) {
        change = make_change(directory, &what->name, NULL, NULL);
        if (change) {
            change->mode = what->mode;
            change->gid = what->gid;
        }
        result = (what->mode & MODE_TYPE) == MODE_REGULAR && change ? begin_file(change)
                                                                    : begin_other(change, what);
    }
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
    end_change(change, error);
}

k42_result p9_link(struct p9_inode *directory, const struct node_name *name,
                   struct p9_inode *inode) {
    struct p9_call *call;
    k42_result result = fetch_result(directory);
    if (result <= 0)
        return result;
    struct p9_change *change = make_change(directory, name, NULL, inode);
    result = take(change, P9_TLINK, linked, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, directory->fid);
    p9_put32(&call->message, inode->fid);
    p9_put_string(&call->message, name->text, name->length);
    return begin_change(change, call);
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
        inode->attributes_known.until = 0;
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
    end_change(change, error);
}

k42_result p9_unlink(struct p9_inode *directory, const struct node_name *name, bool is_directory) {
    struct p9_call *call;
    struct p9_inode *inode = NULL;
    k42_result result = fetch_result(directory);
    if (result <= 0)
        return result;
    result = p9_get_name(directory, name, &inode);
    if (result < 0)
        return result;
    struct p9_change *change = make_change(directory, name, NULL, inode);
    result = take(change, P9_TUNLINKAT, unlinked, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, directory->fid);
    p9_put_string(&call->message, name->text, name->length);
    p9_put32(&call->message, is_directory ? REMOVE_DIRECTORY : 0);
    return begin_change(change, call);
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
        p9_name_answer(to, &change->new_name, change->moved, 0);
        change->moved = NULL;
    }
    end_change(change, error);
}

k42_result p9_rename(struct p9_inode *from, const struct node_name *name, struct p9_inode *to,
                     const struct node_name *new_name) {
    struct p9_call *call;
    struct p9_inode *moved = NULL, *replaced = NULL;
    k42_result result = fetch_result(from);
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
    struct p9_change *change = make_change(from, name, new_name, to);
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
    return begin_change(change, call);
}

/* ---- attributes ---- */

static void were_set(struct p9_call *call, int error, struct p9_reader *reader) {
    (void)reader;
    end_change(call->context, error);
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
    k42_result result = fetch_result(inode);
    if (result <= 0)
        return result;
    struct p9_change *change = make_change(inode, NULL, NULL, NULL);
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
    return begin_change(change, call);
}

void p9_changes_end(struct p9_fs *fs) {
    while (fs->changes) {
        struct p9_change *change = fs->changes;
        fs->changes = change->next;
        free_change(change);
    }
}
