/* prctl, arch_prctl, personality: what is set can be asked for again. */
#include "abi.h"

#include <asm/prctl.h>
#include <linux/capability.h>
#include <sys/personality.h>
#include <sys/prctl.h>

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, prctl, PR_CAPBSET_DROP, CAP_CHOWN);
}

int main(void) {
    char name[17] = "";
    int value = -1;
    gives(0, prctl, PR_SET_NAME, "a name that is too long", 0, 0, 0);
    gives(0, prctl, PR_GET_NAME, name, 0, 0, 0);
    say("%s", name);
    fails(EFAULT, prctl, PR_SET_NAME, BAD, 0, 0, 0);
    fails(EFAULT, prctl, PR_GET_NAME, BAD, 0, 0, 0);
    gives(0, prctl, PR_SET_PDEATHSIG, SIGUSR1, 0, 0, 0);
    gives(0, prctl, PR_GET_PDEATHSIG, &value, 0, 0, 0);
    is("signal", value, SIGUSR1);
    fails(EINVAL, prctl, PR_SET_PDEATHSIG, 65, 0, 0, 0);
    gives(1, prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
    gives(0, prctl, PR_GET_DUMPABLE, 0, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_DUMPABLE, 2, 0, 0, 0);
    gives(0, prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    gives(1, prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_KEEPCAPS, 2, 0, 0, 0);
    gives(0, prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    gives(1, prctl, PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    gives(0, prctl, PR_GET_CHILD_SUBREAPER, &value, 0, 0, 0);
    is("subreaper", value, 1);
    gives(1, prctl, PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0);
    fails(EINVAL, prctl, PR_CAPBSET_READ, 1000, 0, 0, 0);
    gives(16, prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
    fails(EINVAL, prctl, 9999, 0, 0, 0, 0);
    in_child("somebody", somebody);
    unsigned long base, own;
    gives(0, arch_prctl, ARCH_GET_FS, &base);
    gives(0, arch_prctl, ARCH_SET_GS, 0x1234);
    gives(0, arch_prctl, ARCH_GET_GS, &own);
    is("gs", own, 0x1234);
    fails(EPERM, arch_prctl, ARCH_SET_FS, 1ul << 60);
    fails(EPERM, arch_prctl, ARCH_SET_GS, 1ul << 63);
    fails(EINVAL, arch_prctl, 1, 0);
    fails(EFAULT, arch_prctl, ARCH_GET_FS, BAD);
    gives(0, personality, 0xffffffff);
    gives(0, personality, ADDR_NO_RANDOMIZE);
    gives(ADDR_NO_RANDOMIZE, personality, 0xffffffff);
}
