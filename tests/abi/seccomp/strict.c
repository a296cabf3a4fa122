/* The strict mode: read, write, exit, and the end for everything else. */
#include "abi.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>

static int fd;

static void obeys(void) {
    char byte;
    gives(0, prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
    gives(1, read, fd, &byte, 1);
    ends(exit, 0);
}

static void does_not(void) {
    gives(0, prctl, PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0);
    abi_call(getppid);
    say("still here");
}

int main(void) {
    put("file", "x");
    fd = open("file", O_RDONLY);
    in_child("obeys", obeys);
    in_child("does not", does_not);
}
