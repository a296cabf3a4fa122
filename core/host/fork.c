/*
 * What happens to the runtime when a Linux program forks: its child is told.
 *
 * The handler is registered once per process, whatever is started and ended. No other state.
 */
#include <pthread.h>

#include "host.h"

static void (*on_child)(void);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void in_child(void) {
    k42_host_forget_thread_id();
    k42_host_rendezvous_after_fork();
    if (on_child)
        on_child();
}

static void register_handler(void) {
    (void)pthread_atfork(NULL, NULL, in_child);
}

void k42_platform_watch_forks(void (*child)(void)) {
    on_child = child;
    pthread_once(&once, register_handler);
}
