/*
 * The program of the tutorial: threads count, and meanwhile their counter is watched, replaced and
 * upgraded. At the end nothing may be missing.
 *
 * usage: tutorial [COMPONENT]     counter_locked_v2.so, for the upgrade
 */
#include "counter.h"

#include <k42/class.h>
#include <k42/component.h>
#include <k42/interpose.h>
#include <k42/swap.h>
#include <k42/thread.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS = 3, ROUNDS = 300000 };

static void check(const char *what, k42_result result) {
    if (result >= 0)
        return;
    fprintf(stderr, "tutorial: %s: %s\n", what, k42_error_name(result));
    exit(EXIT_FAILURE);
}

/* ---- calling ---- */

static void *count(void *argument) {
    counter_ref counter = (counter_ref)(uintptr_t)argument;
    check("attach", k42_attach("counting"));
    for (int n = 0; n < ROUNDS; n++) {
        k42_enter();
        k42_result result = k42_call(counter, add, 1);
        k42_exit();
        check("add", result);
    }
    check("detach", k42_detach());
    return NULL;
}

static void show(counter_ref counter) {
    char text[80];
    long sum;
    k42_enter();
    check("describe", k42_call_object(counter, describe, text, sizeof(text)));
    check("read", k42_call(counter, read, &sum));
    k42_exit();
    printf("%-26s %ld\n", text, sum);
}

/* ---- swapping ---- */

/* Replaces the counter; a deadline that a busy machine missed is no failure, only a reason to try
 * again. */
static void swap(counter_ref counter, const char *class_name) {
    struct k42_swap request = {
        .ref = (k42_ref)counter,
        .to = k42_class_find(class_name),
        .attempts = 10,
    };
    k42_result result = k42_swap_run(&request);
    if (result == -ETIMEDOUT)
        printf("left as it is: %s\n", request.report.text);
    else
        check("swap", result);
}

/* ---- watching ---- */

static long calls;

static enum k42_verdict count_call(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook, (void)call;
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    return K42_PROCEED;
}

static void watch(counter_ref counter) {
    static struct k42_hook hook = {.before = count_call};
    check("interpose", k42_interpose((k42_ref)counter, &hook));
    swap(counter, "counter.spread");
    swap(counter, "counter.locked");
    check("release", k42_release(&hook));
    printf("%-26s %s\n", "watched", calls ? "some calls" : "no call");
}

/* ---- upgrading ---- */

static void upgrade(counter_ref counter, const char *path) {
    struct k42_component *component;
    struct k42_class *first = k42_class_find("counter.locked");
    char why[256] = "";
    k42_result result = k42_component_load(path, &component, why, sizeof(why));
    if (result < 0)
        fprintf(stderr, "tutorial: %s\n", why);
    check("load", result);
    struct k42_upgrade request = {
        .to = k42_component_class(component, "counter.locked"),
        .attempts = 100,
    };
    check("upgrade", k42_upgrade(&request));
    show(counter);
    request.to = first;
    check("upgrade back", k42_upgrade(&request));
    check("unload", k42_component_unload(component, why, sizeof(why)));
}

/* ---- the whole ---- */

static int has_all(counter_ref counter) {
    long sum;
    k42_enter();
    check("read", k42_call(counter, read, &sum));
    k42_exit();
    return sum == (long)THREADS * ROUNDS;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    k42_ref ref;
    check("init", k42_init(NULL));
    check("attach", k42_attach("main"));
    check("create", k42_create(k42_class_find("counter.locked"), NULL, &ref));
    counter_ref counter = (counter_ref)ref;
    for (int n = 0; n < THREADS; n++)
        if (pthread_create(&threads[n], NULL, count, (void *)(uintptr_t)counter) != 0)
            return EXIT_FAILURE;
    show(counter);
    swap(counter, "counter.spread");
    show(counter);
    swap(counter, "counter.locked");
    watch(counter);
    if (argc > 1)
        upgrade(counter, argv[1]);
    for (int n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    show(counter);
    int complete = has_all(counter);
    puts(complete ? "nothing is missing" : "something is missing");
    check("destroy", k42_destroy(ref));
    check("detach", k42_detach());
    check("shutdown", k42_shutdown());
    return complete ? EXIT_SUCCESS : EXIT_FAILURE;
}
