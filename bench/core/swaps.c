/*
 * How long a swap of one object takes when nobody else is calling.
 *
 *     swaps [--swaps=N]
 *
 * One thread calls the object, leaves, and swaps it; a second thread is attached and sleeps. Prints
 * "swap-idle" in microseconds, and of it the time of each phase as the swap's report says. Beside
 * it, in turn: what one does with liburcu to replace an object without state, which is to publish
 * another pointer and wait for a grace period.
 */
#include "tally.h"

#include "measure.h"

#include <pthread.h>
#include <urcu/pointer.h>
#include <urcu/urcu-memb.h>

static pthread_barrier_t barrier;

static void *sleep_attached(void *argument) {
    (void)argument;
    measure_pin(measure_cpus() - 1);
    measure_require(k42_attach("sleeper"), "attaching a thread");
    urcu_memb_register_thread();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    urcu_memb_unregister_thread();
    measure_require(k42_detach(), "detaching a thread");
    return NULL;
}

static void swap_with_k42(tally_ref ref, int say) {
    static struct k42_class *to = &tally_other;
    struct k42_swap_report report;
    k42_enter();
    measure_require(k42_call(ref, add, 1), "a call");
    k42_exit();
    uint64_t start_ns = measure_now_ns();
    measure_require(k42_swap((k42_ref)ref, to, &report), "swapping");
    double us = (double)(measure_now_ns() - start_ns) / 1000;
    to = to == &tally_other ? &tally_plain : &tally_other;
    if (!say)
        return;
    measure_sample("swap-idle", "k42", us);
    measure_sample("swap-idle-phase", "prepare", (double)report.prepare_ns / 1000);
    measure_sample("swap-idle-phase", "forward", (double)report.forward_ns / 1000);
    measure_sample("swap-idle-phase", "block", (double)report.block_ns / 1000);
    measure_sample("swap-idle-phase", "transfer", (double)report.transfer_ns / 1000);
}

static void replace_with_liburcu(int say) {
    static struct tally objects[2], *shared = &objects[0];
    uint64_t start_ns = measure_now_ns();
    rcu_assign_pointer(shared, shared == &objects[0] ? &objects[1] : &objects[0]);
    urcu_memb_synchronize_rcu();
    if (say)
        measure_sample("swap-idle", "urcu-memb", (double)(measure_now_ns() - start_ns) / 1000);
}

int main(int argc, char **argv) {
    long swaps = measure_option(argc, argv, "swaps", 5000);
    pthread_t sleeper;

    measure_pin(0);
    measure_require(k42_init(NULL), "starting the runtime");
    measure_require(k42_attach("swapper"), "attaching a thread");
    urcu_memb_register_thread();
    pthread_barrier_init(&barrier, NULL, 2);
    if (pthread_create(&sleeper, NULL, sleep_attached, NULL))
        measure_fail("starting a thread", "the system refused");
    pthread_barrier_wait(&barrier);

    tally_ref ref = tally_create(&tally_plain);
    for (long i = -200; i < swaps; i++) {
        swap_with_k42(ref, i >= 0);
        replace_with_liburcu(i >= 0);
    }
    pthread_barrier_wait(&barrier);
    pthread_join(sleeper, NULL);
    return 0;
}
