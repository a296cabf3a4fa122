/* uname, sethostname, setdomainname, sysinfo, syslog, getrandom. */
#include "abi.h"

#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, sethostname, "x", 1);
    fails(EPERM, setdomainname, "x", 1);
    fails(EPERM, syslog, 5, NULL, 0);
    fails(EPERM, reboot, 0xfee1dead, 672274793, 0, NULL);
}

int main(void) {
    struct utsname names;
    struct sysinfo info;
    char random[16] = "", longest[100] = "";
    unshare(CLONE_NEWUTS);
    gives(0, sethostname, "somewhere", 9);
    gives(0, setdomainname, "else", 4);
    gives(0, uname, &names);
    say("%s %s %s %s", names.sysname, names.nodename, names.machine, names.domainname);
    fails(EFAULT, uname, BAD);
    fails(EINVAL, sethostname, longest, 65);
    fails(EINVAL, sethostname, longest, -1);
    fails(EFAULT, sethostname, BAD, 5);
    fails(EINVAL, setdomainname, longest, 65);
    fails(EFAULT, setdomainname, BAD, 5);
    gives(0, sysinfo, &info);
    is("unit", info.mem_unit, 1);
    is("some of it free", info.freeram <= info.totalram, 1);
    fails(EFAULT, sysinfo, BAD);
    gives(16, getrandom, random, 16, 0);
    gives(4, getrandom, random, 4, GRND_NONBLOCK | GRND_INSECURE);
    gives(0, getrandom, random, 0, 0);
    fails(EINVAL, getrandom, random, 16, 64);
    fails(EINVAL, getrandom, random, 16, GRND_RANDOM | GRND_INSECURE);
    fails(EFAULT, getrandom, BAD, 16, 0);
    works(syslog, 10, NULL, 0);
    fails(EINVAL, syslog, 99, NULL, 0);
    fails(EINVAL, syslog, 3, NULL, 10);
    fails(EFAULT, syslog, 3, BAD, 1 << 20);
    fails(EINVAL, reboot, 1, 2, 3, NULL);
    in_child("somebody", somebody);
}
