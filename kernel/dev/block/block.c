/*
 * What all disks have in common: which requests are well formed, and waiting for one. Owns nothing.
 */
#include "block.h"

#include "../../sched/thread.h"
#include "../../sched/wait.h"
#include "runtime.h"

const struct k42_format block_device_format = {"block.device", 1, 1};

/* How much the pieces hold, in bytes; 0: one is unfit. */
static uint64_t bytes_of(const struct block_geometry *geometry,
                         const struct block_request *request) {
    uint64_t bytes = 0;
    for (unsigned i = 0; i < request->piece_count; i++) {
        const struct block_piece *piece = &request->pieces[i];
        if (!piece->bytes || piece->bytes % BLOCK_SECTOR || piece->physical % 4 ||
            piece->bytes > geometry->piece_bytes_max)
            return 0;
        bytes += piece->bytes;
    }
    return bytes;
}

static bool is_aligned(const struct block_geometry *geometry, const struct block_request *request) {
    uint64_t unit = geometry->sector_bytes / BLOCK_SECTOR;
    return request->sector % unit == 0 && request->count % unit == 0;
}

static k42_result judge(const struct block_geometry *geometry,
                        const struct block_request *request) {
    bool reads = request->operation == BLOCK_READ, writes = request->operation == BLOCK_WRITE;
    if (request->operation == BLOCK_FLUSH)
        return 0;
    if (!reads && (geometry->flags & BLOCK_READ_ONLY))
        return -EROFS;
    if (request->operation == BLOCK_DISCARD && !(geometry->flags & BLOCK_DISCARDS))
        return -ENOTSUP;
    if (!request->count || !is_aligned(geometry, request) ||
        request->piece_count > geometry->pieces_max)
        return -EINVAL;
    if ((reads || writes) && bytes_of(geometry, request) != request->count * BLOCK_SECTOR)
        return -EINVAL;
    if (request->sector > geometry->sectors || request->count > geometry->sectors - request->sector)
        return -ENXIO;
    return 0;
}

bool block_request_fits(const struct block_geometry *geometry, const struct block_request *request,
                        k42_result *error) {
    *error = judge(geometry, request);
    return *error == 0;
}

static void wake_runner(struct block_request *request) {
    uint32_t *over = request->context;
    __atomic_store_n(over, 1, __ATOMIC_RELEASE);
    thread_wake_parked(over, 1);
}

k42_result block_run(block_ref disk, struct block_request *request) {
    uint32_t over = 0;
    request->done = wake_runner;
    request->context = &over;
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(disk, submit, request));
    if (result)
        return result == BLOCK_DONE ? request->result : result;
    k42_exit();
    while (!k42_load_acquire(&over))
        thread_park(&over, 0, 0);
    k42_enter();
    return request->result;
}
