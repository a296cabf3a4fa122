/*
 * io_uring_setup and io_uring_enter. See ring.h.
 *
 * A call holds the ring's file while it lasts. Who waits for completions waits at the file, which
 * every completion notifies. Rings are polled by nobody (IORING_SETUP_SQPOLL, IOPOLL): those are
 * refused, as are entries of other sizes.
 */
#include "request.h"

#include "../clocks.h"
#include "../readiness.h"
#include "../signal/signals.h"

#include <k42/k42.h>

#define ENTRIES_MOST 32768u

/* Where completions are taken by whoever is there, these are no more than promises. */
#define KNOWN_SETUP                                                                                \
    (IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED |                          \
     IORING_SETUP_SUBMIT_ALL | IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG |             \
     IORING_SETUP_SINGLE_ISSUER)

#define FEATURES                                                                                   \
    (IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS |                       \
     IORING_FEAT_CUR_PERSONALITY | IORING_FEAT_FAST_POLL | IORING_FEAT_POLL_32BITS |               \
     IORING_FEAT_EXT_ARG | IORING_FEAT_NATIVE_WORKERS | IORING_FEAT_CQE_SKIP |                     \
     IORING_FEAT_LINKED_FILE)

static uint32_t power_of_two(uint32_t number) {
    uint32_t power = 1;
    while (power < number)
        power *= 2;
    return power;
}

/* So many, as a power of two; 0: refused. */
static uint32_t clamp(uint32_t wanted, uint32_t most, bool clamps) {
    if (!wanted || (wanted > most && !clamps))
        return 0;
    return power_of_two(wanted < most ? wanted : most);
}

static k42_result size(uint32_t entries, struct io_uring_params *params) {
    bool clamps = params->flags & IORING_SETUP_CLAMP;
    params->sq_entries = clamp(entries, ENTRIES_MOST, clamps);
    if (!params->sq_entries)
        return -EINVAL;
    if (params->flags & IORING_SETUP_CQSIZE)
        params->cq_entries = clamp(params->cq_entries, 2 * ENTRIES_MOST, clamps);
    else
        params->cq_entries = 2 * params->sq_entries;
    return params->cq_entries < params->sq_entries ? -EINVAL : 0;
}

#define AT(member) ((uint32_t)offsetof(struct ring_shared, member))

static void describe(struct io_uring_params *params) {
    params->features = FEATURES;
    params->sq_off = (struct io_sqring_offsets){
        .head = AT(sq_head),
        .tail = AT(sq_tail),
        .ring_mask = AT(sq_mask),
        .ring_entries = AT(sq_entries),
        .flags = AT(sq_flags),
        .dropped = AT(sq_dropped),
        .array = AT(cqes) + params->cq_entries * (uint32_t)sizeof(struct io_uring_cqe),
    };
    params->cq_off = (struct io_cqring_offsets){
        .head = AT(cq_head),
        .tail = AT(cq_tail),
        .ring_mask = AT(cq_mask),
        .ring_entries = AT(cq_entries),
        .overflow = AT(cq_overflow),
        .cqes = AT(cqes),
        .flags = AT(cq_flags),
    };
}

static k42_result make(const struct io_uring_params *params) {
    struct ring *ring = uring_make(params->sq_entries, params->cq_entries, params->flags);
    if (!ring)
        return -ENOMEM;
    struct k42_pair file = uring_file_make(ring);
    if (file.result < 0) {
        uring_release(ring);
        return file.result;
    }
    return files_add((file_ref)file.word, OPEN_CLOSE_ON_EXEC);
}

/* Partly: IORING_SETUP_SQPOLL, IOPOLL, ATTACH_WQ, DEFER_TASKRUN, SQE128 and CQE32 are refused. */
LINUX_CALL(425, io_uring_setup, unsigned entries, uintptr_t params_at) {
    struct io_uring_params params;
    k42_result result = files_copy_in(&params, params_at, sizeof params);
    if (result < 0)
        return result;
    bool asks = params.flags & IORING_SETUP_TASKRUN_FLAG;
    if (params.resv[0] || params.resv[1] || params.resv[2] || (params.flags & ~KNOWN_SETUP) ||
        (asks && !(params.flags & IORING_SETUP_COOP_TASKRUN)))
        return -EINVAL;
    result = size(entries, &params);
    if (result >= 0) {
        describe(&params);
        result = make(&params);
    }
    if (result < 0)
        return result;
    k42_result written = files_copy_out(params_at, &params, sizeof params);
    if (written >= 0)
        return result;
    files_take_back((int)result);
    return written;
}

/* ---- waiting ---- */

struct waiting {
    uintptr_t mask, mask_size;
    uint64_t deadline;
};

static k42_result read_waiting(struct waiting *waiting, unsigned flags, uintptr_t argument,
                               size_t length) {
    struct io_uring_getevents_arg more;
    int64_t ns;
    *waiting = (struct waiting){argument, length, WAIT_FOREVER};
    if (!(flags & IORING_ENTER_EXT_ARG))
        return 0;
    if (length != sizeof more)
        return -EINVAL;
    k42_result result = files_copy_in(&more, argument, sizeof more);
    if (result < 0)
        return result;
    waiting->mask = more.sigmask;
    waiting->mask_size = more.sigmask_sz;
    if (!more.ts)
        return 0;
    result = clocks_read(more.ts, &ns);
    if (result >= 0)
        waiting->deadline = clocks_after(ns);
    return result;
}

static k42_result look(struct ring *ring, uint32_t wanted) {
    return uring_ready(ring) >= wanted ? 0 : wait_on(ring->self, RING_DATA, WAIT_READ);
}

static k42_result wait_for(struct ring *ring, uint32_t wanted, const struct waiting *waiting) {
    k42_result result;
    wanted = wanted < ring->cq_entries ? wanted : ring->cq_entries;
    if (uring_ready(ring) >= wanted)
        return 0;
    result = readiness_set_mask(waiting->mask, waiting->mask_size);
    if (result < 0)
        return result;
    WAIT_CALL(result, waiting->deadline, 0, look(ring, wanted));
    if (result != -EINTR)
        signal_mask_restore();
    return result == -ETIMEDOUT ? -ETIME : result;
}

/* ---- entering ---- */

static k42_result submit(struct ring *ring, uint32_t count) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0, uring_take(ring));
    if (result < 0)
        return result;
    result = uring_submit(ring, count);
    uring_leave(ring);
    return result;
}

static k42_result enter(struct ring *ring, uint32_t count, uint32_t wanted, unsigned flags,
                        uintptr_t argument, size_t length) {
    struct waiting waiting;
    if (ring->flags & IORING_SETUP_R_DISABLED)
        return -EBADFD;
    k42_result done = count ? submit(ring, count) : 0;
    if (done < 0 || (uint32_t)done != count || !(flags & IORING_ENTER_GETEVENTS))
        return done;
    k42_result result = read_waiting(&waiting, flags, argument, length);
    if (result >= 0)
        result = wait_for(ring, wanted, &waiting);
    return done ? done : result;
}

/* Partly: no registered rings; of the operations those are missing that need buffers to be chosen
 * from, splice, tee, and messages between rings. */
LINUX_CALL(426, io_uring_enter, int fd, unsigned count, unsigned wanted, unsigned flags,
           uintptr_t argument, size_t length) {
    enum {
        KNOWN = IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP | IORING_ENTER_SQ_WAIT |
                IORING_ENTER_EXT_ARG
    };
    struct ring *ring;
    file_ref file;
    if (flags & ~(unsigned)KNOWN)
        return -EINVAL;
    k42_result result = uring_get(fd, &file, &ring);
    if (result < 0)
        return result;
    result = enter(ring, count, wanted, flags, argument, length);
    (void)!k42_call(file, release);
    return result;
}
