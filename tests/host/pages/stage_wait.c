/*
 * Calls that wait, in the tests of page caches (stage.h): one list of waiting threads, under one
 * lock, with the rules of kernel/sched/wait.c.
 */
#include "stage.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define PATIENCE_SECONDS 300

static struct wait_bucket buckets[2] = {{.waiters = 1}, {.waiters = 1}};
struct wait_bucket *wait_buckets = buckets;
unsigned wait_shift = 63;

static pthread_mutex_t wait_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wait_changed = PTHREAD_COND_INITIALIZER;
static struct stage_wait *waits;
static __thread struct wait_point noted;
static __thread uint64_t request;

k42_result wait_on(k42_id self, uintptr_t key, uint32_t events) {
    noted = (struct wait_point){.id = self, .key = key, .events = events};
    return -K42_WAIT;
}

uint64_t wait_request(void) {
    static uint64_t requests;
    if (!request)
        request = __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED);
    return request;
}

void wait_request_end(void) {
    request = 0;
}

static bool is_at(const struct stage_wait *wait, k42_id id, uintptr_t key) {
    return wait->point.id == id && wait->point.key == key;
}

bool wait_anybody(k42_id id, uintptr_t key) {
    bool found = false;
    pthread_mutex_lock(&wait_lock);
    for (struct stage_wait *wait = waits; wait && !found; wait = wait->next)
        found = !wait->fired && is_at(wait, id, key);
    pthread_mutex_unlock(&wait_lock);
    return found;
}

uint32_t wait_notify_slow(k42_id id, uintptr_t key, uint32_t events, uint32_t count) {
    uint32_t woken = 0;
    pthread_mutex_lock(&wait_lock);
    for (struct stage_wait *wait = waits; wait && woken < count; wait = wait->next)
        if (!wait->fired && is_at(wait, id, key) && wait->point.events & events) {
            wait->fired = true;
            woken++;
        }
    if (woken)
        pthread_cond_broadcast(&wait_changed);
    pthread_mutex_unlock(&wait_lock);
    return woken;
}

static bool leave(struct stage_wait *wait) {
    pthread_mutex_lock(&wait_lock);
    struct stage_wait **link = &waits;
    while (*link != wait)
        link = &(*link)->next;
    *link = wait->next;
    wait->in = false;
    pthread_mutex_unlock(&wait_lock);
    return wait->fired;
}

static void sleep_in(struct stage_wait *wait) {
    struct timespec end;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += PATIENCE_SECONDS;
    k42_exit();
    pthread_mutex_lock(&wait_lock);
    while (!wait->fired)
        if (pthread_cond_timedwait(&wait_changed, &wait_lock, &end)) {
            fprintf(stderr, "nobody told of object %u, key %lu\n", wait->point.id, wait->point.key);
            abort();
        }
    pthread_mutex_unlock(&wait_lock);
    k42_enter();
}

/* Into the table, again, sleep, again: as kernel/sched/wait.c does. */
bool stage_again(struct stage_wait *wait, k42_result *result) {
    if (*result != -K42_WAIT && *result != -K42_FAULT) {
        if (wait->in && leave(wait))
            wait_notify(wait->point.id, wait->point.key, wait->point.events, 1);
        request = 0;
        return false;
    }
    if (*result == -K42_FAULT)
        return true;
    if (wait->in && is_at(wait, noted.id, noted.key))
        sleep_in(wait);
    if (wait->in)
        (void)leave(wait);
    wait->point = noted;
    wait->fired = false;
    wait->in = true;
    pthread_mutex_lock(&wait_lock);
    wait->next = waits;
    waits = wait;
    pthread_mutex_unlock(&wait_lock);
    return true;
}
