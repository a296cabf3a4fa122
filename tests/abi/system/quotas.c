/* quotactl and quotactl_fd where no file system has quotas. */
#include "abi.h"

#include <sys/quota.h>

int main(void) {
    put("file", "");
    int proc = open("/proc", O_RDONLY), type = USRQUOTA;
    struct dqblk block;
    gives(0, quotactl, QCMD(Q_SYNC, USRQUOTA), NULL, 0, NULL);
    gives(0, quotactl, QCMD(Q_SYNC, GRPQUOTA), NULL, 0, NULL);
    fails(EINVAL, quotactl, QCMD(Q_SYNC, 3), NULL, 0, NULL);
    fails(EINVAL, quotactl, QCMD(Q_GETQUOTA, 77), "file", 0, &block);
    fails(ENODEV, quotactl, QCMD(Q_GETQUOTA, USRQUOTA), NULL, 0, &block);
    fails(ENOTBLK, quotactl, QCMD(Q_GETQUOTA, USRQUOTA), "file", 0, &block);
    fails(ENOTBLK, quotactl, QCMD(Q_SYNC, USRQUOTA), "file", 0, NULL);
    fails(ENOTBLK, quotactl, QCMD(Q_QUOTAON, USRQUOTA), "/dev/null", 0, "file");
    fails(ENOTBLK, quotactl, QCMD(Q_QUOTAON, USRQUOTA), "/dev/null", 0, "missing");
    fails_on_bad_paths(quotactl, QCMD(Q_GETQUOTA, USRQUOTA), path, 0, &block);
    fails(ENOSYS, quotactl_fd, proc, QCMD(Q_SYNC, type), 0, NULL);
    fails(ENOSYS, quotactl_fd, proc, QCMD(Q_GETQUOTA, type), 0, &block);
    fails(EINVAL, quotactl_fd, proc, QCMD(Q_SYNC, 3), 0, NULL);
    fails(EBADF, quotactl_fd, -1, QCMD(Q_SYNC, type), 0, NULL);
    fails(EBADF, quotactl_fd, -1, QCMD(Q_SYNC, 3), 0, NULL);
}
