/*
 * Listings of directories, in chunks as the server gives them. A few are kept for each directory,
 * by the cursor they begin at, so that several who list it do not take each other's away.
 */
#include "asking.h"

#include "runtime.h"

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
    p9_tell(inode, P9_KEY_LIST);
    p9_drop(inode);
}

static k42_result ask_chunk(struct p9_inode *inode, unsigned number, uint64_t cursor) {
    struct p9_call *call;
    k42_result result = p9_ask_begin(inode, P9_TREADDIR, chunk_came, &call);
    if (result < 0)
        return result;
    call->word = number;
    p9_put32(&call->message, inode->read_fid);
    p9_put64(&call->message, cursor);
    p9_put32(&call->message, P9_BUFFER_BYTES - P9_READ_HEADER);
    return p9_ask(call);
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
        bool wanted = chunk->known.unseen && chunk->known.until > k42_platform_now_ns();
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
        return young ? result : p9_wait_for(inode, P9_KEY_LIST);
    if (!chunk)
        return wait_on_until(k42_id_of(inode->self), P9_KEY_LIST, WAIT_READ,
                             k42_platform_now_ns() + P9_YOUNG_NS);
    result = ask_chunk(inode, (unsigned)(chunk - inode->chunks), cursor);
    return result < 0 ? p9_give_up(inode, &chunk->known, P9_KEY_LIST, result)
                      : p9_wait_for(inode, P9_KEY_LIST);
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
