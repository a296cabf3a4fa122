/*
 * What the compiler calls to move and compare memory, in words of eight bytes.
 *
 * String instructions for long moves on processors that say they are fast (ERMS); elsewhere, and in
 * emulators, they go one element at a time, and short moves, which most are, are faster without
 * them anyway. Unaligned words are loaded as such; the file is compiled so that these loops are not
 * recognised as calls of themselves.
 */
#include "arch.h"

#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

bool string_moves;

#define LONG 512u

typedef uint64_t word __attribute__((aligned(1), may_alias));
typedef uint32_t half __attribute__((aligned(1), may_alias));

static inline __attribute__((always_inline)) void copy_four(word *to, const word *from) {
    word a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
}

static inline __attribute__((always_inline)) void set_four(word *to, word pattern) {
    to[0] = pattern;
    to[1] = pattern;
    to[2] = pattern;
    to[3] = pattern;
}

/* Whole pages are what is copied most; 128 bytes a turn is little more than the moves. */
static void copy_up(char *to, const char *from, size_t bytes) {
    if (bytes >= LONG && string_moves) {
        size_t words = bytes / 8;
        bytes %= 8;
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    }
    for (; bytes >= 128; bytes -= 128, to += 128, from += 128) {
        copy_four((word *)to, (const word *)from);
        copy_four((word *)(to + 32), (const word *)(from + 32));
        copy_four((word *)(to + 64), (const word *)(from + 64));
        copy_four((word *)(to + 96), (const word *)(from + 96));
    }
    for (; bytes >= 32; bytes -= 32, to += 32, from += 32)
        copy_four((word *)to, (const word *)from);
    for (; bytes >= 8; bytes -= 8, to += 8, from += 8)
        *(word *)to = *(const word *)from;
    while (bytes--)
        *to++ = *from++;
}

static void copy_down(char *to, const char *from, size_t bytes) {
    while (bytes >= 8) {
        bytes -= 8;
        *(word *)(to + bytes) = *(const word *)(from + bytes);
    }
    while (bytes--)
        to[bytes] = from[bytes];
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    copy_up(to, from, bytes);
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        copy_up(to, from, bytes);
    else
        copy_down(to, from, bytes);
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    char *at = to;
    uint64_t pattern = (uint8_t)value * 0x0101010101010101ul;
    if (bytes >= LONG && string_moves) {
        size_t words = bytes / 8;
        bytes %= 8;
        __asm__ volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(pattern) : "memory");
    }
    for (; bytes >= 128; bytes -= 128, at += 128) {
        set_four((word *)at, pattern);
        set_four((word *)(at + 32), pattern);
        set_four((word *)(at + 64), pattern);
        set_four((word *)(at + 96), pattern);
    }
    for (; bytes >= 32; bytes -= 32, at += 32)
        set_four((word *)at, pattern);
    for (; bytes >= 8; bytes -= 8, at += 8)
        *(word *)at = pattern;
    while (bytes--)
        *at++ = (char)value;
    return to;
}

static bool same_half(const unsigned char *left, const unsigned char *right) {
    return *(const half *)left == *(const half *)right;
}

/* Names, mostly: of 4 to 8 bytes the two halves that are compared overlap. Where a difference is,
 * is looked for byte by byte. */
int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *left = a, *right = b;
    for (; bytes > 8 && *(const word *)left == *(const word *)right; bytes -= 8)
        left += 8, right += 8;
    if (bytes >= 4 && bytes <= 8 && same_half(left, right) &&
        same_half(left + bytes - 4, right + bytes - 4))
        return 0;
    for (; bytes && *left == *right; bytes--)
        left++, right++;
    return bytes ? *left - *right : 0;
}
