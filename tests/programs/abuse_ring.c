/*
 * What abuse uses of io_uring and of AIO: reads that wait, and are told of, through both.
 */
#include "abuse.h"

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static int ring, ends[2];
static char *rings;
static struct io_uring_params params;
static struct io_uring_sqe *entries;
static aio_context_t context;

static void *map(size_t size, uint64_t offset) {
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring, (off_t)offset);
    fail_if(at == MAP_FAILED, "mmap of a ring");
    return at;
}

static uint32_t *word(uint32_t offset) {
    return (uint32_t *)(void *)(rings + offset);
}

void open_ring(void) {
    ring = (int)syscall(SYS_io_uring_setup, 4, &params);
    fail_if(ring < 0 || pipe(ends), "io_uring_setup");
    rings = map(params.sq_off.array + params.sq_entries * sizeof(uint32_t), IORING_OFF_SQ_RING);
    entries = map(params.sq_entries * sizeof *entries, IORING_OFF_SQES);
    fail_if(syscall(SYS_io_setup, 4, &context), "io_setup");
}

void close_ring(void) {
    fail_if(syscall(SYS_io_destroy, context), "io_destroy");
}

/* A read that waits until a byte is written. */
static void use_uring(uint64_t turn) {
    char sent = (char)turn, got = 0;
    uint32_t *tail = word(params.sq_off.tail), at = *tail & (params.sq_entries - 1);
    entries[at] = (struct io_uring_sqe){.opcode = IORING_OP_READ,
                                        .fd = ends[0],
                                        .addr = (uintptr_t)&got,
                                        .len = 1,
                                        .user_data = turn};
    word(params.sq_off.array)[at] = at;
    __atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
    fail_if(syscall(SYS_io_uring_enter, ring, 1, 0, 0, 0, 0) != 1, "io_uring_enter");
    fail_if(write(ends[1], &sent, 1) != 1, "write");
    long waited = syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS, 0, 0);
    uint32_t *head = word(params.cq_off.head);
    const struct io_uring_cqe *told = (const void *)(rings + params.cq_off.cqes);
    told += *head & (params.cq_entries - 1);
    if (waited || told->user_data != turn || told->res != 1 || got != sent)
        say("a ring tells of %lu: %d", (unsigned long)told->user_data, told->res);
    __atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
}

static void use_context(uint64_t turn) {
    struct iocb block = {.aio_lio_opcode = IOCB_CMD_POLL,
                         .aio_fildes = (uint32_t)ends[1],
                         .aio_buf = 4 /* POLLOUT */,
                         .aio_data = turn},
                *list[1] = {&block};
    struct io_event event = {.data = 0};
    fail_if(syscall(SYS_io_submit, context, 1, list) != 1, "io_submit");
    if (syscall(SYS_io_getevents, context, 1, 1, &event, 0) != 1 || event.data != turn)
        say("a context tells of %lu", (unsigned long)event.data);
}

void use_ring(uint64_t turn) {
    use_uring(turn);
    use_context(turn);
}
