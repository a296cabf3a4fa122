/* process_vm_readv and writev: another's memory, several ranges, and where it ends. */
#include "abi.h"

int main(void) {
    static char there[64] = "another's memory";
    int child = fork();
    if (!child)
        for (;;)
            pause();
    char here[64] = "";
    struct iovec local[2] = {{here, 4}, {here + 4, 30}}, remote = {there, 16};
    gives(16, process_vm_readv, child, local, 2, &remote, 1, 0);
    say("%s", here);
    strcpy(there, "mine");
    gives(16, process_vm_readv, child, local, 2, &remote, 1, 0);
    is("its own", strcmp(here, "another's memory"), 0);
    gives(16, process_vm_writev, child, &(struct iovec){"changed by other", 16}, 1, &remote, 1, 0);
    gives(16, process_vm_readv, child, local, 2, &remote, 1, 0);
    say("%s", here);
    remote.iov_base = BAD;
    fails(EFAULT, process_vm_readv, child, local, 1, &remote, 1, 0);
    fails(EINVAL, process_vm_readv, child, local, 1, &remote, 1, 1);
    fails(ESRCH, process_vm_readv, 99999999, local, 1, &remote, 1, 0);
    kill(child, SIGKILL);
}
