/*
 * The storm. See storm.h.
 */
#include "storm.h"

#include "calls.h"

#include <k42/k42.h>
#include <pthread.h>
#include <string.h>

static pthread_t thread;
static int over;
static unsigned long swaps;

static int is_swapped(const char *interface_name) {
    static const char *const names[] = {"node", "file", "fcm", "pipe", "descriptors"};
    for (unsigned n = 0; n < sizeof names / sizeof *names; n++)
        if (!strcmp(names[n], interface_name))
            return 1;
    return 0;
}

static long swap_one(const struct k42_object_info *info, void *context) {
    (void)context;
    struct k42_class *class_ = k42_class_find(info->class_name);
    if (class_ && is_swapped(info->interface_name) &&
        k42_swap(k42_id_ref(info->id), class_, NULL) == 0)
        swaps++;
    return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static void *run(void *unused) {
    (void)unused;
    calls_expect(k42_attach("storm") == 0, "the storm is not attached");
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
        (void)k42_each_object(NULL, swap_one, NULL);
    calls_expect(k42_detach() == 0, "the storm is not detached");
    return NULL;
}

void storm_begin(void) {
    over = 0;
    swaps = 0;
    calls_expect(pthread_create(&thread, NULL, run, NULL) == 0, "no storm");
}

unsigned long storm_end(void) {
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    return swaps;
}
