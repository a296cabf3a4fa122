/*
 * Whether a component may come in: the signature at the end of its file.
 *
 *     the component | 64 bytes: signature by Ed25519 | 8 bytes: first of the key | "K42SIGN1"
 *
 * Signed is everything before the signature. Pure: tested on the host.
 */
#ifndef KERNEL_COMPONENT_SIGNATURE_H
#define KERNEL_COMPONENT_SIGNATURE_H

#include <stddef.h>
#include <stdint.h>

#define SIGNATURE_TRAILER 80u

/* The public half of the key that this kernel believes; made when it is built. */
extern const uint8_t component_key[32];

/*
 * How many bytes before the trailer there are, when they are signed with the key. Errors, with a
 * sentence in `why`: -ENOKEY: not signed, or with another key; -EKEYREJECTED: the signature is not
 * that of these bytes.
 */
long signature_check(const uint8_t *bytes, size_t size, const uint8_t key[32], char *why,
                     size_t why_size);

/* Whether there is a trailer at all. */
int signature_there(const uint8_t *bytes, size_t size);

#endif
