/*
 * Signatures of components: the vectors of RFC 8032, what is refused, and that whatever openssl
 * signs is right and nothing else is.
 */
#include "ed25519.h"
#include "sha512.h"
#include "signature.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONGEST = 4096 };

static size_t from_hex(uint8_t *bytes, const char *text) {
    size_t size = 0;
    for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2)
        bytes[size++] = (uint8_t)value;
    return size;
}

/* ---- known answers ---- */

static const struct {
    const char *message, *digest;
} digests[] = {
    {"", "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
         "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"},
    {"abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqr"
     "lmnopqrsmnopqrstnopqrstu",
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
     "501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909"},
};

static void hashes_are_those_of_the_standard(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++) {
        uint8_t wanted[SHA512_SIZE], got[SHA512_SIZE];
        size_t length = strlen(digests[i].message);
        from_hex(wanted, digests[i].digest);
        /* In pieces of every size, since a block may be filled in several steps. */
        for (size_t piece = 1; piece <= length + 1; piece++) {
            struct sha512 hash;
            sha512_begin(&hash);
            for (size_t at = 0; at < length; at += piece)
                sha512_add(&hash, digests[i].message + at,
                           piece < length - at ? piece : length - at);
            sha512_end(&hash, got);
            assert_memory_equal(got, wanted, sizeof got);
        }
    }
}

static const struct {
    const char *key, *message, *signature;
} vectors[] = {
    {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

static void signatures_are_those_of_the_standard(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE], message[64];
        size_t size = from_hex(message, vectors[i].message);
        from_hex(key, vectors[i].key);
        from_hex(signature, vectors[i].signature);
        assert_true(ed25519_verify(signature, key, message, size));
        for (unsigned bit = 0; bit < 8 * ED25519_SIGNATURE; bit += 7) {
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(ed25519_verify(signature, key, message, size));
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        for (unsigned bit = 0; bit < 8 * ED25519_KEY; bit += 7) {
            key[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(ed25519_verify(signature, key, message, size));
            key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        message[size] = 0;
        assert_false(ed25519_verify(signature, key, message, size + 1));
    }
}

/* The same signature written with S + L is not the signature. */
static void numbers_are_below_the_order(void **state) {
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,       0xd6,
                                      0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE];
    (void)state;
    from_hex(key, vectors[0].key);
    from_hex(signature, vectors[0].signature);
    for (unsigned i = 0, over = 0; i < 32; i++) {
        over += signature[32 + i] + order[i];
        signature[32 + i] = (uint8_t)over;
        over >>= 8;
    }
    assert_false(ed25519_verify(signature, key, "", 0));
}

/* y of p is another way to write 0, and of no key. */
static void a_key_has_one_form(void **state) {
    uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE] = {0};
    (void)state;
    memset(key, 0xff, sizeof key);
    key[0] = 0xed;
    key[31] = 0x7f;
    assert_false(ed25519_verify(signature, key, "", 0));
}

/* ---- openssl ---- */

static void must_run(const char *command) {
    if (system(command))
        fail_msg("%s", command);
}

static size_t read_bytes(const char *name, uint8_t *bytes, size_t size) {
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, size, file);
    fclose(file);
    return size;
}

static void openssl_signs(unsigned round, uint8_t *key, uint8_t *signature, uint8_t *message,
                          size_t *size) {
    uint8_t encoded[256];
    FILE *file = fopen("message", "wb");
    assert_non_null(file);
    *size = round * 97 % LONGEST;
    for (size_t i = 0; i < *size; i++)
        message[i] = (uint8_t)random();
    assert_int_equal(fwrite(message, 1, *size, file), *size);
    fclose(file);
    must_run("openssl genpkey -algorithm ed25519 -out key.pem && "
             "openssl pkey -in key.pem -pubout -outform DER -out key.der && "
             "openssl pkeyutl -sign -rawin -inkey key.pem -in message -out signature");
    size_t length = read_bytes("key.der", encoded, sizeof encoded);
    assert_true(length > ED25519_KEY);
    memcpy(key, encoded + length - ED25519_KEY, ED25519_KEY);
    assert_int_equal(read_bytes("signature", signature, ED25519_SIGNATURE), ED25519_SIGNATURE);
}

static void what_openssl_signs_is_right_and_nothing_else(void **state) {
    uint8_t key[ED25519_KEY], signature[ED25519_SIGNATURE], message[LONGEST];
    char folder[] = "/tmp/k42-signature-XXXXXX", command[64];
    size_t size;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    for (unsigned round = 1; round <= 20; round++) {
        openssl_signs(round, key, signature, message, &size);
        assert_true(ed25519_verify(signature, key, message, size));
        message[(size_t)random() % size] ^= (uint8_t)(1 << random() % 8);
        assert_false(ed25519_verify(signature, key, message, size));
    }
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(chdir("/"), 0);
    must_run(command);
}

/* ---- the trailer ---- */

struct signed_file {
    uint8_t message[2], signature[ED25519_SIGNATURE], hint[8];
    char magic[8];
};

static struct signed_file signed_file(uint8_t key[ED25519_KEY]) {
    struct signed_file file;
    from_hex(key, vectors[2].key);
    from_hex(file.message, vectors[2].message);
    from_hex(file.signature, vectors[2].signature);
    memcpy(file.hint, key, sizeof file.hint);
    memcpy(file.magic, "K42SIGN1", sizeof file.magic);
    return file;
}

static long check(const struct signed_file *file, size_t size, const uint8_t *key) {
    char why[200];
    why[0] = 0;
    long result = signature_check((const uint8_t *)file, size, key, why, sizeof why);
    assert_int_equal(result < 0, why[0] != 0);
    return result;
}

static void a_trailer_says_whose_it_is(void **state) {
    uint8_t key[ED25519_KEY], other[ED25519_KEY];
    struct signed_file file = signed_file(key);
    (void)state;
    assert_int_equal(check(&file, sizeof file, key), 2);
    for (size_t size = 0; size < sizeof file; size++)
        assert_int_equal(check(&file, size, key), -ENOKEY);
    memcpy(other, key, sizeof other);
    other[0] ^= 1;
    assert_int_equal(check(&file, sizeof file, other), -ENOKEY);
    file.message[1] ^= 1;
    assert_int_equal(check(&file, sizeof file, key), -EKEYREJECTED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_standard),
        cmocka_unit_test(signatures_are_those_of_the_standard),
        cmocka_unit_test(numbers_are_below_the_order),
        cmocka_unit_test(a_key_has_one_form),
        cmocka_unit_test(what_openssl_signs_is_right_and_nothing_else),
        cmocka_unit_test(a_trailer_says_whose_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
