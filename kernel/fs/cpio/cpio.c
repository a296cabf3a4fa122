/*
 * The reader of archives. See cpio.h.
 *
 * A header is 110 characters: a magic number and thirteen fields of eight hexadecimal digits; then
 * the name with its end, then the data, each filled up to a multiple of four.
 */
#include "cpio.h"

enum {
    HEADER = 110,
    MAGIC = 6,
    FIELD = 8,
    MOST_NAME = 4096,
    NUMBER = 0,
    MODE,
    UID,
    GID,
    LINKS,
    MODIFIED,
    SIZE,
    MAJOR,
    MINOR,
    SPECIAL_MAJOR,
    SPECIAL_MINOR,
    NAME_SIZE,
    SUM,
    FIELDS,
};

struct cpio cpio_begin(const void *bytes, size_t size) {
    return (struct cpio){.bytes = bytes, .size = size};
}

static bool is_wrong(struct cpio *cpio, const char *why) {
    cpio->wrong = why;
    cpio->wrong_at = cpio->at;
    return false;
}

static bool same(const char *a, const char *b, size_t length) {
    while (length && *a == *b)
        a++, b++, length--;
    return !length;
}

static int digit(char character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static bool read_fields(const char *header, uint32_t *field) {
    for (int n = 0; n < FIELDS; n++) {
        field[n] = 0;
        for (int at = 0; at < FIELD; at++) {
            int value = digit(header[MAGIC + n * FIELD + at]);
            if (value < 0)
                return false;
            field[n] = field[n] << 4 | (uint32_t)value;
        }
    }
    return true;
}

static size_t round_up(size_t at) {
    return (at + 3) & ~(size_t)3;
}

/* Reads what stands at cpio->at and moves on behind it. */
static bool read_entry(struct cpio *cpio, struct cpio_entry *entry) {
    uint32_t field[FIELDS];
    const char *header = cpio->bytes + cpio->at;
    if (cpio->size - cpio->at < HEADER)
        return is_wrong(cpio, "the archive ends within a header");
    if (!same(header, "070701", MAGIC) && !same(header, "070702", MAGIC))
        return is_wrong(cpio, "no header of a newc archive");
    if (!read_fields(header, field))
        return is_wrong(cpio, "a field is not a hexadecimal number");
    size_t name_at = cpio->at + HEADER, name_size = field[NAME_SIZE];
    if (!name_size || name_size > MOST_NAME)
        return is_wrong(cpio, "a name has no end or is too long");
    if (name_size > cpio->size - name_at || cpio->bytes[name_at + name_size - 1])
        return is_wrong(cpio, "a name has no end");
    for (size_t n = 0; n + 1 < name_size; n++)
        if (!cpio->bytes[name_at + n])
            return is_wrong(cpio, "a name has a zero in it");
    size_t data_at = round_up(name_at + name_size);
    if (data_at > cpio->size || field[SIZE] > cpio->size - data_at)
        return is_wrong(cpio, "the archive ends within a file");
    *entry = (struct cpio_entry){
        .name = cpio->bytes + name_at,
        .name_length = name_size - 1,
        .number = field[NUMBER],
        .mode = field[MODE],
        .uid = field[UID],
        .gid = field[GID],
        .links = field[LINKS],
        .modified = field[MODIFIED],
        .major = field[MAJOR],
        .minor = field[MINOR],
        .special_major = field[SPECIAL_MAJOR],
        .special_minor = field[SPECIAL_MINOR],
        .data = cpio->bytes + data_at,
        .size = field[SIZE],
    };
    cpio->at = round_up(data_at + field[SIZE]);
    if (cpio->at > cpio->size)
        cpio->at = cpio->size;
    return true;
}

/* Takes "./" and "/" off the front, as often as they stand there. */
static void strip(struct cpio_entry *entry) {
    while (entry->name_length) {
        size_t off = 0;
        if (entry->name[0] == '/')
            off = 1;
        else if (entry->name[0] == '.' && (entry->name_length == 1 || entry->name[1] == '/'))
            off = entry->name_length == 1 ? 1 : 2;
        if (!off)
            return;
        entry->name += off;
        entry->name_length -= off;
    }
}

static bool is_trailer(const struct cpio_entry *entry) {
    return entry->name_length == 10 && same(entry->name, "TRAILER!!!", 10);
}

bool cpio_next(struct cpio *cpio, struct cpio_entry *entry) {
    for (;;) {
        while (cpio->at < cpio->size && !cpio->bytes[cpio->at])
            cpio->at++;
        if (cpio->at == cpio->size || !read_entry(cpio, entry))
            return false;
        if (!is_trailer(entry))
            break;
        cpio->trailers++;
    }
    strip(entry);
    return true;
}
