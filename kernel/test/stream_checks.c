/*
 * Checks of streams, for a test on the other side to talk to: test=streams, test=console and
 * test=serial, with no-terminals. What arrives at ports with the names below, and at the serial
 * port, is sent back.
 */
#include <k42/class.h>

#include "../copy.h"
#include "../dev/names.h"
#include "../dev/stream.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "runtime.h"

#define CHUNK (20u << 10) /* not a multiple of any buffer's size */
#define BYTES (3u << 20)

/* Ports are made while the kernel goes on; a test that names one that never comes is ended from
 * outside. */
static stream_ref await_stream(const char *name) {
    k42_ref found;
    while (!(found = device_find(name, &stream_interface)))
        thread_sleep(1000000);
    return (stream_ref)found;
}

static k42_result read_some(stream_ref stream, void *bytes, size_t size) {
    k42_result result;
    struct copy copy = copy_of_kernel(bytes, size);
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(stream, read, &copy));
    return result;
}

static bool write_all(stream_ref stream, void *bytes, size_t size) {
    struct copy copy = copy_of_kernel(bytes, size);
    while (copy.left) {
        k42_result result;
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(stream, write, &copy));
        if (result <= 0)
            return false;
    }
    return true;
}

/* Sends back `most` bytes, or what comes until the other side hangs up. */
static bool echo(stream_ref stream, size_t most) {
    char *bytes = k42_platform_alloc(CHUNK);
    bool fine = bytes;
    k42_enter();
    while (fine && most) {
        k42_result got = read_some(stream, bytes, CHUNK < most ? CHUNK : most);
        if (got <= 0) {
            fine = got == 0;
            break;
        }
        fine = write_all(stream, bytes, (size_t)got);
        most -= (size_t)got;
    }
    k42_result drained = 0;
    if (fine)
        WAIT_CALL(drained, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(stream, drain));
    k42_exit();
    k42_platform_free(bytes);
    return fine && drained == 0;
}

KERNEL_CHECK(streams, a_port_brings_and_takes_bytes) {
    return echo(await_stream("org.k42.echo"), BYTES);
}

static uint32_t over;

static void swap_until_over(void *context) {
    stream_ref stream = *(stream_ref *)context;
    while (!k42_load_acquire(&over)) {
        struct k42_class *class_ = k42_class_find("stream.virtio");
        if (!class_ || k42_swap((k42_ref)stream, class_, NULL) < 0)
            thread_yield();
        thread_sleep(100000);
    }
}

KERNEL_CHECK(streams, a_port_that_is_swapped_loses_no_byte) {
    stream_ref stream = await_stream("org.k42.swapped");
    over = 0;
    struct thread *swapper = thread_start("swapper", swap_until_over, &stream);
    if (!swapper)
        return false;
    bool held = echo(stream, BYTES);
    k42_store_release(&over, 1);
    thread_join(swapper);
    return held;
}

KERNEL_CHECK(streams, reading_ends_when_the_other_side_hangs_up) {
    stream_ref stream = await_stream("org.k42.ending");
    bool held = echo(stream, ~0ul);
    k42_enter();
    k42_result ready = k42_call(stream, poll);
    k42_exit();
    return held && (ready & WAIT_HANGUP);
}

KERNEL_CHECK(serial, the_serial_port_brings_and_takes_bytes) {
    print("ready");
    return echo(await_stream("ttyS0"), 20000);
}

KERNEL_CHECK(console, a_console_brings_and_takes_bytes) {
    return echo(await_stream("hvc0"), 5000);
}
