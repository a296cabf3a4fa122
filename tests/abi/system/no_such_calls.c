/* Numbers behind which Linux has no call. */
#include "abi.h"

int main(void) {
    fails(ENOSYS, _sysctl);
    fails(ENOSYS, create_module);
    fails(ENOSYS, get_kernel_syms);
    fails(ENOSYS, query_module);
    fails(ENOSYS, nfsservctl);
    fails(ENOSYS, getpmsg);
    fails(ENOSYS, putpmsg);
    fails(ENOSYS, afs_syscall);
    fails(ENOSYS, tuxcall);
    fails(ENOSYS, security);
    fails(ENOSYS, set_thread_area);
    fails(ENOSYS, get_thread_area);
    fails(ENOSYS, epoll_ctl_old);
    fails(ENOSYS, epoll_wait_old);
    fails(ENOSYS, vserver);
    fails(ENOSYS, uselib);
    fails(ENOSYS, lookup_dcookie);
    is("far behind the last", syscall(5000), -1);
    is("error", errno, ENOSYS);
    is("negative", syscall(-1), -1);
    is("error", errno, ENOSYS);
}
