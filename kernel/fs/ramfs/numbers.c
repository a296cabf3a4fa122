/*
 * Inodes by number, found without a lock: how a method that is given another node's ref comes from
 * the number that node says it has to the file system's own record.
 *
 * Numbers are given in order and never again. They lie in chunks; a chunk all of whose numbers
 * were given and taken back is freed, so what is left of old numbers is a pointer for each 512.
 * The array of chunks is replaced when it grows, under the lock. Arrays and chunks that went are
 * freed after a grace period.
 */
#include "ramfs.h"

#include "platform.h"

#include <errno.h>
#include <string.h>

enum { CHUNK = 512, FIRST_CHUNKS = 8 };

struct number_chunk {
    struct k42_defer defer;
    uint32_t left; /* numbers not yet given, and given and not taken back; atomic */
    struct inode *inode[CHUNK];
};

struct number_chunks {
    struct k42_defer defer;
    uint64_t capacity;
    struct number_chunk *chunk[];
};

static void free_chunks(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct number_chunks, defer));
}

static void free_chunk(struct k42_defer *defer) {
    k42_platform_free(k42_container(defer, struct number_chunk, defer));
}

static k42_result grow(struct numbers *numbers, uint64_t index) {
    struct number_chunks *old = numbers->chunks;
    uint64_t capacity = old ? old->capacity : FIRST_CHUNKS;
    while (capacity <= index)
        capacity *= 2;
    struct number_chunks *chunks =
        k42_platform_alloc(sizeof(*chunks) + capacity * sizeof(struct number_chunk *));
    if (!chunks)
        return -ENOMEM;
    chunks->capacity = capacity;
    if (old)
        memcpy(chunks->chunk, old->chunk, old->capacity * sizeof(struct number_chunk *));
    __atomic_store_n(&numbers->chunks, chunks, __ATOMIC_RELEASE);
    if (old)
        k42_defer(&old->defer, free_chunks);
    return 0;
}

/* The chunk of a number that was just given; nobody can have taken it away. */
static struct number_chunk *chunk_for(struct numbers *numbers, uint64_t index) {
    struct number_chunks *chunks = __atomic_load_n(&numbers->chunks, __ATOMIC_ACQUIRE);
    if (chunks && index < chunks->capacity) {
        struct number_chunk *chunk = __atomic_load_n(&chunks->chunk[index], __ATOMIC_ACQUIRE);
        if (chunk)
            return chunk;
    }
    struct number_chunk *chunk = NULL;
    k42_lock(&numbers->lock);
    chunks = numbers->chunks;
    if ((!chunks || index >= chunks->capacity) && grow(numbers, index) < 0)
        goto out;
    chunk = numbers->chunks->chunk[index];
    if (chunk)
        goto out;
    chunk = k42_platform_alloc(sizeof(*chunk));
    if (!chunk)
        goto out;
    chunk->left = index ? CHUNK : CHUNK - 1; /* there is no number 0 */
    __atomic_store_n(&numbers->chunks->chunk[index], chunk, __ATOMIC_RELEASE);
out:
    k42_unlock(&numbers->lock);
    return chunk;
}

k42_result numbers_add(struct numbers *numbers, struct inode *inode) {
    uint64_t number = __atomic_add_fetch(&numbers->next, 1, __ATOMIC_RELAXED);
    struct number_chunk *chunk = chunk_for(numbers, number / CHUNK);
    if (!chunk)
        return -ENOMEM;
    inode->number = number;
    __atomic_store_n(&chunk->inode[number % CHUNK], inode, __ATOMIC_RELEASE);
    return 0;
}

void numbers_remove(struct numbers *numbers, uint64_t number) {
    uint64_t index = number / CHUNK;
    struct number_chunks *chunks = __atomic_load_n(&numbers->chunks, __ATOMIC_ACQUIRE);
    struct number_chunk *chunk = chunks->chunk[index];
    __atomic_store_n(&chunk->inode[number % CHUNK], NULL, __ATOMIC_RELAXED);
    if (__atomic_sub_fetch(&chunk->left, 1, __ATOMIC_ACQ_REL))
        return;
    k42_lock(&numbers->lock);
    __atomic_store_n(&numbers->chunks->chunk[index], NULL, __ATOMIC_RELAXED);
    k42_unlock(&numbers->lock);
    k42_defer(&chunk->defer, free_chunk);
}

struct inode *numbers_find(struct numbers *numbers, uint64_t number) {
    struct number_chunks *chunks = __atomic_load_n(&numbers->chunks, __ATOMIC_ACQUIRE);
    if (!chunks || number / CHUNK >= chunks->capacity)
        return NULL;
    struct number_chunk *chunk = __atomic_load_n(&chunks->chunk[number / CHUNK], __ATOMIC_ACQUIRE);
    return chunk ? __atomic_load_n(&chunk->inode[number % CHUNK], __ATOMIC_ACQUIRE) : NULL;
}

void numbers_end(struct numbers *numbers) {
    for (uint64_t n = 0; numbers->chunks && n < numbers->chunks->capacity; n++)
        k42_platform_free(numbers->chunks->chunk[n]);
    k42_platform_free(numbers->chunks);
}
