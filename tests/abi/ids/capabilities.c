/* capget and capset. */
#include "abi.h"

#include <linux/capability.h>

int main(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0}, old = {0x1234, 0};
    struct __user_cap_data_struct data[2] = {}, before[2];
    gives(0, capget, &header, before);
    is("may change owners", before[0].effective & 1, 1);
    header.pid = 99999;
    fails(ESRCH, capget, &header, data);
    header.pid = -1;
    fails(EINVAL, capget, &header, data);
    header.pid = getpid();
    gives(0, capget, &header, data);
    fails(EINVAL, capget, &old, data);
    is("told", old.version, _LINUX_CAPABILITY_VERSION_3);
    old.version = 5;
    gives(0, capget, &old, NULL);
    fails(EFAULT, capget, BAD, data);
    fails(EFAULT, capget, &header, BAD);
    old.version = 5;
    fails(EINVAL, capset, &old, data);
    fails(EFAULT, capset, &header, BAD);
    header.pid = 1;
    fails(EPERM, capset, &header, data);
    header.pid = 0;
    memset(data, 0, sizeof data);
    data[0].permitted = data[0].inheritable = 3;
    data[0].effective = 1;
    gives(0, capset, &header, data);
    gives(0, capget, &header, before);
    say("%x %x %x", before[0].effective, before[0].permitted, before[0].inheritable);
    data[0].effective = 4;
    fails(EPERM, capset, &header, data);
    data[0].effective = 0;
    data[0].permitted = 7;
    fails(EPERM, capset, &header, data);
    data[0].permitted = 0;
    data[0].inheritable = 0;
    gives(0, capset, &header, data);
    fails(EPERM, chroot, ".");
}
