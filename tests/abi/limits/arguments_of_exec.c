/* execve: arguments and environment that are too many or too long. */
#include "abi.h"

static char *many[40000], long_one[200000];

int main(void) {
    char *none[] = {NULL}, *one[] = {"x", long_one, NULL};
    struct rlimit small = {512 << 10, RLIM_INFINITY};
    memset(long_one, 'a', sizeof long_one - 1);
    fails(E2BIG, execve, "/proc/self/exe", one, none);
    fails(E2BIG, execve, "/proc/self/exe", none, one);
    long_one[1000] = 0;
    for (int i = 0; i < 3000; i++)
        many[i] = long_one;
    setrlimit(RLIMIT_STACK, &small);
    fails(E2BIG, execve, "/proc/self/exe", many, none);
    fails(E2BIG, execve, "/proc/self/exe", none, many);
    fails(EFAULT, execve, "/proc/self/exe", BAD, none);
    char *bad[] = {"x", BAD, NULL};
    fails(EFAULT, execve, "/proc/self/exe", bad, none);
}
