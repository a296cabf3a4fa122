/*
 * The file that is searched: made up, the same at every run, any number of pages long.
 *
 * Each page is text, and some contain SEARCH_WORD, so a search has an answer that can be checked.
 */
#ifndef SEARCH_FILE_H
#define SEARCH_FILE_H

#include <stdint.h>

#include "cache.h"

#define SEARCH_WORD "quiescence"

/* Writes page `number`, CACHE_PAGE_SIZE bytes. */
void file_page(uint64_t number, char *bytes);

/* How many of the first `pages` pages contain the word. */
uint64_t file_matches(uint64_t pages);

/* Whether these bytes of a page contain the word. */
int file_page_matches(const void *bytes);

/* Continues a checksum over one page and its number. Start with 0. */
uint64_t file_checksum(uint64_t checksum, uint64_t number, const void *bytes);

/* The checksum over the first `pages` pages, in order. */
uint64_t file_checksum_all(uint64_t pages);

#endif
