/*
 * The storm. See storm.h.
 */
#include "storm.h"

#include "calls.h"

#include <k42/k42.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

static pthread_t thread;
static int over;
static unsigned long swaps;

static int is_swapped(const char *interface_name) {
    static const char *const names[] = {"node",        "file",   "fcm",  "pipe",
                                        "descriptors", "socket", "inbox"};
    for (unsigned n = 0; n < sizeof names / sizeof *names; n++)
        if (!strcmp(names[n], interface_name))
            return 1;
    return 0;
}

/* Classes of one interface that know a format together are alternatives of each other. */
static int fits(const struct k42_class *from, const struct k42_class *to) {
    if (from->interface != to->interface || !from->transfers || !to->transfers)
        return 0;
    for (const struct k42_transfer *a = from->transfers; a->format; a++)
        for (const struct k42_transfer *b = to->transfers; b->format; b++)
            if (!strcmp(a->format->name, b->format->name) &&
                a->format->version == b->format->version && a->export_state && b->import_state)
                return 1;
    return 0;
}

/* The alternatives to a class, itself the first. */
struct alternatives {
    struct k42_class *of, *found[8];
    unsigned count;
};

static long collect(const struct k42_class_info *info, void *context) {
    struct alternatives *list = context;
    if (list->count < 8 && info->class_ != list->of && fits(list->of, info->class_))
        list->found[list->count++] = info->class_;
    return 0;
}

static long swap_one(const struct k42_object_info *info, void *context) {
    unsigned *turn = context;
    struct alternatives list = {.of = k42_class_find(info->class_name)};
    if (!list.of || !is_swapped(info->interface_name))
        return __atomic_load_n(&over, __ATOMIC_RELAXED);
    list.found[list.count++] = list.of;
    (void)k42_each_class(collect, &list);
    if (k42_swap(k42_id_ref(info->id), list.found[(*turn)++ % list.count], NULL) == 0)
        __atomic_fetch_add(&swaps, 1, __ATOMIC_RELAXED);
    return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static void *run(void *unused) {
    unsigned turn = 0;
    (void)unused;
    calls_expect(k42_attach("storm") == 0, "the storm is not attached");
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
        (void)k42_each_object(NULL, swap_one, &turn);
    calls_expect(k42_detach() == 0, "the storm is not detached");
    return NULL;
}

void storm_begin(void) {
    over = 0;
    swaps = 0;
    calls_expect(pthread_create(&thread, NULL, run, NULL) == 0, "no storm");
    while (!__atomic_load_n(&swaps, __ATOMIC_RELAXED))
        sched_yield(); /* there is always the root of the name space to swap */
}

unsigned long storm_end(void) {
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    return swaps;
}
