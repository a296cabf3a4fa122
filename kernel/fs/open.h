/*
 * The file systems that are there from the beginning.
 */
#ifndef KERNEL_FS_OPEN_H
#define KERNEL_FS_OPEN_H

#include <k42/base.h>

/*
 * Mounts a ramfs filled from the boot modules as the root, a devtmpfs before its /dev, a tmpfs
 * before /tmp and procfs before /proc; registers the devices that are memory. Once, in an active
 * thread. Errors: -ENOMEM.
 */
K42_MUST_CHECK
k42_result fs_open(void);

#endif
