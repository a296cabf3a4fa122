/*
 * A full barrier on every CPU: an interrupt to each, whose handler passes one.
 *
 * A thread that is switched out needs no more: its CPU passes the barrier for it, in program order
 * before whatever the thread does next, wherever that is, since moving it goes through a lock.
 */
#include "runtime.h"

#include "../arch/x86_64/arch.h"

int k42_platform_barrier_open(void) {
    return 0;
}

void k42_platform_barrier_all(void) {
    cpu_barrier_all();
}
