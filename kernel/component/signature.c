/*
 * The signature at the end of a component's file: see signature.h.
 */
#include "signature.h"

#include "ed25519.h"
#include "runtime.h"

#include <errno.h>

#define MAGIC      "K42SIGN1"
#define MAGIC_SIZE 8u
#define KEY_SHOWN  8u

int signature_there(const uint8_t *bytes, size_t size) {
    return size >= SIGNATURE_TRAILER &&
           !__builtin_memcmp(bytes + size - MAGIC_SIZE, MAGIC, MAGIC_SIZE);
}

long signature_check(const uint8_t *bytes, size_t size, const uint8_t key[32], char *why,
                     size_t why_size) {
    if (!signature_there(bytes, size)) {
        k42_copy_text(
            why, why_size,
            "it is not signed, or cut short; './k42 build' signs, and the kernel's option "
            "k42.unsigned lets in what is not");
        return -ENOKEY;
    }
    const uint8_t *trailer = bytes + size - SIGNATURE_TRAILER;
    if (__builtin_memcmp(trailer + ED25519_SIGNATURE, key, KEY_SHOWN)) {
        k42_copy_text(why, why_size,
                      "it is signed with another key than this kernel was built for");
        return -ENOKEY;
    }
    if (!ed25519_verify(trailer, key, bytes, size - SIGNATURE_TRAILER)) {
        k42_copy_text(why, why_size, "its signature is wrong: it was changed after it was signed");
        return -EKEYREJECTED;
    }
    return (long)(size - SIGNATURE_TRAILER);
}
