/*
 * Asking the server: what is missed is asked for once, and looked at again when it came.
 *
 * Every question here changes nothing at the server, so it does not matter who asked it, whether he
 * still waits, or whether it is asked twice. The call that carries it holds the inode.
 */
#include "p9.h"

#include "../open_file.h"
#include "../values.h"
#include "runtime.h"

/* ---- how long something is known ---- */

bool p9_is_young(struct p9_known *known) {
    bool young = known->fresh || (!known->asked && known->until > k42_platform_now_ns());
    known->fresh = false;
    return young;
}

void p9_asked(struct p9_known *known) {
    known->asked = true;
}

void p9_came(struct p9_known *known, int error) {
    known->asked = false;
    known->fresh = true;
    known->error = error;
    known->until = k42_platform_now_ns() + P9_YOUNG_NS;
}

static k42_result wait_for(const struct p9_inode *inode, uintptr_t key) {
    return wait_on(k42_id_of(inode->self), key, WAIT_READ);
}

static void tell(const struct p9_inode *inode, uintptr_t key) {
    wait_notify(k42_id_of(inode->self), key, WAIT_READ, WAIT_ALL);
}

/* 1: what is known will do; 0: the caller is to ask; -K42_WAIT: it was asked. */
static k42_result look(struct p9_inode *inode, struct p9_known *known, uintptr_t key) {
    k42_lock(&inode->lock);
    bool young = p9_is_young(known), asked = known->asked;
    k42_result error = known->error;
    if (!young && !asked)
        p9_asked(known);
    k42_unlock(&inode->lock);
    if (young)
        return error ? error : 1;
    return asked ? wait_for(inode, key) : 0;
}

static void answer(struct p9_inode *inode, struct p9_known *known, uintptr_t key, int error) {
    k42_lock(&inode->lock);
    p9_came(known, error);
    k42_unlock(&inode->lock);
    tell(inode, key);
}

/* It could not be asked: as if it had not been tried. */
static k42_result give_up(struct p9_inode *inode, struct p9_known *known, uintptr_t key,
                          k42_result result) {
    struct wait_point point = wait_noted();
    k42_lock(&inode->lock);
    known->asked = false;
    k42_unlock(&inode->lock);
    tell(inode, key);
    return result == -K42_WAIT ? wait_on(point.id, point.key, point.events) : result;
}

/* A call about an inode, which it holds. */
static k42_result begin(struct p9_inode *inode, enum p9_type type, p9_answered *answered,
                        struct p9_call **call) {
    if (!p9_hold(inode))
        return -K42_STALE;
    k42_result result = p9_call_take(inode->fs->client, type, answered, inode, call);
    if (result < 0)
        p9_drop(inode);
    return result;
}

/* Sends it; on an error the inode's hold is given back. After that, the caller is to wait. */
static k42_result ask(struct p9_call *call) {
    struct p9_inode *inode = call->context;
    k42_result result = p9_call_send(call);
    if (result < 0)
        p9_drop(inode);
    return result;
}

/* ---- attributes ---- */

static struct node_time time_from(struct p9_time time) {
    return (struct node_time){(int64_t)time.seconds, (uint32_t)time.nanoseconds};
}

void p9_take_attributes(struct p9_inode *inode, const struct p9_attributes *from) {
    k42_lock(&inode->lock);
    inode->qid.version = from->qid.version;
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
    k42_unlock(&inode->lock);
}

static void attributes_came(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    struct p9_attributes attributes;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    if (error)
        answer(inode, &inode->attributes_known, P9_KEY_ATTRIBUTES, error);
    else
        p9_take_attributes(inode, &attributes);
    tell(inode, P9_KEY_ATTRIBUTES);
    p9_drop(inode);
}

static k42_result ask_attributes(struct p9_inode *inode) {
    struct p9_call *call;
    k42_result result = begin(inode, P9_TGETATTR, attributes_came, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, inode->fid);
    p9_put64(&call->message, P9_GETATTR_BASIC);
    return ask(call);
}

void p9_attributes_changed(struct p9_inode *inode) {
    k42_lock(&inode->lock);
    inode->attributes_known.until = 0;
    inode->attributes_known.fresh = false;
    for (unsigned i = 0; i < P9_CHUNKS; i++) {
        inode->chunks[i].known.until = 0;
        inode->chunks[i].known.fresh = false;
    }
    k42_unlock(&inode->lock);
}

/* The server knows nothing of a file without a name; the size is that of its pages if it has any.
 */
k42_result p9_get_attributes_of(struct p9_inode *inode, struct node_attributes *attributes) {
    k42_result result =
        inode->unlinked ? 1 : look(inode, &inode->attributes_known, P9_KEY_ATTRIBUTES);
    if (result == 0) {
        result = ask_attributes(inode);
        return result < 0 ? give_up(inode, &inode->attributes_known, P9_KEY_ATTRIBUTES, result)
                          : wait_for(inode, P9_KEY_ATTRIBUTES);
    }
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    *attributes = inode->attributes;
    k42_unlock(&inode->lock);
    return 0;
}

/* ---- names ---- */

/* What is asked for while the call is under way, and by what name. */
struct question {
    struct p9_inode *directory;
    struct node_name name;
    char text[];
};

static void name_is_known(struct p9_call *call, struct p9_inode *inode, int error) {
    struct question *question = call->context;
    /* That there is none is worth knowing, too. */
    p9_name_answer(question->directory, &question->name, inode, error == -ENOENT ? 0 : error);
    p9_drop(question->directory);
    k42_platform_free(question);
}

static void found_attributes(struct p9_call *call, int error, struct p9_reader *reader) {
    struct question *question = call->context;
    struct p9_attributes attributes;
    struct p9_inode *inode = NULL;
    if (!error && !p9_get_attributes(reader, &attributes))
        error = -EIO;
    if (error) {
        p9_fid_forget(call->client, call->fid);
    } else {
        inode = p9_inode_of(question->directory->fs, question->directory, call->fid, &attributes);
        error = inode ? 0 : -ENOMEM;
    }
    name_is_known(call, inode, error);
}

static void walked(struct p9_call *call, int error, struct p9_reader *reader) {
    if (!error && p9_get16(reader) != 1)
        error = -ENOENT;
    if (error) {
        p9_fid_give(call->client, call->fid);
        name_is_known(call, NULL, error);
        return;
    }
    p9_call_again(call, P9_TGETATTR, found_attributes);
    p9_put32(&call->message, call->fid);
    p9_put64(&call->message, P9_GETATTR_BASIC);
    if (p9_call_send_again(call) < 0)
        found_attributes(call, -EIO, NULL);
}

static k42_result ask_name(struct p9_inode *directory, const struct node_name *name) {
    struct p9_call *call;
    uint32_t fid;
    struct question *question = k42_platform_alloc(sizeof *question + name->length);
    if (!question)
        return -ENOMEM;
    question->directory = directory;
    question->name = (struct node_name){question->text, name->length, name->hash};
    __builtin_memcpy(question->text, name->text, name->length);
    k42_result result = p9_fid_take(directory->fs->client, &fid);
    if (!result && !p9_hold(directory)) {
        p9_fid_give(directory->fs->client, fid);
        result = -K42_STALE;
    }
    if (result < 0) {
        k42_platform_free(question);
        return result;
    }
    result = p9_call_take(directory->fs->client, P9_TWALK, walked, question, &call);
    if (!result) {
        call->fid = fid;
        p9_put32(&call->message, directory->fid);
        p9_put32(&call->message, fid);
        p9_put16(&call->message, 1);
        p9_put_string(&call->message, name->text, name->length);
        result = p9_call_send(call);
    }
    if (result < 0) {
        p9_fid_give(directory->fs->client, fid);
        p9_drop(directory);
        k42_platform_free(question);
    }
    return result;
}

k42_result p9_get_name(struct p9_inode *directory, const struct node_name *name,
                       struct p9_inode **inode) {
    k42_result result = p9_name_find(directory, name, inode);
    if (result > 0)
        return *inode ? 0 : -ENOENT;
    if (result < 0)
        return result;
    result = ask_name(directory, name);
    if (result >= 0)
        return wait_on(k42_id_of(directory->self), P9_KEY_NAME + name->hash, WAIT_READ);
    /* It was not asked: whoever comes next is to. */
    struct wait_point point = wait_noted();
    p9_name_answer(directory, name, NULL, (int)(result == -K42_WAIT ? -EIO : result));
    p9_name_forget(directory, name);
    return result == -K42_WAIT ? wait_on(point.id, point.key, point.events) : result;
}

/* ---- opening ---- */

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
    answer(inode, &inode->open_known[writes], P9_KEY_OPEN, error);
    p9_drop(inode);
}

static void opened(struct p9_call *call, int error, struct p9_reader *reader) {
    (void)reader;
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
    k42_result result = begin(inode, P9_TWALK, cloned, &call);
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
    result = ask(call);
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
    k42_result result = look(inode, known, P9_KEY_OPEN);
    if (result)
        return result < 0 ? result : 0;
    result = ask_open(inode, writes);
    return result < 0 ? give_up(inode, known, P9_KEY_OPEN, result) : wait_for(inode, P9_KEY_OPEN);
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
    tell(inode, P9_KEY_TARGET);
    p9_drop(inode);
}

static k42_result ask_target(struct p9_inode *inode) {
    struct p9_call *call;
    k42_result result = begin(inode, P9_TREADLINK, target_came, &call);
    if (result < 0)
        return result;
    p9_put32(&call->message, inode->fid);
    return ask(call);
}

k42_result p9_get_target(struct p9_inode *inode, char *text, size_t size) {
    k42_result result = look(inode, &inode->target_known, P9_KEY_TARGET);
    if (result == 0) {
        result = ask_target(inode);
        return result < 0 ? give_up(inode, &inode->target_known, P9_KEY_TARGET, result)
                          : wait_for(inode, P9_KEY_TARGET);
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

/* ---- listings ---- */

static void chunk_came(struct p9_call *call, int error, struct p9_reader *reader) {
    struct p9_inode *inode = call->context;
    struct p9_chunk *chunk = &inode->chunks[call->word];
    uint32_t bytes = error ? 0 : p9_get32(reader);
    if (!error && (reader->bad || bytes > reader->size - reader->at))
        error = -EIO;
    k42_lock(&inode->lock);
    if (!error)
        __builtin_memcpy(chunk->data, reader->bytes + reader->at, bytes);
    chunk->bytes = error ? 0 : bytes;
    p9_came(&chunk->known, error);
    k42_unlock(&inode->lock);
    tell(inode, P9_KEY_LIST);
    p9_drop(inode);
}

static k42_result ask_chunk(struct p9_inode *inode, unsigned number, uint64_t cursor) {
    struct p9_call *call;
    k42_result result = begin(inode, P9_TREADDIR, chunk_came, &call);
    if (result < 0)
        return result;
    call->word = number;
    p9_put32(&call->message, inode->read_fid);
    p9_put64(&call->message, cursor);
    p9_put32(&call->message, P9_BUFFER_BYTES - P9_READ_HEADER);
    return ask(call);
}

/*
 * Under the lock: the chunk for a cursor; one whose answer nobody has looked at is not given up,
 * unless it is old. NULL: all are in use.
 */
static struct p9_chunk *find_chunk(struct p9_inode *inode, uint64_t cursor) {
    for (unsigned i = 0; i < P9_CHUNKS; i++) {
        struct p9_chunk *chunk = &inode->chunks[i];
        if (chunk->data && chunk->cursor == cursor)
            return chunk;
    }
    for (unsigned i = 0; i < P9_CHUNKS; i++) {
        struct p9_chunk *chunk = &inode->chunks[inode->next_chunk++ % P9_CHUNKS];
        bool wanted = chunk->known.fresh && chunk->known.until > k42_platform_now_ns();
        if (chunk->known.asked || wanted)
            continue;
        if (!chunk->data && !(chunk->data = k42_platform_alloc(P9_BUFFER_BYTES)))
            return NULL;
        chunk->cursor = cursor;
        chunk->known = (struct p9_known){0};
        return chunk;
    }
    return NULL;
}

/* A copy of the chunk, since it may be given up while it is looked at. */
static k42_result get_chunk(struct p9_inode *inode, uint64_t cursor, uint8_t *data) {
    k42_lock(&inode->lock);
    struct p9_chunk *chunk = find_chunk(inode, cursor);
    bool young = chunk && p9_is_young(&chunk->known), asked = chunk && chunk->known.asked;
    k42_result result =
        young ? chunk->known.error ? chunk->known.error : (k42_result)chunk->bytes : -K42_WAIT;
    if (young && result > 0)
        __builtin_memcpy(data, chunk->data, (size_t)result);
    if (chunk && !young && !asked)
        p9_asked(&chunk->known);
    k42_unlock(&inode->lock);
    if (young || (chunk && asked))
        return young ? result : wait_for(inode, P9_KEY_LIST);
    if (!chunk)
        return wait_on_until(k42_id_of(inode->self), P9_KEY_LIST, WAIT_READ,
                             k42_platform_now_ns() + P9_YOUNG_NS);
    result = ask_chunk(inode, (unsigned)(chunk - inode->chunks), cursor);
    return result < 0 ? give_up(inode, &chunk->known, P9_KEY_LIST, result)
                      : wait_for(inode, P9_KEY_LIST);
}

static void list_chunk(const uint8_t *data, size_t bytes, struct node_listing *listing) {
    struct p9_reader reader = {.bytes = data, .size = bytes};
    struct p9_entry entry;
    while (p9_get_entry(&reader, &entry)) {
        struct node_name name = {entry.name.text, entry.name.length,
                                 node_hash(entry.name.text, entry.name.length)};
        if (!listing->entry(listing, &name, entry.qid.path, entry.type, entry.next))
            return;
    }
}

k42_result p9_get_list(struct p9_inode *inode, uint64_t cursor, struct node_listing *listing) {
    k42_result result = p9_get_open(inode, false);
    if (result < 0)
        return result;
    uint8_t *data = k42_platform_alloc(P9_BUFFER_BYTES);
    if (!data)
        return -ENOMEM;
    result = get_chunk(inode, cursor, data);
    if (result > 0)
        list_chunk(data, (size_t)result, listing);
    k42_platform_free(data);
    return result < 0 ? result : 0;
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
    tell(inode, P9_KEY_COUNTS);
    p9_drop(inode);
}

/* Always those of the root, whose lock guards them. */
k42_result p9_get_counts_of(struct p9_inode *any, struct p9_counts *counts) {
    struct p9_inode *inode = any->fs->root;
    struct p9_known *known = &inode->fs->counts_known;
    struct p9_call *call;
    k42_result result = look(inode, known, P9_KEY_COUNTS);
    if (result == 0) {
        result = begin(inode, P9_TSTATFS, counts_came, &call);
        if (!result) {
            p9_put32(&call->message, inode->fid);
            result = ask(call);
        }
        return result < 0 ? give_up(inode, known, P9_KEY_COUNTS, result)
                          : wait_for(inode, P9_KEY_COUNTS);
    }
    if (result < 0)
        return result;
    k42_lock(&inode->lock);
    *counts = inode->fs->counts;
    k42_unlock(&inode->lock);
    return 0;
}
