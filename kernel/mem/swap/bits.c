/*
 * Sets of slots, in two levels of bits. Setting is atomic, taking away the business of one thread.
 */
#include "area.h"

#include "../heap/heap.h"

bool bits_make(struct bits *bits, uint64_t count) {
    bits->words = heap_allocate_zeroed(bits_words(count) * 8);
    bits->summary = heap_allocate_zeroed(bits_words(bits_words(count)) * 8);
    return bits->words && bits->summary;
}

void bits_free(struct bits *bits) {
    heap_free(bits->words);
    heap_free(bits->summary);
}

/* The word first: whoever takes the summary's bit afterwards finds it. */
void bits_set(struct bits *bits, uint64_t at) {
    uint64_t word = at / WORD;
    if (!__atomic_fetch_or(&bits->words[word], 1ul << at % WORD, __ATOMIC_SEQ_CST))
        __atomic_fetch_or(&bits->summary[word / WORD], 1ul << word % WORD, __ATOMIC_SEQ_CST);
}

bool bits_has(const struct bits *bits, uint64_t at) {
    return bits->words[at / WORD] & 1ul << at % WORD;
}

void bits_clear(struct bits *bits, uint64_t at) {
    uint64_t word = at / WORD;
    bits->words[word] &= ~(1ul << at % WORD);
    if (!bits->words[word])
        bits->summary[word / WORD] &= ~(1ul << word % WORD);
}
