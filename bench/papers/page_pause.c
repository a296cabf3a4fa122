/*
 * What a reader notices when a page cache of many pages is swapped, on the host's processors.
 *
 *     page_pause [--swaps=N] [--pages=N] [--readers=N]
 *
 * Readers read pages of one file, at random and without pause, while one more thread swaps its page
 * cache from class to class; each swap is followed by a window of the same length without one, in
 * which this thread sleeps, and one in which it computes (callers.h). Prints for each window the
 * longest turn of any reader ("pause", microseconds), whether the reader slept in it waiting for
 * the runtime ("pause-slept"), and how long each swap took ("swap"). With one reader fewer than
 * processors no reader has to share its own. No read may fail, and no page may get lost.
 */
#include "callers.h"
#include "measure.h"
#include "text_file.h"

#include <errno.h>
#include <stdlib.h>

static const char *const classes[] = {"fcm.partitioned", "fcm.small", "fcm.shared"};
#define CLASSES (sizeof classes / sizeof *classes)

static struct {
    fcm_ref file;
    uint64_t pages, swaps, given_up;
} state;

/* A window may have been given up, by the deadline; then the next swap is to the same class. */
static void swap_once(void *context) {
    (void)context;
    k42_result result = text_file_swap(state.file, classes[state.swaps % CLASSES]);
    if (result == -ETIMEDOUT || result == -EBUSY)
        state.given_up++;
    else
        measure_require(result, "swapping the page cache");
    state.swaps += result == 0;
}

/* The pages stay: whoever is told to wait says so, and the run ends. */
static k42_result read_any(void *context, uint32_t random) {
    uint64_t page = (random * state.pages) >> 32, bytes[8];
    (void)context;
    struct copy copy = copy_of_kernel(bytes, sizeof bytes);
    return k42_call(state.file, read, page * FRAME_BYTES, &copy);
}

int main(int argc, char **argv) {
    size_t swaps = (size_t)measure_option(argc, argv, "swaps", 2000);
    unsigned readers = (unsigned)measure_option(argc, argv, "readers", 0);
    struct window_pattern pattern = {.work = swap_once};
    double *took_us = calloc(swaps, sizeof *took_us);

    state.pages = (uint64_t)measure_option(argc, argv, "pages", 10000);
    text_open(state.pages);
    state.file = text_file(classes[CLASSES - 1], state.pages);
    if (!took_us || text_file_present(state.file) != state.pages)
        measure_fail("bringing the file into memory", "there is not enough");
    callers_start(read_any, NULL, readers, swaps * WINDOW_KINDS);
    for (size_t i = 0; i < swaps; i++)
        for (int kind = 0; kind < WINDOW_KINDS; kind++) {
            measure_sleep(50000 + (uint64_t)(rand() % 100) * 1000);
            window_run(&pattern, (enum window_kind)kind);
            if (kind == WINDOW_WORK)
                took_us[i] = (double)pattern.wall_ns / 1000;
        }
    if (!callers_stop())
        measure_fail("reading", "nobody has");
    if (text_file_present(state.file) != state.pages)
        measure_fail("counting the pages at the end", "some are missing");
    for (size_t i = 0; i < swaps; i++) {
        measure_sample("swap", "k42", took_us[i]);
        for (int kind = 0; kind < WINDOW_KINDS; kind++) {
            size_t window = i * WINDOW_KINDS + (size_t)kind;
            const char *name = window_kind_name((enum window_kind)kind);
            measure_sample("pause", name, window_longest_us(window));
            measure_sample("pause-slept", name, window_longest_slept(window));
        }
    }
    measure_sample("given-up", "k42", (double)state.given_up);
    free(took_us);
    return 0;
}
