/*
 * What devices cost: test=device_costs prints instructions and exits to the hypervisor for each
 * page read
 * of the disk vda.
 *
 * To be run in an emulator that counts instructions (QEMU's -icount shift=0, one CPU), where a
 * nanosecond is an instruction. A thread counts turns of a loop while there is nothing else to do;
 * what they took is taken off. Nothing is judged but that it ends.
 */
#include "../arch/x86_64/arch.h"
#include "../dev/block/block.h"
#include "../dev/dma.h"
#include "../dev/names.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "runtime.h"

#define PAGES        64u
#define ROUNDS       20u
#define PAGE_SECTORS (FRAME_SIZE / BLOCK_SECTOR)

struct reads {
    struct block_request requests[PAGES];
    struct block_piece pieces[PAGES];
    uint32_t over; /* slept on */
};

static void count_over(struct block_request *request) {
    struct reads *reads = request->context;
    __atomic_fetch_add(&reads->over, 1, __ATOMIC_RELEASE);
    if (k42_load_relaxed(&reads->over) == PAGES)
        thread_wake_parked(&reads->over, 1);
}

static void say(const char *when, k42_ref device) {
    char text[200];
    k42_enter();
    k42_result result = k42_call(device, object.describe, text, sizeof text);
    k42_exit();
    if (result >= 0)
        print("%s: %s", when, text);
}

/* `more` tells the disk of all of them at once. */
static void read_pages(block_ref disk, struct reads *reads, bool more) {
    reads->over = 0;
    k42_enter();
    for (unsigned i = 0; i < PAGES; i++) {
        k42_result result;
        reads->requests[i].more = more && i + 1 < PAGES;
        WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(disk, submit, &reads->requests[i]));
        if (result)
            count_over(&reads->requests[i]);
    }
    k42_exit();
    for (uint32_t over; (over = k42_load_acquire(&reads->over)) < PAGES;)
        thread_park(&reads->over, over, 0);
}

/* ---- what is left of the time ---- */

static struct {
    uint64_t turns;
    uint32_t stop;
} idle;

static void count_turns(void *unused) {
    (void)unused;
    while (!k42_load_relaxed(&idle.stop))
        k42_store_relaxed(&idle.turns, idle.turns + 1);
}

/* Nanoseconds since `begin`, without those of idle turns; a turn takes turn_ps picoseconds. */
static uint64_t busy_since(uint64_t begin, uint64_t turns, uint64_t turn_ps) {
    return time_ns() - begin - (k42_load_relaxed(&idle.turns) - turns) * turn_ps / 1000;
}

static uint64_t turn_takes_ps(void) {
    uint64_t turns = k42_load_relaxed(&idle.turns), begin = time_ns();
    thread_sleep(20000000);
    return (time_ns() - begin) * 1000 / (k42_load_relaxed(&idle.turns) - turns);
}

static void measure(block_ref disk, struct reads *reads, bool more, const char *what) {
    read_pages(disk, reads, more);
    say("before", (k42_ref)disk);
    uint64_t turn_ps = turn_takes_ps(), turns = k42_load_relaxed(&idle.turns), begin = time_ns();
    for (unsigned round = 0; round < ROUNDS; round++)
        read_pages(disk, reads, more);
    uint64_t took = busy_since(begin, turns, turn_ps);
    say("after", (k42_ref)disk);
    print("%s: %lu a page", what, took / (ROUNDS * PAGES));
}

KERNEL_CHECK(device_costs, reading_a_disk_costs) {
    static struct reads reads;
    block_ref disk = (block_ref)device_find("vda", &block_interface);
    uint64_t physical;
    if (!disk || !dma_allocate(PAGES * FRAME_SIZE, &physical))
        return false;
    for (unsigned i = 0; i < PAGES; i++) {
        reads.pieces[i] = (struct block_piece){physical + i * FRAME_SIZE, FRAME_SIZE};
        reads.requests[i] = (struct block_request){.operation = BLOCK_READ,
                                                   .sector = i * PAGE_SECTORS,
                                                   .count = PAGE_SECTORS,
                                                   .pieces = &reads.pieces[i],
                                                   .piece_count = 1,
                                                   .done = count_over,
                                                   .context = &reads};
    }
    idle.stop = 0;
    struct thread *counter = thread_start_on(0, "idle turns", count_turns, NULL);
    if (!counter)
        return false;
    measure(disk, &reads, false, "disk, each told of");
    measure(disk, &reads, true, "disk, all told of at once");
    k42_store_release(&idle.stop, 1);
    thread_join(counter);
    return true;
}
