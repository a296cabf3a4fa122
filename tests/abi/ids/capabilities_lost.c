/* What of capabilities is left after setuid, and with PR_SET_KEEPCAPS. */
#include "abi.h"

#include <linux/capability.h>
#include <sys/prctl.h>

static void show(const char *what) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    gives(0, capget, &header, data);
    say("%s: effective %s, permitted %s", what, data[0].effective ? "some" : "none",
        data[0].permitted ? "some" : "none");
}

static void plain(void) {
    setuid(SOMEBODY);
    show("plain");
}

static void kept(void) {
    prctl(PR_SET_KEEPCAPS, 1);
    setuid(SOMEBODY);
    show("kept");
    gives(1, prctl, PR_GET_KEEPCAPS);
}

static void effective(void) {
    seteuid(SOMEBODY);
    show("lent");
    seteuid(0);
    show("back");
}

int main(void) {
    in_child("plain", plain);
    in_child("kept", kept);
    in_child("effective alone", effective);
}
