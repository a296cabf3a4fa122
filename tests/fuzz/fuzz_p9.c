/*
 * Fuzzes the kernel's reader of 9P answers: the bytes are what a server sent. The first says what
 * was asked; the rest is the answer, which is read as each of its kinds.
 *
 * Whatever is said to have been read must lie inside the answer, every list must come to an end,
 * and strings are summed up so that a sanitizer sees each byte.
 */
#include "fuzz.h"
#include "wire.h"

static unsigned sum_string(const struct p9_reader *reader, struct p9_string text) {
    unsigned sum = 0;
    if (!text.length)
        return 0;
    const uint8_t *begin = (const uint8_t *)text.text;
    expect(begin >= reader->bytes && begin + text.length <= reader->bytes + reader->size,
           "a string lies outside the answer");
    for (uint16_t i = 0; i < text.length; i++)
        sum += begin[i];
    return sum;
}

static void read_entries(struct p9_reader reader) {
    struct p9_entry entry;
    size_t count = 0;
    (void)p9_get32(&reader);
    while (p9_get_entry(&reader, &entry)) {
        (void)sum_string(&reader, entry.name);
        expect(++count <= reader.size, "a listing has more entries than bytes");
    }
}

static void read_as_each(const struct p9_reader *answer) {
    struct p9_attributes attributes;
    struct p9_counts counts;
    struct p9_reader reader = *answer;
    bool whole = p9_get_attributes(&reader, &attributes);
    expect(whole == !reader.bad && reader.at <= reader.size, "attributes end behind the answer");
    reader = *answer;
    whole = p9_get_counts(&reader, &counts);
    expect(whole == !reader.bad && reader.at <= reader.size, "counts end behind the answer");
    reader = *answer;
    (void)p9_get32(&reader);
    (void)sum_string(&reader, p9_get_string(&reader));
    reader = *answer;
    (void)p9_get_qid(&reader);
    expect(reader.at <= reader.size, "a qid ends behind the answer");
    read_entries(*answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct p9_reader reader;
    if (!size)
        return 0;
    /* Tag and, where it has one, length are made right: hardly any damage would get past them. */
    uint16_t tag = size > 7 ? (uint16_t)(data[6] | data[7] << 8) : 0;
    int error = p9_open_answer(&reader, data + 1, size - 1, data[0], data[0], tag);
    expect(error <= 0 && error >= -4095, "an error is no errno");
    if (!error) {
        expect(reader.size <= size - 1, "an answer is longer than what came");
        read_as_each(&reader);
    }
    return 0;
}
