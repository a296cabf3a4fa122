/* rseq: sequences that start over when they are disturbed. */
#include "abi.h"

#include <linux/rseq.h>
#include <sys/auxv.h>
#include <sys/rseq.h>

#define SIGNATURE 0x53053053
#define AREA      32

static struct rseq *area;

/* Spins in a sequence until it is disturbed: 1 where its abort begins, 0 if it got to the end. */
static int spin(uint32_t *shared) {
    int aborted = 0;
    __asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
                     "movq %%rax, %[sequence]\n\t"
                     "2: cmpl $0, %[shared]\n\t"
                     "je 2b\n\t"
                     "3: jmp 5f\n\t"
                     ".long 0x53053053\n\t"
                     "4: movl $1, %[aborted]\n\t"
                     "5:\n\t"
                     ".pushsection .data.rel.local,\"aw\"\n\t"
                     ".balign 32\n\t"
                     "1: .long 0, 0\n\t"
                     ".quad 2b, 3b - 2b, 4b\n\t"
                     ".popsection"
                     : [sequence] "=m"(area->rseq_cs), [aborted] "+r"(aborted)
                     : [shared] "m"(*shared)
                     : "rax", "memory", "cc");
    return aborted;
}

static uint32_t never;

static void by_a_signal(void) {
    handle(SIGALRM, SA_RESTART);
    alarm_in(20);
    int ends = 0; /* by themselves */
    while (!caught)
        ends += !spin(&never);
    alarm_in(0);
    is("ended undisturbed", ends, 0);
    is("left", (long)area->rseq_cs, 0);
}

/* Two on one CPU: each loses it to the other. */
static void by_another(void) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    works(sched_setaffinity, 0, sizeof one, &one);
    is("processor", area->cpu_id, 0);
    is("and to begin with", area->cpu_id_start, 0);
    int child = fork();
    if (!child)
        for (;;)
            (void)0;
    is("disturbed by another", spin(&never), 1);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    is("left", (long)area->rseq_cs, 0);
}

static void moving(void) {
    cpu_set_t all, one;
    int wrong = 0;
    sched_getaffinity(0, sizeof all, &all);
    for (int n = 0; n < 40; n++)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, &all))
                continue;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            wrong += sched_setaffinity(0, sizeof one, &one) || (int)area->cpu_id != cpu;
        }
    sched_setaffinity(0, sizeof all, &all);
    is("wrong processors", wrong, 0);
}

static void in_the_child(void) {
    unsigned cpu;
    fails(EBUSY, rseq, area, AREA, 0, SIGNATURE);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    works(sched_setaffinity, 0, sizeof one, &one);
    works(getcpu, &cpu, 0, 0);
    is("processor", area->cpu_id, cpu);
}

static void wrong_signature(void) {
    gives(0, rseq, area, AREA, RSEQ_FLAG_UNREGISTER, SIGNATURE);
    gives(0, rseq, area, AREA, 0, SIGNATURE + 1);
    handle(SIGALRM, SA_RESTART);
    alarm_in(20);
    spin(&never);
}

static void not_there(void) {
    area->rseq_cs = (uintptr_t)BAD;
    handle(SIGALRM, 0);
    raise(SIGALRM);
    for (;;)
        pause();
}

int main(void) {
    static struct rseq other __attribute__((aligned(64)));
    area = (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
    is("the C library has registered", __rseq_size != 0, 1);
    fails(EBUSY, rseq, area, AREA, 0, SIGNATURE);
    fails(EPERM, rseq, area, AREA, 0, SIGNATURE + 1);
    fails(EPERM, rseq, area, AREA, RSEQ_FLAG_UNREGISTER, SIGNATURE + 1);
    fails(EINVAL, rseq, &other, AREA, 0, SIGNATURE);
    fails(EINVAL, rseq, &other, AREA, RSEQ_FLAG_UNREGISTER, SIGNATURE);
    fails(EINVAL, rseq, area, AREA, 2, SIGNATURE);
    fails(EINVAL, rseq, area, AREA, RSEQ_FLAG_UNREGISTER | 2, SIGNATURE);
    by_a_signal();
    in_child("a child has it, too", in_the_child);
    in_child("another signature", wrong_signature);
    in_child("no sequence", not_there);
    moving();
    by_another();
    gives(0, rseq, area, AREA, RSEQ_FLAG_UNREGISTER, SIGNATURE);
    is("no processor", (int)area->cpu_id, RSEQ_CPU_ID_UNINITIALIZED);
    is("nor to begin with", area->cpu_id_start, 0);
    fails(EINVAL, rseq, area, AREA, RSEQ_FLAG_UNREGISTER, SIGNATURE);
    fails(EINVAL, rseq, (char *)&other + 4, AREA, 0, SIGNATURE);
    fails(EINVAL, rseq, &other, 8, 0, SIGNATURE);
    fails(EFAULT, rseq, -4096l, AREA, 0, SIGNATURE);
    gives(0, rseq, &other, AREA, 0, SIGNATURE);
    area = &other;
    is("processor", area->cpu_id, 0);
}
