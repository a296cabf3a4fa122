/*
 * How long a grace period takes: k42_synchronize beside liburcu's synchronize_rcu.
 *
 *     grace [--rounds=N]
 *
 * One thread waits for grace periods; on each other CPU a thread is attached, and registered with
 * liburcu. "grace-period": those sleep. "grace-period-busy": those enter and leave without pause,
 * with the library being measured. Rounds alternate; prints nanoseconds of each grace period.
 */
#include "measure.h"

#define _LGPL_SOURCE
#include <k42/thread.h>
#include <pthread.h>
#include <urcu/urcu-memb.h>

#define MOST_READERS   64
#define GRACES_A_ROUND 50

enum reading { SLEEP, READ_WITH_K42, READ_WITH_MEMB, END };
static enum reading reading; /* what readers do; written by main, polled by readers */
static pthread_barrier_t barrier;

static enum reading reading_now(void) {
    return __atomic_load_n(&reading, __ATOMIC_ACQUIRE);
}

static void *read_as_told(void *argument) {
    enum reading told;
    measure_pin((unsigned)(uintptr_t)argument);
    measure_require(k42_attach("reader"), "attaching a thread");
    urcu_memb_register_thread();
    do {
        pthread_barrier_wait(&barrier);
        told = reading_now();
        while (told == READ_WITH_K42 && reading_now() == told) {
            k42_enter();
            k42_exit();
        }
        while (told == READ_WITH_MEMB && reading_now() == told) {
            urcu_memb_read_lock();
            urcu_memb_read_unlock();
        }
        pthread_barrier_wait(&barrier);
    } while (told != END);
    urcu_memb_unregister_thread();
    measure_require(k42_detach(), "detaching a thread");
    return NULL;
}

static void wait_k42(void) {
    measure_require(k42_synchronize(), "waiting for a grace period");
}

static void time_graces(const char *row, const char *variant, void (*wait)(void),
                        enum reading told) {
    __atomic_store_n(&reading, told, __ATOMIC_RELEASE);
    if (told != SLEEP)
        pthread_barrier_wait(&barrier);
    measure_sleep(200000);
    wait();
    for (int i = 0; i < GRACES_A_ROUND; i++) {
        uint64_t start_ns = measure_now_ns();
        wait();
        measure_sample(row, variant, (double)(measure_now_ns() - start_ns));
    }
    __atomic_store_n(&reading, SLEEP, __ATOMIC_RELEASE);
    if (told != SLEEP)
        pthread_barrier_wait(&barrier);
}

int main(int argc, char **argv) {
    long rounds = measure_option(argc, argv, "rounds", 60);
    unsigned readers = measure_cpus() - 1 < MOST_READERS ? measure_cpus() - 1 : MOST_READERS;
    pthread_t threads[MOST_READERS];

    measure_pin(0);
    measure_require(k42_init(NULL), "starting the runtime");
    measure_require(k42_attach("waiter"), "attaching a thread");
    urcu_memb_register_thread();
    pthread_barrier_init(&barrier, NULL, readers + 1);
    for (unsigned i = 0; i < readers; i++) {
        if (pthread_create(&threads[i], NULL, read_as_told, (void *)(uintptr_t)(i + 1)))
            measure_fail("starting a thread", "the system refused");
    }
    for (long i = 0; i < rounds; i++) {
        time_graces("grace-period", "k42", wait_k42, SLEEP);
        time_graces("grace-period", "urcu-memb", urcu_memb_synchronize_rcu, SLEEP);
        time_graces("grace-period-busy", "k42", wait_k42, READ_WITH_K42);
        time_graces("grace-period-busy", "urcu-memb", urcu_memb_synchronize_rcu, READ_WITH_MEMB);
    }
    __atomic_store_n(&reading, END, __ATOMIC_RELEASE);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < readers; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
