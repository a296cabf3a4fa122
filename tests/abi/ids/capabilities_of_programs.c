/* Capabilities over setuid and exec: what root loses, keeps, gives on; ambient and bounding sets.
 */
#include "capabilities.h"

#include <sys/prctl.h>

enum { CHOWN = 1 << CAP_CHOWN, KILL = 1 << CAP_KILL, NICE = 1 << CAP_SYS_NICE };

static void drops(void) {
    is("fewer", set(CHOWN | KILL, CHOWN | KILL | NICE, 0), 0);
    sets("fewer");
    is("effective beyond permitted", set(CHOWN | 8, CHOWN, 0), EPERM);
    is("permitted again", set(0, ~0u, 0), EPERM);
    is("inheritable of permitted", set(CHOWN, CHOWN, CHOWN), 0);
    is("not of others", set(CHOWN, CHOWN, CHOWN | KILL), EPERM);
    sets("one");
}

static void changes_user(void) {
    is("three",
       set(CHOWN | KILL | NICE | 1 << CAP_SETUID, CHOWN | KILL | NICE | 1 << CAP_SETUID, CHOWN), 0);
    setresuid(0, 1000, 0);
    sets("effective user");
    setresuid(0, 0, 0);
    sets("and back");
    setresuid(1000, 1000, 1000);
    sets("all");
}

static void keeps(void) {
    gives(0, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    is("few",
       set(CHOWN | 1 << CAP_SETUID | 1 << CAP_SETGID, CHOWN | 1 << CAP_SETUID | 1 << CAP_SETGID, 0),
       0);
    setresuid(1000, 1000, 1000);
    sets("kept, not effective");
    is("effective", set(CHOWN, CHOWN, CHOWN), 0);
    sets("effective");
    gives(0, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0);
    fails(EPERM, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0);
    gives(1, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_CHOWN, 0, 0);
    gives(0, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0);
    program();
}

static void loses(void) {
    is("few", set(CHOWN | 1 << CAP_SETUID, CHOWN | 1 << CAP_SETUID, CHOWN), 0);
    gives(0, prctl, PR_SET_KEEPCAPS, 1, 0, 0, 0);
    setresuid(1000, 1000, 1000);
    sets("kept");
    program();
}

int main(void) {
    /* The same to begin with, wherever this runs. */
    for (int one = 0; one < 64; one++)
        if (one > CAP_SYS_NICE)
            prctl(PR_CAPBSET_DROP, one, 0, 0, 0);
    unsigned all = (2u << CAP_SYS_NICE) - 1;
    is("to begin with", set(all, all, 0), 0);
    sets("root");
    in_child("drops", drops);
    in_child("changes user", changes_user);
    gives(0, prctl, PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0);
    gives(0, prctl, PR_CAPBSET_READ, CAP_KILL, 0, 0, 0);
    gives(1, prctl, PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0);
    in_child("root's program", program);
    in_child("keeps", keeps);
    in_child("loses", loses);
    fails(EINVAL, prctl, PR_CAP_AMBIENT, 9, 0, 0, 0);
    fails(EINVAL, prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 64, 0, 0);
}
