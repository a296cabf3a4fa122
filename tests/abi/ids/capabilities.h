/*
 * What cases of capabilities do with the calling thread's sets, of which they look at the first 32.
 */
#ifndef K42_TESTS_ABI_CAPABILITIES_H
#define K42_TESTS_ABI_CAPABILITIES_H

#include "abi.h"

#include <linux/capability.h>

static void sets(const char *what) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    abi_call(capget, &header, data);
    /* Only those that all versions of Linux have. */
    say("%s: effective %08x, permitted %08x, inheritable %08x", what, data[0].effective,
        data[0].permitted, data[0].inheritable);
}

static long set(unsigned effective, unsigned permitted, unsigned inheritable) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{effective, permitted, inheritable}};
    return abi_call(capset, &header, data) ? errno : 0;
}

static void program(void) {
    char *words[] = {"grep", "Cap", "/proc/self/status", NULL};
    execv("/bin/grep", words);
}

#endif
