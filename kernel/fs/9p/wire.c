/*
 * 9P2000.L: messages to and from bytes. No state.
 *
 * A server's numbers are not trusted: errors outside Linux's range, strings and lengths that leave
 * the message, answers to something else are all -EIO.
 */
#include "wire.h"

#include <errno.h>

#define ERRNO_MAX 4095u

/* ---- writing ---- */

static void put(struct p9_writer *writer, uint64_t value, unsigned bytes) {
    if (bytes > writer->size - writer->at) {
        writer->overflowed = true;
        return;
    }
    for (unsigned i = 0; i < bytes; i++)
        writer->bytes[writer->at++] = (uint8_t)(value >> (8 * i));
}

void p9_begin(struct p9_writer *writer, void *bytes, size_t size, enum p9_type type, uint16_t tag) {
    *writer = (struct p9_writer){.bytes = bytes, .size = size};
    p9_put32(writer, 0);
    p9_put8(writer, (uint8_t)type);
    p9_put16(writer, tag);
}

void p9_put8(struct p9_writer *writer, uint8_t value) {
    put(writer, value, 1);
}

void p9_put16(struct p9_writer *writer, uint16_t value) {
    put(writer, value, 2);
}

void p9_put32(struct p9_writer *writer, uint32_t value) {
    put(writer, value, 4);
}

void p9_put64(struct p9_writer *writer, uint64_t value) {
    put(writer, value, 8);
}

void p9_put_string(struct p9_writer *writer, const char *text, size_t length) {
    if (length > UINT16_MAX || length + 2 > writer->size - writer->at) {
        writer->overflowed = true;
        return;
    }
    put(writer, length, 2);
    for (size_t i = 0; i < length; i++)
        writer->bytes[writer->at++] = (uint8_t)text[i];
}

size_t p9_end(struct p9_writer *writer, uint32_t follow) {
    size_t length = writer->at;
    if (writer->overflowed || length < P9_HEADER || follow > UINT32_MAX - length)
        return 0;
    writer->at = 0;
    put(writer, length + follow, 4);
    writer->at = length;
    return length;
}

/* ---- reading ---- */

static uint64_t get(struct p9_reader *reader, unsigned bytes) {
    uint64_t value = 0;
    if (reader->bad || bytes > reader->size - reader->at) {
        reader->bad = true;
        return 0;
    }
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)reader->bytes[reader->at++] << (8 * i);
    return value;
}

uint8_t p9_get8(struct p9_reader *reader) {
    return (uint8_t)get(reader, 1);
}

uint16_t p9_get16(struct p9_reader *reader) {
    return (uint16_t)get(reader, 2);
}

uint32_t p9_get32(struct p9_reader *reader) {
    return (uint32_t)get(reader, 4);
}

uint64_t p9_get64(struct p9_reader *reader) {
    return get(reader, 8);
}

struct p9_string p9_get_string(struct p9_reader *reader) {
    uint16_t length = p9_get16(reader);
    if (reader->bad || length > reader->size - reader->at) {
        reader->bad = true;
        return (struct p9_string){"", 0};
    }
    const char *text = (const char *)reader->bytes + reader->at;
    reader->at += length;
    return (struct p9_string){text, length};
}

struct p9_qid p9_get_qid(struct p9_reader *reader) {
    struct p9_qid qid;
    qid.type = p9_get8(reader);
    qid.version = p9_get32(reader);
    qid.path = p9_get64(reader);
    return qid;
}

int p9_open_answer(struct p9_reader *reader, const void *bytes, size_t size, uint32_t follow,
                   enum p9_type asked, uint16_t tag) {
    *reader = (struct p9_reader){.bytes = bytes, .size = size};
    uint32_t length = p9_get32(reader);
    uint8_t type = p9_get8(reader);
    uint16_t answered = p9_get16(reader);
    if (reader->bad || length < P9_HEADER || answered != tag)
        return -EIO;
    if (type == P9_RLERROR) {
        uint32_t error = p9_get32(reader);
        return reader->bad || error == 0 || error > ERRNO_MAX ? -EIO : -(int)error;
    }
    if (type != asked + 1 || length > (uint64_t)size + follow)
        return -EIO;
    if (length < size)
        reader->size = length;
    return 0;
}

/* ---- whole structures ---- */

static struct p9_time get_time(struct p9_reader *reader) {
    struct p9_time time;
    time.seconds = p9_get64(reader);
    time.nanoseconds = p9_get64(reader);
    return time;
}

bool p9_get_attributes(struct p9_reader *reader, struct p9_attributes *attributes) {
    attributes->valid = p9_get64(reader);
    attributes->qid = p9_get_qid(reader);
    attributes->mode = p9_get32(reader);
    attributes->uid = p9_get32(reader);
    attributes->gid = p9_get32(reader);
    attributes->links = p9_get64(reader);
    attributes->device = p9_get64(reader);
    attributes->size = p9_get64(reader);
    attributes->block_size = p9_get64(reader);
    attributes->blocks = p9_get64(reader);
    attributes->accessed = get_time(reader);
    attributes->modified = get_time(reader);
    attributes->changed = get_time(reader);
    attributes->born = get_time(reader);
    return !reader->bad;
}

bool p9_get_entry(struct p9_reader *reader, struct p9_entry *entry) {
    if (reader->bad || reader->at == reader->size)
        return false;
    entry->qid = p9_get_qid(reader);
    entry->next = p9_get64(reader);
    entry->type = p9_get8(reader);
    entry->name = p9_get_string(reader);
    return !reader->bad;
}

bool p9_get_counts(struct p9_reader *reader, struct p9_counts *counts) {
    counts->type = p9_get32(reader);
    counts->block_size = p9_get32(reader);
    counts->blocks = p9_get64(reader);
    counts->blocks_free = p9_get64(reader);
    counts->blocks_available = p9_get64(reader);
    counts->files = p9_get64(reader);
    counts->files_free = p9_get64(reader);
    counts->id = p9_get64(reader);
    counts->name_max = p9_get32(reader);
    return !reader->bad;
}
