/*
 * A component that does something by itself: a thread, and a hook on the object that the test names
 * in its environment. It does not start when it is told so there.
 */
#include "tally.h"

#include <k42/k42.h>

#include <errno.h>
#include <stdlib.h>

K42_CLASS(starter_tally) = {TALLY_PLAIN("tally.starter", 1)};

static struct k42_thread *thread;
static struct k42_hook hook;

static void run(void *context) {
    (void)context;
    while (!k42_thread_should_stop())
        k42_thread_sleep(3600000000000ull);
}

static long start(void) {
    const char *object = getenv("STARTER_OBJECT");
    thread = k42_thread_start("starter", run, NULL);
    if (!thread)
        return -ENOMEM;
    if (getenv("STARTER_FAILS"))
        return -EIO; /* the thread is the ledger's to end */
    return object ? k42_interpose(k42_id_ref((k42_id)atoi(object)), &hook) : 0;
}

static void stop(void) {
    if (getenv("STARTER_OBJECT"))
        (void)!k42_release(&hook);
    k42_thread_join(thread);
}

K42_COMPONENT("starter");
K42_COMPONENT_STARTS(start, stop);
