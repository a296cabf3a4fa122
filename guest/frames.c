/*
 * Frames on a port: a head, then bytes. No state.
 *
 * Fails by returning false: the port is closed, or what comes is no frame.
 */
#include "agent.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool read_all(int fd, void *buffer, size_t length) {
    for (char *at = buffer; length;) {
        ssize_t n = read(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

bool write_all(int fd, const void *buffer, size_t length) {
    for (const char *at = buffer; length;) {
        ssize_t n = write(fd, at, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        length -= (size_t)n;
    }
    return true;
}

bool send_frame(int fd, enum kind kind, const void *bytes, size_t length) {
    struct frame frame = {kind, (uint32_t)length};
    char small[sizeof frame + 256];
    if (length > sizeof small - sizeof frame)
        return write_all(fd, &frame, sizeof frame) && write_all(fd, bytes, length);
    memcpy(small, &frame, sizeof frame);
    if (length)
        memcpy(small + sizeof frame, bytes, length);
    return write_all(fd, small, sizeof frame + length);
}

bool receive_frame(int fd, struct frame *frame, void **bytes) {
    if (!read_all(fd, frame, sizeof *frame) || frame->length > MOST_TEXT)
        return false;
    *bytes = room_take(frame->length + 1u); /* a zero byte follows */
    if (!*bytes)
        return false;
    if (read_all(fd, *bytes, frame->length))
        return true;
    forget_frame(frame, *bytes);
    return false;
}

void forget_frame(const struct frame *frame, void *bytes) {
    room_give(bytes, frame->length + 1u);
}

/* Who ends for want of memory takes the machine along, which may have some again in a moment. */
void *room_take(size_t bytes) {
    enum { ATTEMPTS = 1000, PAUSE_US = 10000 };
    for (int i = 0; i < ATTEMPTS; i++, usleep(PAUSE_US)) {
        void *room = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (room != MAP_FAILED)
            return room;
    }
    return NULL;
}

void room_give(void *room, size_t bytes) {
    if (room)
        (void)munmap(room, bytes);
}
