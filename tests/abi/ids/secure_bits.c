/* prctl's secure bits: what ids do not do to capabilities, for how long, and who may say so. */
#include "capabilities.h"

#include <linux/securebits.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>

enum { CHOWN = 1 << CAP_CHOWN, ALL = (2u << CAP_SYS_NICE) - 1 };

static void ids_change_nothing(void) {
    gives(0, prctl, PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
    setfsuid(SOMEBODY);
    sets("files' id");
    setresuid(SOMEBODY, SOMEBODY, 0);
    sets("most ids");
    setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
    sets("all ids");
    gives(SECBIT_NO_SETUID_FIXUP, prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
    program();
}

static void root_is_nobody(void) {
    gives(0, prctl, PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0);
    sets("root");
    program();
}

static void root_is_nobody_with_some(void) {
    is("inheritable", set(ALL, ALL, CHOWN), 0);
    gives(0, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
    gives(0, prctl, PR_SET_SECUREBITS, SECBIT_NOROOT, 0, 0, 0);
    program();
}

static void nothing_is_raised(void) {
    is("inheritable", set(ALL, ALL, CHOWN), 0);
    gives(0, prctl, PR_SET_SECUREBITS, SECBIT_NO_CAP_AMBIENT_RAISE, 0, 0, 0);
    fails(EPERM, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
    gives(0, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0);
}

static void locks(void) {
    unsigned long locked = SECBIT_NOROOT_LOCKED | SECBIT_KEEP_CAPS_LOCKED;
    gives(0, prctl, PR_SET_SECUREBITS, locked, 0, 0, 0);
    fails(EPERM, prctl, PR_SET_SECUREBITS, 0, 0, 0, 0);
    fails(EPERM, prctl, PR_SET_SECUREBITS, locked | SECBIT_NOROOT, 0, 0, 0);
    fails(EPERM, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    fails(EINVAL, prctl, PR_SET_KEEPCAPS, 2, 0, 0, 0);
    gives(0, prctl, PR_SET_SECUREBITS, locked | SECBIT_NO_SETUID_FIXUP, 0, 0, 0);
    gives((long)locked | SECBIT_NO_SETUID_FIXUP, prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
    fails(EPERM, prctl, PR_SET_SECUREBITS, locked | 1 << 30, 0, 0, 0);
}

static void kept_once(void) {
    gives(0, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    gives(SECBIT_KEEP_CAPS, prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_SECUREBITS, 0, 0, 0, 0);
    gives(0, prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_SECUREBITS, SECBIT_KEEP_CAPS, 0, 0, 0);
    gives(1, prctl, PR_GET_KEEPCAPS, 0, 0, 0, 0);
}

static void may_not(void) {
    be(SOMEBODY);
    fails(EPERM, prctl, PR_SET_SECUREBITS, 0, 0, 0, 0);
    gives(0, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    gives(SECBIT_KEEP_CAPS, prctl, PR_GET_SECUREBITS, 0, 0, 0, 0);
}

int main(void) {
    /* The same to begin with, wherever this runs. */
    for (int one = 0; one < 64; one++)
        if (one > CAP_SYS_NICE)
            prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
    is("to begin with", set(ALL, ALL, 0), 0);
    in_child("ids change nothing", ids_change_nothing);
    in_child("root is nobody", root_is_nobody);
    in_child("root is nobody with some", root_is_nobody_with_some);
    in_child("nothing is raised", nothing_is_raised);
    in_child("locks", locks);
    in_child("kept once", kept_once);
    in_child("may not", may_not);
}
