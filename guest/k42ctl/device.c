/*
 * The conversation with the kernel: requests and answers on /dev/k42.
 *
 * Owns: the open device, and memory for one request and one answer. The device stays open to the
 * program's end, and with it the hooks that were placed.
 */
#include "k42ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

static int device = -1;
static union {
    struct k42_control_head head;
    char bytes[K42_CONTROL_ANSWER];
} request, reply;

static void open_device(void) {
    if (device >= 0)
        return;
    device = open(K42_CONTROL_DEVICE, O_RDWR | O_CLOEXEC);
    if (device < 0)
        give_up("cannot open " K42_CONTROL_DEVICE ": %s; it is K42 that has it", strerror(errno));
}

static bool send(size_t length) {
    ssize_t sent;
    do
        sent = write(device, request.bytes, length);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)length;
}

/* All of the answer: its head says how long it is. */
static void receive(void) {
    size_t got = 0, wanted = sizeof reply.head;
    while (got < wanted) {
        ssize_t n = read(device, reply.bytes + got, sizeof reply - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            give_up("the kernel does not answer: %s", n ? strerror(errno) : "nothing came");
        got += (size_t)n;
        if (got >= sizeof reply.head)
            wanted = reply.head.length;
    }
    if (reply.head.version != K42_CONTROL_VERSION || reply.head.kind != request.head.kind)
        give_up("the kernel's answer is not of this k42ctl's version");
}

static bool send_request(enum k42_control_kind kind, const void *body, size_t size,
                         const uint32_t *ids, uint32_t count) {
    size_t length = sizeof request.head + size + (count + 1) / 2 * 8;
    open_device();
    memset(request.bytes, 0, length);
    request.head = (struct k42_control_head){.length = (uint32_t)length,
                                             .version = K42_CONTROL_VERSION,
                                             .kind = (uint16_t)kind,
                                             .count = count};
    if (size)
        memcpy(request.bytes + sizeof request.head, body, size);
    if (count)
        memcpy(request.bytes + sizeof request.head + size, ids, count * sizeof *ids);
    if (send(length))
        return true;
    if (errno == EPROTO)
        give_up("the kernel speaks another version of this protocol than %d", K42_CONTROL_VERSION);
    return false;
}

bool ask(enum k42_control_kind kind, const void *body, size_t size, const uint32_t *ids,
         uint32_t count, struct answer *answer) {
    if (!send_request(kind, body, size, ids, count))
        return false;
    receive();
    *answer = (struct answer){&reply.head, reply.bytes + sizeof reply.head};
    return true;
}

bool ask_until_signal(enum k42_control_kind kind, const void *body, size_t size,
                      const sigset_t *heeded, uint64_t ns, struct answer *answer) {
    struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    if (!send_request(kind, body, size, NULL, 0))
        give_up("the kernel does not tell: %s", strerror(errno));
    struct pollfd poll = {.fd = device, .events = POLLIN};
    if (ppoll(&poll, 1, ns ? &time : NULL, heeded) <= 0)
        return false;
    receive();
    *answer = (struct answer){&reply.head, reply.bytes + sizeof reply.head};
    return true;
}

void *ask_all(enum k42_control_kind kind, const struct k42_control_filter *filter, size_t *size,
              size_t *count) {
    struct k42_control_filter piece = *filter;
    struct answer answer;
    char *all = NULL;
    *size = *count = 0;
    do {
        if (!ask(kind, &piece, sizeof piece, NULL, 0, &answer)) {
            if (errno == ENOENT && filter->pid)
                give_up("there is no process %d", filter->pid);
            give_up("the kernel does not tell: %s", strerror(errno));
        }
        size_t more = answer.head->length - sizeof *answer.head;
        all = enlarge(all, *size + more + 1);
        memcpy(all + *size, answer.records, more);
        *size += more;
        *count += answer.head->count;
        piece.from = answer.head->next;
    } while (piece.from);
    return all;
}
