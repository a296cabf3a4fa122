/*
 * The generator of random numbers. See random.h.
 *
 * The key is guarded by a lock, held for one block: half of the block is the next key, the other
 * half is the caller's: what he wanted, if it is enough, or else his own key, from which he makes
 * as much as he wants without the lock. A block is 1,300 instructions.
 */
#include "random.h"

#include "../copy.h"

#include <k42/lock.h>
#include <string.h>

enum { WORDS = 16, KEY_WORDS = 8 };

static struct {
    struct k42_lock lock;
    bool seeded;
    uint32_t key[KEY_WORDS];
    uint64_t uses;
} generator;

static uint32_t rotate(uint32_t word, int bits) {
    return word << bits | word >> (32 - bits);
}

static inline __attribute__((always_inline)) void quarter(uint32_t *w, int a, int b, int c, int d) {
    w[a] += w[b], w[d] = rotate(w[d] ^ w[a], 16);
    w[c] += w[d], w[b] = rotate(w[b] ^ w[c], 12);
    w[a] += w[b], w[d] = rotate(w[d] ^ w[a], 8);
    w[c] += w[d], w[b] = rotate(w[b] ^ w[c], 7);
}

void random_block(const uint32_t in[16], uint32_t out[16]) {
    uint32_t w[WORDS];
    memcpy(w, in, sizeof w);
    for (int round = 0; round < 10; round++) {
        quarter(w, 0, 4, 8, 12);
        quarter(w, 1, 5, 9, 13);
        quarter(w, 2, 6, 10, 14);
        quarter(w, 3, 7, 11, 15);
        quarter(w, 0, 5, 10, 15);
        quarter(w, 1, 6, 11, 12);
        quarter(w, 2, 7, 8, 13);
        quarter(w, 3, 4, 9, 14);
    }
    for (int n = 0; n < WORDS; n++)
        out[n] = w[n] + in[n];
}

/* A block of the stream of a key. */
static void block_of(const uint32_t *key, uint64_t number, uint32_t *block) {
    uint32_t state[WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(state + 4, key, KEY_WORDS * sizeof *key);
    state[12] = (uint32_t)number;
    state[13] = (uint32_t)(number >> 32);
    random_block(state, block);
}

/* ---- seeding ---- */

static uint64_t clock_now(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static bool processor_has_generator(void) {
    uint32_t a = 1, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return c >> 30 & 1;
}

static uint64_t ask_processor(void) {
    uint64_t word = 0;
    __asm__ volatile("rdrand %0" : "+r"(word)::"cc");
    return word;
}

/* With the lock: the key becomes a function of itself and two words. */
static void mix(uint64_t a, uint64_t b) {
    uint32_t block[WORDS], state[WORDS] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    memcpy(state + 4, generator.key, sizeof generator.key);
    memcpy(state + 12, &a, sizeof a);
    memcpy(state + 14, &b, sizeof b);
    random_block(state, block);
    memcpy(generator.key, block, sizeof generator.key);
}

static void seed(void) {
    bool has_generator = processor_has_generator();
    for (int n = 0; n < 32; n++)
        mix(clock_now(), has_generator ? ask_processor() : (uint64_t)n);
    generator.seeded = true;
}

static void own_key(uint32_t *key) {
    uint32_t block[WORDS];
    k42_lock(&generator.lock);
    if (!generator.seeded)
        seed();
    block_of(generator.key, ++generator.uses, block);
    memcpy(generator.key, block, sizeof generator.key);
    k42_unlock(&generator.lock);
    memcpy(key, block + KEY_WORDS, KEY_WORDS * sizeof *key);
}

void random_stir(const void *bytes, size_t size) {
    k42_lock(&generator.lock);
    if (!generator.seeded)
        seed();
    for (size_t at = 0; at < size; at += 16) {
        uint64_t words[2] = {0};
        memcpy(words, (const char *)bytes + at, size - at < 16 ? size - at : 16);
        mix(words[0], words[1]);
    }
    k42_unlock(&generator.lock);
}

void random_bytes(void *bytes, size_t size) {
    struct copy copy = copy_of_kernel(bytes, size);
    (void)!random_copy(&copy);
}

k42_result random_copy(struct copy *copy) {
    uint32_t key[KEY_WORDS], block[WORDS];
    k42_result done = 0;
    own_key(key);
    if (copy->left <= sizeof key)
        return copy_out(copy, key, copy->left);
    for (uint64_t number = 1; copy->left; number++) {
        block_of(key, number, block);
        k42_result copied = copy_out(copy, block, sizeof block);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
    }
    return done;
}
