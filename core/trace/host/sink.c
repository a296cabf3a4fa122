/*
 * Writing a trace to a directory or a descriptor. See sink.h.
 *
 * A stream's file is opened for each packet, so that the number of CPUs does not matter for the
 * number of descriptors. A packet that does not fit (full disk) is taken back, so that what is in
 * the directory can be read at any time.
 *
 * A descriptor may block, for instance a socket whose peer reads slowly. It is only written when
 * poll() says that it takes something, and then as much as surely does not block.
 */
#define _GNU_SOURCE
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../platform.h"

#define POLL_MS           50
#define PATIENCE_NS       1000000000u
#define SURE_NOT_TO_BLOCK 4096 /* a pipe that polls writable takes this much */

static int write_file(int fd, const char *data, size_t bytes) {
    while (bytes) {
        ssize_t written = write(fd, data, bytes);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return written < 0 ? -errno : -EIO;
        data += written;
        bytes -= (size_t)written;
    }
    return 0;
}

/* Writes some; 0 when it would block, or a negative errno. */
static ssize_t write_some(struct k42_trace_sink *sink, const char *data, size_t bytes) {
    ssize_t written;
    if (sink->is_socket)
        written = send(sink->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    else
        written = write(sink->fd, data, bytes < SURE_NOT_TO_BLOCK ? bytes : SURE_NOT_TO_BLOCK);
    if (written < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    return written;
}

static int write_descriptor(struct k42_trace_sink *sink, const char *data, size_t bytes) {
    uint64_t progress_ns = k42_platform_now_ns();
    while (bytes) {
        struct pollfd ready = {.fd = sink->fd, .events = POLLOUT};
        int polled = poll(&ready, 1, POLL_MS);
        ssize_t written = polled > 0 ? write_some(sink, data, bytes) : 0;
        if (written < 0)
            return (int)written;
        if (written > 0) {
            data += written;
            bytes -= (size_t)written;
            progress_ns = k42_platform_now_ns();
        } else if (__atomic_load_n(&sink->hurry, __ATOMIC_ACQUIRE) &&
                   k42_platform_now_ns() - progress_ns > PATIENCE_NS) {
            return -ETIMEDOUT;
        }
    }
    return 0;
}

/* Appends to a file of the directory, all or nothing. */
static int append(struct k42_trace_sink *sink, const char *name, const void *data, size_t bytes) {
    struct stat before;
    int fd = openat(sink->directory, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        return -errno;
    int error = fstat(fd, &before) < 0 ? -errno : write_file(fd, data, bytes);
    if (error && ftruncate(fd, before.st_size) < 0)
        error = -errno;
    if (close(fd) < 0 && !error)
        error = -errno;
    return error;
}

static int explain(int error, char *why, size_t why_size, const char *path, const char *wanted,
                   const char *remedy) {
    if (why && why_size)
        snprintf(why, why_size, "tracing to \"%s\": %s: %s; %s", path, wanted,
                 strerrordesc_np(-error), remedy);
    return error;
}

int k42_trace_sink_open_directory(struct k42_trace_sink *sink, const char *path, char *why,
                                  size_t why_size) {
    *sink = (struct k42_trace_sink){.directory = -1, .fd = -1, .described = 0};
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return explain(-errno, why, why_size, path, "cannot make the directory",
                       "name one whose parent exists and is writable");
    sink->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sink->directory < 0)
        return explain(-errno, why, why_size, path, "cannot open it as a directory",
                       "name a directory");
    int metadata =
        openat(sink->directory, "metadata", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int error = metadata < 0 ? -errno : 0;
    if (error) {
        k42_trace_sink_close(sink);
        if (error == -EEXIST)
            return explain(error, why, why_size, path, "it holds a trace already",
                           "name another directory or remove that one");
        return explain(error, why, why_size, path, "cannot create its file \"metadata\"",
                       "name a directory that is writable");
    }
    close(metadata);
    k42_ctf_begin(&sink->trace);
    error = k42_trace_sink_describe(sink);
    if (!error)
        return 0;
    unlinkat(sink->directory, "metadata", 0);
    k42_trace_sink_close(sink);
    return explain(error, why, why_size, path, "cannot write its file \"metadata\"",
                   "make room or name another directory");
}

int k42_trace_sink_open_fd(struct k42_trace_sink *sink, int fd, char *why, size_t why_size) {
    struct stat kind;
    int flags = fcntl(fd, F_GETFL);
    *sink = (struct k42_trace_sink){.directory = -1, .fd = fd, .described = 0};
    if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY || fstat(fd, &kind) < 0) {
        if (why && why_size)
            snprintf(why, why_size,
                     "tracing to descriptor %d: it is not open for writing; pass one that is", fd);
        return -EBADF;
    }
    sink->is_socket = S_ISSOCK(kind.st_mode);
    k42_ctf_begin(&sink->trace);
    return 0;
}

void k42_trace_sink_close(struct k42_trace_sink *sink) {
    if (sink->directory >= 0)
        close(sink->directory);
    sink->directory = sink->fd = -1;
}

static int write_metadata_packet(struct k42_trace_sink *sink, const char *text) {
    size_t length = strlen(text);
    struct k42_ctf_metadata_packet header = {
        .magic = K42_CTF_METADATA_MAGIC,
        .content_bits = (uint32_t)(sizeof(header) + length) * 8,
        .packet_bits = (uint32_t)(sizeof(header) + length) * 8,
        .major = 1,
        .minor = 8,
    };
    memcpy(header.uuid, sink->trace.uuid, sizeof(header.uuid));
    int error = write_descriptor(sink, (const char *)&header, sizeof(header));
    return error ? error : write_descriptor(sink, text, length);
}

static int write_metadata(struct k42_trace_sink *sink, char *text) {
    if (!text)
        return -ENOMEM;
    int error = sink->directory >= 0 ? append(sink, "metadata", text, strlen(text))
                                     : write_metadata_packet(sink, text);
    free(text);
    return error;
}

int k42_trace_sink_describe(struct k42_trace_sink *sink) {
    int error = 0;
    if (sink->described == 0) {
        error = write_metadata(sink, k42_ctf_describe_trace(&sink->trace));
        sink->described = 1;
    }
    uint32_t to = sink->described;
    while (k42_trace_known(to))
        to++;
    if (error || to == sink->described)
        return error;
    error = write_metadata(sink, k42_ctf_describe_events(sink->described, to));
    sink->described = to;
    return error;
}

int k42_trace_sink_packet(struct k42_trace_sink *sink, struct k42_ctf_packet *packet,
                          size_t bytes) {
    size_t whole = sizeof(*packet) + bytes;
    packet->magic = K42_CTF_MAGIC;
    memcpy(packet->uuid, sink->trace.uuid, sizeof(packet->uuid));
    packet->stream_id = 0;
    packet->content_bits = whole * 8;
    packet->packet_bits = k42_trace_align(whole) * 8;
    memset((char *)packet + whole, 0, k42_trace_align(whole) - whole);
    if (sink->directory < 0)
        return write_descriptor(sink, (const char *)packet, k42_trace_align(whole));
    char name[32];
    snprintf(name, sizeof(name), "stream_%llu", (unsigned long long)packet->stream_instance_id);
    return append(sink, name, packet, k42_trace_align(whole));
}
