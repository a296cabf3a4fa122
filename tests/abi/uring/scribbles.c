/* io_uring: a program that scribbles on its rings while the kernel uses them harms itself alone. */
#include "uring.h"

#include <pthread.h>
#include <stdatomic.h>

static struct uring ring;
static atomic_int over;

/* What a ring is made of: heads, tails, indexes, and of entries all but the operation. */
static void *scribble(void *argument) {
    uint32_t random = (uint32_t)(uintptr_t)argument;
    while (!over) {
        random = random * 1664525 + 1013904223;
        uint32_t value = random >> 8, which = random >> 29, at = value & 7;
        switch (which) {
        case 0:
            *ring.sq_tail = value;
            break;
        case 1:
            *ring.cq_head = value;
            break;
        case 2:
            ring.array[at] = value & 15;
            break;
        case 3:
            ring.sqes[at].flags = (uint8_t)(value & (IOSQE_IO_LINK | IOSQE_IO_DRAIN | IOSQE_ASYNC));
            break;
        case 4:
            ring.sqes[at].user_data = value & 3;
            break;
        case 5:
            ring.sqes[at].addr = value & 3;
            break;
        case 6:
            *ring.sq_head = value;
            *ring.cq_tail = value;
            break;
        default:
            *ring.sq_flags = value;
            break;
        }
    }
    return NULL;
}

static void use(void) {
    static const uint8_t operations[8] = {
        IORING_OP_NOP,         IORING_OP_TIMEOUT, IORING_OP_ASYNC_CANCEL, IORING_OP_POLL_ADD,
        IORING_OP_POLL_REMOVE, IORING_OP_NOP,     IORING_OP_READ,         IORING_OP_TIMEOUT_REMOVE};
    pthread_t threads[2];
    int ends[2];
    pipe(ends);
    ring = uring_make(8, IORING_SETUP_SUBMIT_ALL, 8);
    for (int i = 0; i < 8; i++) {
        memset(&ring.sqes[i], 0, sizeof *ring.sqes);
        ring.sqes[i].opcode = operations[i];
        ring.sqes[i].fd = ends[0];
        ring.array[i] = (uint32_t)i;
    }
    for (uintptr_t i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, scribble, (void *)(i + 1));
    for (int i = 0; i < 300; i++) {
        abi_call(io_uring_enter, ring.fd, 8, 0, IORING_ENTER_GETEVENTS, 0, 0);
        (*ring.sq_tail)++;
    }
    over = 1;
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
}

int main(void) {
    in_child("who scribbles", use);
    struct uring other = uring_make(4, 0, 0);
    uring_put(&other, IORING_OP_NOP, -1, NULL, 0, 1);
    uring_do(&other);
}
