/*
 * SHA-512, as FIPS 180-4 defines it. Pure: the caller's memory, no failures.
 */
#ifndef KERNEL_COMPONENT_SHA512_H
#define KERNEL_COMPONENT_SHA512_H

#include <stddef.h>
#include <stdint.h>

#define SHA512_SIZE  64u
#define SHA512_BLOCK 128u

struct sha512 {
    uint64_t state[8];
    uint64_t length; /* bytes so far */
    uint8_t block[SHA512_BLOCK];
};

void sha512_begin(struct sha512 *hash);
void sha512_add(struct sha512 *hash, const void *bytes, size_t size);
void sha512_end(struct sha512 *hash, uint8_t digest[SHA512_SIZE]);

#endif
