/*
 * The made-up file: pseudo-random words, with the word that is searched for in every seventh page.
 * No state.
 */
#define _GNU_SOURCE
#include "file.h"

#include <string.h>

#define MATCH_EVERY 7

/* One step of a 64-bit mixing generator. */
static uint64_t mix(uint64_t value) {
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

void file_page(uint64_t number, char *bytes) {
    static const char letters[] = "etaoin shrdlucmfwypvbgk ";
    uint64_t seed = mix(number + 1);
    for (size_t i = 0; i < CACHE_PAGE_SIZE; i++) {
        bytes[i] = letters[(seed >> 33) % (sizeof(letters) - 1)];
        seed = seed * 6364136223846793005u + 1442695040888963407u;
    }
    /* The letter q is in the word alone, so no page contains it by chance. */
    if (number % MATCH_EVERY == 0)
        memcpy(bytes + seed % (CACHE_PAGE_SIZE - strlen(SEARCH_WORD)), SEARCH_WORD,
               strlen(SEARCH_WORD));
}

uint64_t file_matches(uint64_t pages) {
    return (pages + MATCH_EVERY - 1) / MATCH_EVERY;
}

int file_page_matches(const void *bytes) {
    return memmem(bytes, CACHE_PAGE_SIZE, SEARCH_WORD, strlen(SEARCH_WORD)) != NULL;
}

uint64_t file_checksum(uint64_t checksum, uint64_t number, const void *bytes) {
    checksum = mix(checksum ^ number);
    for (size_t i = 0; i < CACHE_PAGE_SIZE; i += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, (const char *)bytes + i, sizeof(word));
        checksum = mix(checksum ^ word);
    }
    return checksum;
}

uint64_t file_checksum_all(uint64_t pages) {
    uint64_t checksum = 0;
    char bytes[CACHE_PAGE_SIZE];
    for (uint64_t number = 0; number < pages; number++) {
        file_page(number, bytes);
        checksum = file_checksum(checksum, number, bytes);
    }
    return checksum;
}
