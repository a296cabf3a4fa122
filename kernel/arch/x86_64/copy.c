/*
 * What the compiler calls to move and compare memory, in words of eight bytes.
 *
 * No string instructions: where they are not fast (processors without ERMS, emulators) they go one
 * element at a time, and short moves, which most are, are faster without them anyway. Unaligned
 * words are loaded as such; the file is compiled so that these loops are not recognised as calls of
 * themselves.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);

typedef uint64_t word __attribute__((aligned(1), may_alias));

static void copy_up(char *to, const char *from, size_t bytes) {
    for (; bytes >= 32; bytes -= 32, to += 32, from += 32) {
        word a = ((const word *)from)[0], b = ((const word *)from)[1];
        word c = ((const word *)from)[2], d = ((const word *)from)[3];
        ((word *)to)[0] = a;
        ((word *)to)[1] = b;
        ((word *)to)[2] = c;
        ((word *)to)[3] = d;
    }
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
    for (; bytes >= 32; bytes -= 32, at += 32) {
        ((word *)at)[0] = pattern;
        ((word *)at)[1] = pattern;
        ((word *)at)[2] = pattern;
        ((word *)at)[3] = pattern;
    }
    for (; bytes >= 8; bytes -= 8, at += 8)
        *(word *)at = pattern;
    while (bytes--)
        *at++ = (char)value;
    return to;
}

int memcmp(const void *a, const void *b, size_t bytes) {
    const unsigned char *left = a, *right = b;
    for (; bytes && *left == *right; bytes--)
        left++, right++;
    return bytes ? *left - *right : 0;
}
