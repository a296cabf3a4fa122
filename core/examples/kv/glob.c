/*
 * Matching patterns. See glob.h.
 *
 * Only the last '*' seen needs to be tried again, at one place further on: whatever an earlier one
 * could take more, the last one can take instead. So the time is at most pattern times text, also
 * for patterns made to be slow.
 */
#include "glob.h"

#include <ctype.h>

static unsigned char fold(char byte, enum kv_case letters) {
    unsigned char value = (unsigned char)byte;
    return letters == KV_ANY_CASE ? (unsigned char)tolower(value) : value;
}

/* Whether a byte is in the set behind '[' at pattern[at]; moves *at behind the set. */
static int set_has(struct kv_slice pattern, size_t *at, unsigned char byte, enum kv_case letters) {
    size_t n = *at;
    int inverted = n < pattern.length && pattern.bytes[n] == '^', found = 0;
    n += (size_t)inverted;
    while (n < pattern.length && pattern.bytes[n] != ']') {
        if (pattern.bytes[n] == '\\' && n + 1 < pattern.length)
            n++;
        unsigned char first = fold(pattern.bytes[n], letters), last = first;
        if (n + 2 < pattern.length && pattern.bytes[n + 1] == '-') {
            last = fold(pattern.bytes[n + 2], letters);
            n += 2;
        }
        found |= first <= last ? byte >= first && byte <= last : byte >= last && byte <= first;
        n++;
    }
    *at = n < pattern.length ? n + 1 : n;
    return found != inverted;
}

/* Whether one byte fits what stands at pattern[*at], which is no '*'; moves *at behind it. */
static int one_fits(struct kv_slice pattern, size_t *at, char byte, enum kv_case letters) {
    char wanted = pattern.bytes[(*at)++];
    if (wanted == '?')
        return 1;
    if (wanted == '[')
        return set_has(pattern, at, fold(byte, letters), letters);
    if (wanted == '\\' && *at < pattern.length)
        wanted = pattern.bytes[(*at)++];
    return fold(wanted, letters) == fold(byte, letters);
}

int kv_glob_matches(struct kv_slice pattern, struct kv_slice text, enum kv_case letters) {
    size_t at = 0, in = 0, star = SIZE_MAX, star_in = 0;
    while (in < text.length) {
        if (at < pattern.length && pattern.bytes[at] == '*') {
            star = ++at;
            star_in = in;
        } else if (at < pattern.length && one_fits(pattern, &at, text.bytes[in], letters)) {
            in++;
        } else if (star != SIZE_MAX) {
            at = star;
            in = ++star_in;
        } else {
            return 0;
        }
    }
    while (at < pattern.length && pattern.bytes[at] == '*')
        at++;
    return at == pattern.length;
}
