/*
 * The wire format of 9P2000.L: messages to and from bytes. Pure functions; compiled for the host
 * too, where they are tested and fuzzed.
 *
 * A message is its length (4 bytes), type (1), tag (2) and its fields, all little-endian; a string
 * is a length of 2 bytes and its bytes. Writing beyond the buffer or reading beyond the message
 * does nothing but note that it happened, so a message is made or taken apart without a test on
 * each field, and asked at the end whether it was whole.
 */
#ifndef KERNEL_9P_WIRE_H
#define KERNEL_9P_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum p9_type {
    P9_RLERROR = 7,
    P9_TSTATFS = 8,
    P9_TLOPEN = 12,
    P9_TLCREATE = 14,
    P9_TSYMLINK = 16,
    P9_TMKNOD = 18,
    P9_TREADLINK = 22,
    P9_TGETATTR = 24,
    P9_TSETATTR = 26,
    P9_TREADDIR = 40,
    P9_TFSYNC = 50,
    P9_TLINK = 70,
    P9_TMKDIR = 72,
    P9_TRENAMEAT = 74,
    P9_TUNLINKAT = 76,
    P9_TVERSION = 100,
    P9_TATTACH = 104,
    P9_TFLUSH = 108,
    P9_TWALK = 110,
    P9_TREAD = 116,
    P9_TWRITE = 118,
    P9_TCLUNK = 120,
}; /* the answer to each is one more */

#define P9_NO_TAG      0xffffu
#define P9_NO_FID      0xffffffffu
#define P9_NO_ID       0xffffffffu
#define P9_HEADER      7u
#define P9_VERSION     "9P2000.L"
#define P9_WALK_MAX    16u
#define P9_READ_HEADER 11u /* of an answer with data, before the data */
#define P9_WRITE_BYTES 23u /* of a TWRITE, before the data */

/* ---- writing ---- */

struct p9_writer {
    uint8_t *bytes;
    size_t size, at;
    bool overflowed;
};

/* Begins a message. */
void p9_begin(struct p9_writer *writer, void *bytes, size_t size, enum p9_type type, uint16_t tag);
void p9_put8(struct p9_writer *writer, uint8_t value);
void p9_put16(struct p9_writer *writer, uint16_t value);
void p9_put32(struct p9_writer *writer, uint32_t value);
void p9_put64(struct p9_writer *writer, uint64_t value);
/* A string; one longer than 65,535 bytes does not fit. */
void p9_put_string(struct p9_writer *writer, const char *text, size_t length);
/*
 * Ends it; `follow` more bytes come from elsewhere. Returns its bytes without those, or 0: it did
 * not fit.
 */
size_t p9_end(struct p9_writer *writer, uint32_t follow);

/* ---- reading ---- */

struct p9_reader {
    const uint8_t *bytes;
    size_t size, at;
    bool bad;
};

struct p9_string {
    const char *text; /* within the message, not terminated */
    uint16_t length;
};

/* What a server knows a file by. */
struct p9_qid {
    uint8_t type; /* P9_QID_* */
    uint32_t version;
    uint64_t path;
};
enum { P9_QID_DIRECTORY = 0x80, P9_QID_LINK = 0x02 };

uint8_t p9_get8(struct p9_reader *reader);
uint16_t p9_get16(struct p9_reader *reader);
uint32_t p9_get32(struct p9_reader *reader);
uint64_t p9_get64(struct p9_reader *reader);
struct p9_string p9_get_string(struct p9_reader *reader);
struct p9_qid p9_get_qid(struct p9_reader *reader);

/*
 * Opens an answer of which `size` bytes arrived. Returns 0, or a negative errno: what the server
 * said (RLERROR), or -EIO: it is no whole answer to a request of this type and tag. `follow` is how
 * many of its bytes went elsewhere, behind those here.
 */
int p9_open_answer(struct p9_reader *reader, const void *bytes, size_t size, uint32_t follow,
                   enum p9_type asked, uint16_t tag);

/* ---- whole structures ---- */

struct p9_attributes {
    uint64_t valid;
    struct p9_qid qid;
    uint32_t mode, uid, gid;
    uint64_t links, device, size, block_size, blocks;
    struct p9_time {
        uint64_t seconds, nanoseconds;
    } accessed, modified, changed, born;
    uint64_t asked_ns; /* by our clock, set by who asked */
};
#define P9_GETATTR_BASIC 0x7fful
#define P9_GETATTR_ALL   0x3ffful

/* What TSETATTR sets; the values of its `valid`. */
enum {
    P9_SET_MODE = 1,
    P9_SET_UID = 2,
    P9_SET_GID = 4,
    P9_SET_SIZE = 8,
    P9_SET_ACCESSED = 16,
    P9_SET_MODIFIED = 32,
    P9_SET_CHANGED = 64,
    P9_SET_ACCESSED_TO = 128, /* to the time given, not to now */
    P9_SET_MODIFIED_TO = 256,
};

/* An RGETATTR's fields. False: not whole. */
bool p9_get_attributes(struct p9_reader *reader, struct p9_attributes *attributes);

struct p9_entry {
    struct p9_qid qid;
    uint64_t next; /* where to go on behind it */
    uint8_t type;  /* DT_* */
    struct p9_string name;
};
/* The next entry of an RREADDIR's data. False: no more, or (bad) damaged. */
bool p9_get_entry(struct p9_reader *reader, struct p9_entry *entry);

struct p9_counts {
    uint32_t type, block_size;
    uint64_t blocks, blocks_free, blocks_available, files, files_free, id;
    uint32_t name_max;
};
bool p9_get_counts(struct p9_reader *reader, struct p9_counts *counts);

#endif
