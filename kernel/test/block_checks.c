/*
 * Checks of disks, with vda writable and vdb read-only, both of 8 MiB or more: test=devices. And
 * test=disk_errors, where the emulator makes sector 2048 unreadable and lets no flush succeed.
 */
#include <k42/class.h>

#include "../arch/x86_64/arch.h"
#include "../copy.h"
#include "../dev/block/block.h"
#include "../dev/dma.h"
#include "../dev/names.h"
#include "../fs/devices.h"
#include "../fs/file.h"
#include "../fs/values.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"
#include "runtime.h"

#define PAGE_SECTORS (FRAME_SIZE / BLOCK_SECTOR)
#define QUARTER      1024u
#define BAD_SECTOR   2048u

static block_ref disk(const char *name) {
    block_ref found = (block_ref)device_find(name, &block_interface);
    if (!found)
        print("there is no disk %s", name);
    return found;
}

/* One page of memory that a disk can reach. */
struct buffer {
    uint64_t *words;
    struct block_piece piece;
};

static bool buffer_open(struct buffer *buffer) {
    buffer->words = dma_allocate(FRAME_SIZE, &buffer->piece.physical);
    buffer->piece.bytes = FRAME_SIZE;
    return buffer->words;
}

static k42_result run(block_ref on, struct block_request request) {
    k42_enter();
    k42_result result = block_run(on, &request);
    k42_exit();
    return result;
}

static struct block_request page_request(enum block_operation operation, uint64_t sector,
                                         const struct buffer *buffer) {
    return (struct block_request){.operation = operation,
                                  .sector = sector,
                                  .count = PAGE_SECTORS,
                                  .pieces = &buffer->piece,
                                  .piece_count = 1};
}

static k42_result transfer(block_ref on, enum block_operation operation, uint64_t sector,
                           const struct buffer *buffer) {
    return run(on, page_request(operation, sector, buffer));
}

static k42_result flush(block_ref on) {
    return run(on, (struct block_request){.operation = BLOCK_FLUSH});
}

static void fill(struct buffer *buffer, uint64_t seed) {
    for (unsigned i = 0; i < FRAME_SIZE / 8; i++)
        buffer->words[i] = (seed + i) * 0x9e3779b97f4a7c15ul;
}

static bool is_filled(const struct buffer *buffer, uint64_t seed) {
    for (unsigned i = 0; i < FRAME_SIZE / 8; i++)
        if (buffer->words[i] != (seed + i) * 0x9e3779b97f4a7c15ul)
            return false;
    return true;
}

/* ---- one disk, one request ---- */

KERNEL_CHECK(devices, a_disk_gives_back_what_was_written) {
    struct buffer out, in;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&out) || !buffer_open(&in))
        return false;
    for (uint64_t sector = 0; sector < 64 * PAGE_SECTORS; sector += PAGE_SECTORS) {
        fill(&out, sector);
        fill(&in, ~sector);
        if (transfer(vda, BLOCK_WRITE, sector, &out) || transfer(vda, BLOCK_READ, sector, &in) ||
            !is_filled(&in, sector))
            return false;
    }
    dma_free(out.words);
    dma_free(in.words);
    return flush(vda) == 0;
}

KERNEL_CHECK(devices, pieces_of_memory_are_one_piece_of_disk) {
    struct buffer buffer;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    fill(&buffer, 7);
    if (transfer(vda, BLOCK_WRITE, 0, &buffer))
        return false;
    fill(&buffer, 0);
    /* The quarters of the page, from its end to its beginning. */
    struct block_piece pieces[4];
    for (unsigned i = 0; i < 4; i++)
        pieces[i] = (struct block_piece){buffer.piece.physical + (3 - i) * QUARTER, QUARTER};
    struct block_request request = page_request(BLOCK_READ, 0, &buffer);
    request.pieces = pieces;
    request.piece_count = 4;
    if (run(vda, request))
        return false;
    for (unsigned i = 0; i < FRAME_SIZE / 8; i++) {
        unsigned from = (3 - i / (QUARTER / 8)) * (QUARTER / 8) + i % (QUARTER / 8);
        if (buffer.words[i] != (7 + from) * 0x9e3779b97f4a7c15ul)
            return false;
    }
    dma_free(buffer.words);
    return true;
}

KERNEL_CHECK(devices, requests_beyond_the_end_or_misshapen_are_refused) {
    struct buffer buffer;
    struct block_geometry geometry;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    k42_enter();
    k42_result known = k42_call(vda, geometry, &geometry);
    k42_exit();
    struct block_request none = page_request(BLOCK_READ, 0, &buffer);
    none.piece_count = 0;
    struct block_request odd = page_request(BLOCK_READ, 0, &buffer);
    struct block_piece bent = {buffer.piece.physical, BLOCK_SECTOR - 1};
    odd.pieces = &bent;
    bool held = known == 0 && run(vda, none) == -EINVAL && run(vda, odd) == -EINVAL &&
                transfer(vda, BLOCK_READ, geometry.sectors, &buffer) == -ENXIO &&
                transfer(vda, BLOCK_READ, geometry.sectors - 1, &buffer) == -ENXIO &&
                transfer(vda, BLOCK_READ, ~0ul, &buffer) == -ENXIO;
    dma_free(buffer.words);
    return held;
}

KERNEL_CHECK(devices, a_read_only_disk_is_read_and_not_written) {
    struct buffer buffer;
    block_ref vdb = disk("vdb");
    if (!vdb || !buffer_open(&buffer))
        return false;
    bool held = transfer(vdb, BLOCK_READ, 0, &buffer) == 0 &&
                transfer(vdb, BLOCK_WRITE, 0, &buffer) == -EROFS;
    dma_free(buffer.words);
    return held;
}

/* ---- many at once ---- */

static struct crew crew;

/* Each member has pages of its own, which it writes and reads until it is told to end. */
static void use_disk(struct member *self) {
    struct buffer buffer;
    if (!buffer_open(&buffer))
        return;
    block_ref on = *(block_ref *)self->shared;
    for (uint64_t round = 0; member_goes_on(self); round++) {
        uint64_t sector = (64 + self->number * 16 + round % 16) * PAGE_SECTORS;
        uint64_t seed = sector * 1000 + round;
        fill(&buffer, seed);
        bool fine = transfer(on, BLOCK_WRITE, sector, &buffer) == 0;
        fill(&buffer, ~seed);
        fine = fine && transfer(on, BLOCK_READ, sector, &buffer) == 0 && is_filled(&buffer, seed);
        if (!fine)
            break;
        member_count(self);
    }
    dma_free(buffer.words);
}

KERNEL_CHECK(devices, requests_of_all_cpus_all_come_back) {
    block_ref vda = disk("vda");
    if (!vda || !crew_start(&crew, 2 * cpu_count(), true, use_disk, &vda))
        return false;
    crew_await(&crew, 50);
    crew_end(&crew);
    return true;
}

KERNEL_CHECK(devices, a_disk_that_is_swapped_loses_no_request) {
    block_ref vda = disk("vda");
    struct k42_class *class_ = k42_class_find("block.virtio");
    if (!vda || !class_ || !crew_start(&crew, 8, false, use_disk, &vda))
        return false;
    unsigned swapped = 0;
    for (unsigned i = 0; i < 50 || !swapped; i++) {
        struct k42_swap_report report;
        swapped += k42_swap((k42_ref)vda, class_, &report) == 0;
        crew_await(&crew, 2);
    }
    crew_end(&crew);
    return true;
}

/* ---- more than fits ---- */

#define CROWD 1000u

struct crowd {
    struct block_request requests[CROWD];
    uint32_t over, failed;
};

static void count_over(struct block_request *request) {
    struct crowd *crowd = request->context;
    if (request->result)
        __atomic_fetch_add(&crowd->failed, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&crowd->over, 1, __ATOMIC_RELEASE);
}

KERNEL_CHECK(devices, a_full_disk_queue_says_so_and_goes_on) {
    static struct crowd crowd;
    struct buffer buffer;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    unsigned full = 0;
    k42_enter();
    for (unsigned i = 0; i < CROWD; i++) {
        struct block_request *request = &crowd.requests[i];
        *request = page_request(BLOCK_READ, (i % 512) * PAGE_SECTORS, &buffer);
        request->done = count_over;
        request->context = &crowd;
        k42_result result;
        while ((result = k42_call(vda, submit, request)) == -K42_WAIT) {
            full++;
            k42_exit();
            thread_yield();
            k42_enter();
        }
        if (result)
            print("request %u: %s", i, k42_error_name(result));
    }
    k42_exit();
    while (__atomic_load_n(&crowd.over, __ATOMIC_ACQUIRE) < CROWD)
        thread_sleep(100000);
    dma_free(buffer.words);
    return full && !crowd.failed;
}

/* ---- as a device of programs ---- */

#define FILE_AT    (1ul << 20)
#define FILE_BYTES 10000u

/* Writes through the page cache, and looks at the disk. */
static bool file_reaches_disk(file_ref file, block_ref vda, struct buffer *buffer) {
    k42_result result;
    char *bytes = k42_platform_alloc(FILE_BYTES);
    for (unsigned i = 0; bytes && i < FILE_BYTES; i++)
        bytes[i] = (char)(i * 7);
    struct copy copy = copy_of_kernel(bytes, FILE_BYTES);
    while (bytes && copy.left) {
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE,
                  k42_call(file, write, (int64_t)(FILE_AT + FILE_BYTES - copy.left), &copy));
        if (result <= 0)
            return false;
    }
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(file, sync, 0u));
    struct block_request request = page_request(BLOCK_READ, FILE_AT / BLOCK_SECTOR, buffer);
    bool held = bytes && result == 0 && block_run(vda, &request) == 0 &&
                !__builtin_memcmp(buffer->words, bytes, FRAME_SIZE);
    k42_platform_free(bytes);
    return held;
}

KERNEL_CHECK(devices, a_disk_is_a_file_of_programs) {
    struct buffer buffer;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    k42_enter();
    struct k42_pair opened =
        device_open(true, device_number(254, 0), K42_NULL_REF, OPEN_READ_WRITE);
    file_ref file = (file_ref)opened.word;
    bool held =
        opened.result >= 0 && file_reaches_disk(file, vda, &buffer) && k42_call(file, release) >= 0;
    k42_exit();
    dma_free(buffer.words);
    return held;
}

/* ---- errors ---- */

KERNEL_CHECK(disk_errors, an_unreadable_sector_is_an_error_and_its_neighbours_are_not) {
    struct buffer buffer;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    bool held = transfer(vda, BLOCK_READ, BAD_SECTOR, &buffer) == -EIO &&
                transfer(vda, BLOCK_READ, BAD_SECTOR + PAGE_SECTORS, &buffer) == 0 &&
                transfer(vda, BLOCK_READ, BAD_SECTOR - PAGE_SECTORS, &buffer) == 0;
    dma_free(buffer.words);
    return held;
}

KERNEL_CHECK(disk_errors, a_flush_that_fails_says_so) {
    struct buffer buffer;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    bool held = transfer(vda, BLOCK_WRITE, 0, &buffer) == 0 && flush(vda) == -EIO;
    dma_free(buffer.words);
    return held;
}

/* ---- for the test to look at from outside ---- */

KERNEL_CHECK(disk_marks, a_disk_is_marked_and_flushed) {
    struct buffer buffer;
    block_ref vda = disk("vda");
    if (!vda || !buffer_open(&buffer))
        return false;
    fill(&buffer, 42);
    bool held = transfer(vda, BLOCK_WRITE, 4096, &buffer) == 0 && flush(vda) == 0;
    dma_free(buffer.words);
    return held;
}
