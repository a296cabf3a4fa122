/*
 * Memory per object of one representative that two CPUs have called.
 *
 *     memory [--instances=N]
 *
 * Prints "bytes-per-object": "k42" is what the runtime accounts for (its tables, and the root
 * header that begins every object); "resident" is what the system says the process has grown by,
 * which also counts the object's own data and the heap's overhead; "payload" is what the
 * object itself has beside that header. Counted is what each further object costs, after some.
 */
#include "tally.h"

#include "measure.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static tally_ref *refs;
static size_t count;
static const size_t warm_up = 20480; /* not counted: what the first object brings along */
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

/* Makes objects up to `end`, as the first CPU; then both call them. */
static void make_and_call(size_t first, size_t end, int make) {
    for (size_t i = first; make && i < end; i++)
        refs[i] = tally_create(&tally_plain);
    pthread_barrier_wait(&barrier);
    for (size_t i = first; i < end; i++) {
        k42_enter();
        measure_require(k42_call(refs[i], add, 1), "a call");
        k42_exit();
    }
    pthread_barrier_wait(&barrier);
}

/* Is attached as long as main measures, so that its table is there to be counted. */
static void *be_second(void *argument) {
    (void)argument;
    measure_require(k42_attach("second"), "attaching a thread");
    make_and_call(0, warm_up, 0);
    make_and_call(warm_up, warm_up + count, 0);
    pthread_barrier_wait(&barrier);
    measure_require(k42_detach(), "detaching a thread");
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t second;
    count = (size_t)measure_option(argc, argv, "instances", 204800);
    refs = malloc((warm_up + count) * sizeof(*refs));
    measure_require(k42_init(NULL), "starting the runtime");
    measure_require(k42_attach("first"), "attaching a thread");
    if (!refs)
        measure_fail("making room for refs", "no memory");
    memset((void *)refs, 1, (warm_up + count) * sizeof(*refs));
    pthread_barrier_init(&barrier, NULL, 2);
    if (pthread_create(&second, NULL, be_second, NULL))
        measure_fail("starting a thread", "the system refused");

    make_and_call(0, warm_up, 1);
    double accounted = accounted_bytes(), resident = resident_bytes(), n = (double)count;
    make_and_call(warm_up, warm_up + count, 1);
    measure_sample("bytes-per-object", "k42",
                   (accounted_bytes() - accounted) / n + (double)sizeof(struct k42_root));
    measure_sample("bytes-per-object", "resident", (resident_bytes() - resident) / n);
    measure_sample("bytes-per-object", "payload",
                   (double)(tally_plain.root_size - sizeof(struct k42_root)));
    pthread_barrier_wait(&barrier);
    pthread_join(second, NULL);
    return 0;
}
