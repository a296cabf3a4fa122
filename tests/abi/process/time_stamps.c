/* Who may read the time stamp counter: prctl(PR_SET_TSC). */
#include "abi.h"

#include <stdbool.h>
#include <sys/prctl.h>

static int allowed(void) {
    int state = 0;
    prctl(PR_GET_TSC, &state);
    return state;
}

static bool is_read(void) {
    unsigned low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | high;
}

static void reads(void) {
    is("read", is_read(), true);
    say("still here");
}

static void forbids(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    gives(0, prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
    is("state", allowed(), PR_TSC_SIGSEGV);
    in_child("child", reads);
    gives(0, prctl, PR_SET_TSC, PR_TSC_ENABLE);
    reads();
    gives(0, prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
    reads();
}

/* Those beside it are not meant, wherever they run. */
static volatile int *stops;

static void reads_on(void) {
    long count = 0;
    while (!*stops)
        count += is_read();
    is("has read", count > 0, true);
}

static void beside(void) {
    int other = start(reads_on);
    gives(0, prctl, PR_SET_TSC, PR_TSC_SIGSEGV);
    for (int i = 0; i < 20; i++) {
        int state = allowed();
        if (state != PR_TSC_SIGSEGV)
            say("state %d", state);
        usleep(500);
    }
    *stops = 1;
    ended("beside", other);
}

int main(void) {
    stops = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    is("at first", allowed(), PR_TSC_ENABLE);
    fails(EINVAL, prctl, PR_SET_TSC, 0);
    fails(EINVAL, prctl, PR_SET_TSC, 3);
    fails(EFAULT, prctl, PR_GET_TSC, BAD);
    in_child("forbids", forbids);
    in_child("beside", beside);
    return 0;
}
