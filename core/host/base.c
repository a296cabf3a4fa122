/*
 * Which translation table is the calling thread's: %gs, or a thread-local variable.
 *
 * In the %gs flavour the base register leads to the table, and a thread-local pointer beside it
 * says whether *this* thread put it there: a new thread inherits its creator's %gs, but starts with
 * the pointer NULL. A base that is not zero and not one of our tables belongs to something else in
 * the process; it is left alone and never followed. The base is set by a system call rather than by
 * wrgsbase, which old kernels and valgrind refuse; attaching is no fast path.
 *
 * In the TLS flavour the thread-local variable is all there is, and it is always free.
 *
 * Everything here belongs to the calling thread; a signal handler may ask for the head.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"

#if K42_TLS

__thread char *k42_tls_base __attribute__((tls_model("initial-exec")));

struct k42_cpu_head *k42_platform_head(void) {
    return k42_head();
}

int k42_platform_set_head(struct k42_cpu_head *head) {
    k42_tls_base = (char *)head;
    return 0;
}

int k42_platform_base_free(void) {
    return 1;
}

#else

static __thread struct k42_cpu_head *thread_head __attribute__((tls_model("initial-exec")));

struct k42_cpu_head *k42_platform_head(void) {
    return thread_head;
}

int k42_platform_base_free(void) {
    uintptr_t base;
    if (syscall(SYS_arch_prctl, ARCH_GET_GS, &base) < 0)
        return 0;
    return base == 0 || k42_host_table_known(base);
}

/*
 * A signal handler between the two stores sees either no head while the base is set, or (detaching)
 * no head while the base still is: never a head without its base.
 */
int k42_platform_set_head(struct k42_cpu_head *head) {
    if (!k42_platform_base_free())
        return -EBUSY;
    thread_head = NULL;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (syscall(SYS_arch_prctl, ARCH_SET_GS, (uintptr_t)head) < 0)
        return -EBUSY;
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    thread_head = head;
    return 0;
}

#endif

struct k42_calls *k42_platform_calls(void) {
    struct k42_cpu_head *head = k42_platform_head();
    return head ? head->calls : NULL;
}

bool k42_platform_each_calls(bool (*visit)(uint32_t cpu, const struct k42_calls *calls, bool active,
                                           void *context),
                             void *context) {
    for (uint32_t cpu = 0; cpu < k42_cpu_limit(); cpu++) {
        const struct k42_cpu_head *head = k42_cpu_head_of(cpu);
        bool active = __atomic_load_n(&head->active[0], __ATOMIC_RELAXED) |
                      __atomic_load_n(&head->active[1], __ATOMIC_RELAXED);
        if (visit(cpu, head->calls, active, context))
            return true;
    }
    return false;
}
