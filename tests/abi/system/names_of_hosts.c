/* sethostname and its like, in a name space of one's own. */
#include "abi.h"

#include <sys/utsname.h>

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, sethostname, "x", 1);
    fails(EPERM, setdomainname, "x", 1);
    fails(EPERM, unshare, CLONE_NEWUTS);
}

int main(void) {
    char text[70];
    if (unshare(CLONE_NEWUTS))
        give_up("unshare");
    gives(0, sethostname, "another", 7);
    gethostname(text, 70);
    say("%s", text);
    gives(0, setdomainname, "place", 5);
    struct utsname seen;
    gives(0, uname, &seen);
    say("%s %s %s", seen.nodename, seen.domainname, seen.sysname);
    fails(EINVAL, sethostname, "x", -1);
    fails(EINVAL, sethostname, text, 65);
    gives(0, sethostname, "", 0);
    fails(EFAULT, sethostname, BAD, 3);
    fails(EFAULT, uname, BAD);
    in_child("somebody", somebody);
}
