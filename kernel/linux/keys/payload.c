/*
 * What programs give keys and texts that say which are meant, copied from their memory; and which
 * bytes a key takes. Bytes never change: a key gets others instead.
 */
#include "../../mem/heap/heap.h"
#include "../files/files.h"
#include "keys_inner.h"
#include "runtime.h"

k42_result key_read_type(char *type, uintptr_t from) {
    struct files_text text;
    k42_result result = files_text_get(&text, from, KEY_TYPE_MOST);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    result = !text.length ? -EINVAL : text.at[0] == '.' ? -EPERM : 0;
    k42_copy_text(type, KEY_TYPE_MOST, text.at);
    files_text_end(&text);
    return result;
}

k42_result key_read_text(char **copy, uintptr_t from) {
    struct files_text text;
    k42_result result = files_text_get(&text, from, KEY_TEXT_MOST);
    if (result < 0)
        return result == -ENAMETOOLONG ? -EINVAL : result;
    *copy = heap_allocate(text.length + 1);
    if (*copy)
        k42_copy_text(*copy, text.length + 1, text.at);
    files_text_end(&text);
    return *copy ? 0 : -ENOMEM;
}

k42_result key_read_bytes(struct key_bytes **bytes, uintptr_t from, size_t length) {
    *bytes = NULL;
    if (!length)
        return 0;
    struct key_bytes *read = heap_allocate(sizeof *read + length);
    if (!read)
        return -ENOMEM;
    read->length = (uint32_t)length;
    k42_result result = files_copy_in(read->at, from, length);
    if (result >= 0)
        *bytes = read;
    else
        heap_free(read);
    return result;
}

k42_result key_bytes_fit(const struct key_type *type, const struct key_bytes *bytes) {
    if (!type->has_bytes)
        return bytes ? -EINVAL : 0;
    return bytes && bytes->length <= KEY_BYTES_MOST ? 0 : -EINVAL;
}

k42_result key_exchange_bytes(struct key *key, struct key_bytes **bytes) {
    struct key_bytes *before = key->bytes;
    k42_result result = key_charge(key, *bytes ? (*bytes)->length : 0);
    if (result < 0)
        return result;
    key->bytes = *bytes;
    *bytes = before;
    return 0;
}
