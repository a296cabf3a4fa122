/* kexec_file_load: who may not, and what there is not. */
#include "abi.h"

#define FLAGS_NO_INITRAMFS 4

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, kexec_file_load, 99, 99, 0, NULL, 0);
    fails(EPERM, kexec_file_load, 99, 99, 0, NULL, 1024);
}

int main(void) {
    may_lack(kexec_file_load);
    fails(EBADF, kexec_file_load, 99, 99, 0, NULL, FLAGS_NO_INITRAMFS);
    fails(EINVAL, kexec_file_load, 99, 99, 0, NULL, 1024);
    in_child("somebody", somebody);
}
