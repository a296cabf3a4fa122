/*
 * Signatures by Ed25519, as RFC 8032 defines it: only whether one is right, so nothing here is
 * secret, and nothing has to take the same time whatever its input. Pure: no memory but the
 * stack's.
 */
#ifndef KERNEL_COMPONENT_ED25519_H
#define KERNEL_COMPONENT_ED25519_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ED25519_KEY       32u
#define ED25519_SIGNATURE 64u

/* Whether `signature` is that of the bytes by the owner of the public key. */
bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE], const uint8_t key[ED25519_KEY],
                    const void *bytes, size_t size);

#endif
