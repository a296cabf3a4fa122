/*
 * The Common Trace Format 1.8, as far as we write it: packets, and metadata in TSDL.
 *
 * A trace is one stream for each CPU, in packets; metadata describes their layout and each event.
 * In a directory it is the file "metadata" and the files "stream_N". On a descriptor, data packets
 * and metadata packets follow one another; a receiver tells them apart by their magic number, finds
 * each one's length in it, and the stream by stream_instance_id.
 */
#ifndef K42_CORE_TRACE_CTF_H
#define K42_CORE_TRACE_CTF_H

#include <stdint.h>

#include "../trace.h"

#define K42_CTF_MAGIC          0xc1fc1fc1u
#define K42_CTF_METADATA_MAGIC 0x75d11d57u

/* Packet header and packet context; events follow. Agrees with the text in metadata.c. */
struct k42_ctf_packet {
    uint32_t magic;
    uint8_t uuid[16];
    uint32_t stream_id;
    uint64_t stream_instance_id;
    uint64_t timestamp_begin, timestamp_end;
    uint64_t content_bits, packet_bits;
    uint64_t events_discarded, packet_seq_num;
    uint32_t cpu_id, attached;
};
_Static_assert(sizeof(struct k42_ctf_packet) == 88, "described in metadata.c, ends on 8 bytes");

/* The header of a packet of metadata, on a descriptor. */
struct k42_ctf_metadata_packet {
    uint32_t magic;
    uint8_t uuid[16];
    uint32_t checksum, content_bits, packet_bits;
    uint8_t compression, encryption, checksum_scheme, major, minor;
} __attribute__((packed));

/* What is particular to one trace. */
struct k42_ctf_trace {
    uint8_t uuid[16];
    uint64_t frequency;        /* of the clock, in Hz */
    uint64_t offset_s, offset; /* add to a stamp, in seconds and ticks: time since 1970 */
};

/* Chooses an identity and relates the clock to the time of day. Takes 20 ms the first time. */
void k42_ctf_begin(struct k42_ctf_trace *trace);

/* Text of the metadata: what comes first; and events `from` to `to`, without. NULL: no memory. */
char *k42_ctf_describe_trace(const struct k42_ctf_trace *trace);
char *k42_ctf_describe_events(uint32_t from, uint32_t to);

#endif
