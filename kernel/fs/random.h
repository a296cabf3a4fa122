/*
 * Random numbers: a service for getrandom(2), /dev/random and whoever else wants some.
 *
 * A generator of ChaCha20 whose key is replaced with each use, so that what it gave cannot be
 * found out later. Seeded when it is first used from the processor's generator, if there is one,
 * and from its clock. Any context but interrupts'; never fails.
 */
#ifndef KERNEL_FS_RANDOM_H
#define KERNEL_FS_RANDOM_H

#include <k42/base.h>

struct copy;

void random_bytes(void *bytes, size_t size);
/* Fills a cursor. Returns how many bytes, or the copy's error. */
k42_result random_copy(struct copy *copy);
/* Makes what comes depend on these bytes too. */
void random_stir(const void *bytes, size_t size);

/* The block function of RFC 8439, for tests: 16 words in, 16 out. */
void random_block(const uint32_t in[16], uint32_t out[16]);

#endif
