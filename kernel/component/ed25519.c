/*
 * Ed25519: see ed25519.h.
 *
 * A signature is a point R and a number S below L. It is right when S times the base point B is
 * R + k A, where A is the key and k the hash of R, A and the message. Computed is S B - k A, whose
 * encoding must be that of R.
 *
 * Numbers modulo p = 2^255 - 19 are five limbs of 51 bits. Between operations a limb may have some
 * bits more: at most 54 go into a product, so that five products and the fold by 19 fit in 128
 * bits. Points are X, Y, Z, T with x = X / Z, y = Y / Z, x y = T / Z; one formula adds any two of
 * them, equal ones and the neutral one included, since the curve's d is not a square.
 */
#include "ed25519.h"

#include "sha512.h"

struct number {
    uint64_t limb[5];
};

struct point {
    struct number x, y, z, t;
};

__extension__ typedef unsigned __int128 wide;

#define LIMB ((1ul << 51) - 1)

static const struct number zero = {{0}}, one = {{1}};
/* The curve: -x^2 + y^2 = 1 + d x^2 y^2; and a square root of -1. */
static const struct number curve_d = {
    {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
static const struct number curve_2d = {
    {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
static const struct number root_of_minus_one = {
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};
static const struct point base = {
    .x = {{0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe, 0x216936d3cd6e5}},
    .y = {{0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333, 0x6666666666666}},
    .z = {{1}},
    .t = {{0x68ab3a5b7dda3, 0x00eea2a5eadbb, 0x2af8df483c27e, 0x332b375274732, 0x67875f0fd78b7}}};
/* The order of the base point, the lowest word first. */
static const uint64_t order[4] = {0x5812631a5cf5d3ed, 0x14def9dea2f79cd6, 0x0000000000000000,
                                  0x1000000000000000};

/* ---- numbers modulo p ---- */

static struct number carry(struct number a) {
    for (unsigned i = 0; i < 5; i++) {
        uint64_t over = a.limb[i] >> 51;
        a.limb[i] &= LIMB;
        a.limb[(i + 1) % 5] += i == 4 ? over * 19 : over;
    }
    return a;
}

static struct number add(struct number a, struct number b) {
    for (unsigned i = 0; i < 5; i++)
        a.limb[i] += b.limb[i];
    return carry(a);
}

/* 4 p is added first, so that no limb gets below zero. */
static struct number subtract(struct number a, struct number b) {
    for (unsigned i = 0; i < 5; i++)
        a.limb[i] += (LIMB - (i ? 0 : 18)) * 4 - b.limb[i];
    return carry(a);
}

static struct number multiply(struct number a, struct number b) {
    wide sum[5] = {0};
    for (unsigned i = 0; i < 5; i++)
        for (unsigned j = 0; j < 5; j++)
            sum[(i + j) % 5] += (wide)a.limb[i] * (i + j < 5 ? b.limb[j] : b.limb[j] * 19);
    struct number product;
    for (unsigned i = 0; i < 4; i++) {
        sum[i + 1] += sum[i] >> 51;
        product.limb[i] = (uint64_t)sum[i] & LIMB;
    }
    product.limb[4] = (uint64_t)sum[4] & LIMB;
    product.limb[0] += (uint64_t)(sum[4] >> 51) * 19;
    return carry(product);
}

/* a^(2^bits - below), below < 2^8: all exponents that are needed are of this form. */
static struct number power(struct number a, unsigned bits, unsigned below) {
    struct number result = one;
    unsigned lowest = (256 - below) & 255;
    for (unsigned bit = bits; bit-- > 0;) {
        result = multiply(result, result);
        if (bit >= 8 || lowest >> bit & 1)
            result = multiply(result, a);
    }
    return result;
}

/* Its only form below p, as bytes. */
static void encode_number(uint8_t bytes[32], struct number a) {
    a = carry(carry(a));
    /* Now below 2^255; one more p is in it when adding 19 makes it overflow. */
    uint64_t over = (a.limb[0] + 19) >> 51;
    for (unsigned i = 1; i < 5; i++)
        over = (a.limb[i] + over) >> 51;
    a.limb[0] += over * 19;
    for (unsigned i = 0; i < 4; i++) {
        a.limb[i + 1] += a.limb[i] >> 51;
        a.limb[i] &= LIMB;
    }
    a.limb[4] &= LIMB;
    for (unsigned bit = 0; bit < 256; bit += 8) {
        unsigned limb = bit / 51, shift = bit % 51;
        uint64_t part = bit < 255 ? a.limb[limb] >> shift : 0;
        if (shift > 43 && limb < 4)
            part |= a.limb[limb + 1] << (51 - shift);
        bytes[bit / 8] = (uint8_t)part;
    }
}

/* The low 255 bits. */
static struct number decode_number(const uint8_t bytes[32]) {
    struct number a = zero;
    for (unsigned bit = 0; bit < 255; bit++)
        a.limb[bit / 51] |= (uint64_t)(bytes[bit / 8] >> bit % 8 & 1) << bit % 51;
    return a;
}

static bool equal(struct number a, struct number b) {
    uint8_t left[32], right[32];
    encode_number(left, a);
    encode_number(right, b);
    return !__builtin_memcmp(left, right, sizeof left);
}

static bool is_odd(struct number a) {
    uint8_t bytes[32];
    encode_number(bytes, a);
    return bytes[0] & 1;
}

/* ---- points ---- */

static struct point add_points(const struct point *p, const struct point *q) {
    struct number a = multiply(subtract(p->y, p->x), subtract(q->y, q->x));
    struct number b = multiply(add(p->y, p->x), add(q->y, q->x));
    struct number c = multiply(multiply(p->t, curve_2d), q->t);
    struct number d = multiply(add(p->z, p->z), q->z);
    struct number e = subtract(b, a), f = subtract(d, c), g = add(d, c), h = add(b, a);
    return (struct point){multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h)};
}

/* y and the lowest bit of x. False: no point, or not the only way to write it. */
static bool decode_point(struct point *point, const uint8_t bytes[32]) {
    uint8_t again[32];
    struct number y = decode_number(bytes);
    encode_number(again, y);
    again[31] |= bytes[31] & 0x80;
    if (__builtin_memcmp(again, bytes, sizeof again))
        return false;
    struct number u = subtract(multiply(y, y), one);
    struct number v = add(multiply(curve_d, multiply(y, y)), one);
    struct number v3 = multiply(multiply(v, v), v), v7 = multiply(multiply(v3, v3), v);
    /* A root of u / v, if there is one, is this or root_of_minus_one times this. */
    struct number x = multiply(multiply(u, v3), power(multiply(u, v7), 252, 3));
    struct number found = multiply(v, multiply(x, x));
    if (!equal(found, u)) {
        x = multiply(x, root_of_minus_one);
        if (!equal(found, subtract(zero, u)))
            return false;
    }
    bool odd = bytes[31] >> 7;
    if (odd && equal(x, zero))
        return false;
    if (is_odd(x) != odd)
        x = subtract(zero, x);
    *point = (struct point){x, y, one, multiply(x, y)};
    return true;
}

static void encode_point(uint8_t bytes[32], const struct point *point) {
    struct number inverse = power(point->z, 255, 21);
    encode_number(bytes, multiply(point->y, inverse));
    bytes[31] |= (uint8_t)(is_odd(multiply(point->x, inverse)) << 7);
}

/* ---- numbers modulo the order ---- */

static bool below_order(const uint64_t a[4]) {
    for (unsigned i = 4; i-- > 0;)
        if (a[i] != order[i])
            return a[i] < order[i];
    return false;
}

/* Bit by bit from the highest: what is kept stays below the order, so twice it fits. */
static void reduce(uint64_t a[4], const uint8_t hash[SHA512_SIZE]) {
    __builtin_memset(a, 0, 4 * sizeof *a);
    for (unsigned bit = SHA512_SIZE * 8; bit-- > 0;) {
        for (unsigned i = 3; i > 0; i--)
            a[i] = a[i] << 1 | a[i - 1] >> 63;
        a[0] = a[0] << 1 | (hash[bit / 8] >> bit % 8 & 1);
        if (below_order(a))
            continue;
        uint64_t borrow = 0;
        for (unsigned i = 0; i < 4; i++) {
            wide left = (wide)a[i] - order[i] - borrow;
            a[i] = (uint64_t)left;
            borrow = (uint64_t)(left >> 64) & 1;
        }
    }
}

static void hash_all(uint64_t k[4], const uint8_t *signature, const uint8_t *key, const void *bytes,
                     size_t size) {
    struct sha512 hash;
    uint8_t digest[SHA512_SIZE];
    sha512_begin(&hash);
    sha512_add(&hash, signature, 32);
    sha512_add(&hash, key, ED25519_KEY);
    sha512_add(&hash, bytes, size);
    sha512_end(&hash, digest);
    reduce(k, digest);
}

/* s B + k A, both at once: a doubling for each bit, and one of B, A and B + A where bits are set.
 */
static struct point combine(const uint64_t s[4], const uint64_t k[4], const struct point *a) {
    struct point both = add_points(&base, a), sum = {zero, one, one, zero};
    const struct point *chosen[4] = {NULL, &base, a, &both};
    for (unsigned bit = 253; bit-- > 0;) {
        sum = add_points(&sum, &sum);
        unsigned which = (s[bit / 64] >> bit % 64 & 1) | (k[bit / 64] >> bit % 64 & 1) << 1;
        if (which)
            sum = add_points(&sum, chosen[which]);
    }
    return sum;
}

bool ed25519_verify(const uint8_t signature[ED25519_SIGNATURE], const uint8_t key[ED25519_KEY],
                    const void *bytes, size_t size) {
    uint64_t s[4], k[4];
    struct point a;
    uint8_t r[32];
    __builtin_memcpy(s, signature + 32, sizeof s);
    if (!below_order(s) || !decode_point(&a, key))
        return false;
    hash_all(k, signature, key, bytes, size);
    a.x = subtract(zero, a.x);
    a.t = subtract(zero, a.t);
    struct point sum = combine(s, k, &a);
    encode_point(r, &sum);
    return !__builtin_memcmp(r, signature, sizeof r);
}
