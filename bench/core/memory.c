/*
 * Memory per object of one representative that two CPUs have called.
 *
 *     memory [--instances=N]
 *
 * Prints "bytes-per-object": "k42" is what the runtime accounts for (its tables, and the root
 * header that begins every object); "resident" is what the system says the process has grown by,
 * which also counts the object's own data and the heap's overhead; "payload" is what the
 * object itself has beside that header.
 */
#include "tally.h"

#include "measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tally_ref *refs;
static size_t count;
static pthread_barrier_t barrier;

/* Proportional, so that a table's page that shows the shared template counts once in all. */
static double resident_bytes(void) {
    char line[128];
    long kilobytes = -1;
    FILE *file = fopen("/proc/self/smaps_rollup", "r");
    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "Pss: %ld kB", &kilobytes) == 1)
            break;
    }
    if (kilobytes < 0)
        measure_fail("reading /proc/self/smaps_rollup", "no line begins with Pss:");
    fclose(file);
    return (double)kilobytes * 1024;
}

static double accounted_bytes(void) {
    struct k42_stats stats;
    k42_stats(&stats);
    return (double)(stats.bytes_global + stats.bytes_local);
}

static void call_all(void) {
    for (size_t i = 0; i < count; i++) {
        k42_enter();
        measure_require(k42_call(refs[i], add, 1), "a call");
        k42_exit();
    }
}

/* Calls when main has made the objects, and keeps its table until main has looked. */
static void *call_second(void *argument) {
    (void)argument;
    measure_require(k42_attach("second"), "attaching a thread");
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    call_all();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    measure_require(k42_detach(), "detaching a thread");
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t second;
    count = (size_t)measure_option(argc, argv, "instances", 200000);
    refs = malloc(count * sizeof(*refs));
    measure_require(k42_init(NULL), "starting the runtime");
    if (!refs)
        measure_fail("making room for refs", "no memory");
    memset((void *)refs, 1, count * sizeof(*refs));

    measure_require(k42_attach("first"), "attaching a thread");
    pthread_barrier_init(&barrier, NULL, 2);
    if (pthread_create(&second, NULL, call_second, NULL))
        measure_fail("starting a thread", "the system refused");
    pthread_barrier_wait(&barrier);

    double accounted = accounted_bytes(), resident = resident_bytes(), n = (double)count;
    for (size_t i = 0; i < count; i++)
        refs[i] = tally_create(&tally_plain);
    call_all();
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    measure_sample("bytes-per-object", "k42",
                   (accounted_bytes() - accounted) / n + (double)sizeof(struct k42_root));
    measure_sample("bytes-per-object", "resident", (resident_bytes() - resident) / n);
    measure_sample("bytes-per-object", "payload",
                   (double)(tally_plain.root_size - sizeof(struct k42_root)));
    pthread_barrier_wait(&barrier);
    pthread_join(second, NULL);
    return 0;
}
