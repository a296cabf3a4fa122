/* Modules: who may not load any, what is none, what is not there. */
#include "abi.h"

static int garbage;

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, init_module, "none", 4, "");
    fails(EPERM, finit_module, garbage, "", 0);
    fails(EPERM, finit_module, 99, "", 64);
    fails(EPERM, delete_module, "none", O_NONBLOCK);
    fails(EPERM, delete_module, BAD, O_NONBLOCK);
}

int main(void) {
    static char text[4096] = "this is no module";
    may_lack(init_module);
    may_lack(finit_module);
    may_lack(delete_module);
    put("garbage", text);
    garbage = open("garbage", O_RDONLY);
    fails(ENOEXEC, init_module, text, 4, "");
    fails(ENOEXEC, init_module, text, sizeof text, "");
    fails(EFAULT, init_module, BAD, sizeof text, "");
    fails(ENOEXEC, finit_module, garbage, "", 0);
    fails(EBADF, finit_module, 99, "", 0);
    fails(EINVAL, finit_module, garbage, "", 64);
    fails(ENOENT, delete_module, "none", O_NONBLOCK);
    fails(EFAULT, delete_module, BAD, O_NONBLOCK);
    in_child("somebody", somebody);
}
