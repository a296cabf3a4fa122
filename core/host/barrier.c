/*
 * A full barrier on every CPU that runs this process: membarrier(2), private expedited.
 *
 * It lets enter, exit and atomic sections do without a fence. When it returns, every other thread
 * of the process has either passed a full barrier since the call, between two of its instructions,
 * or was not running and passes one before it runs. ThreadSanitizer does not know the call; the
 * runtime therefore also orders what it publishes with acquire and release, which it does know.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host.h"

int k42_platform_barrier_open(void) {
    long commands = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);
    if (commands < 0 || !(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED))
        return -ENOSYS;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) < 0)
        return -errno;
    return 0;
}

void k42_platform_barrier_all(void) {
    int saved = errno;
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) < 0)
        k42_platform_panic("membarrier failed after it was registered: has the process installed a "
                           "system call filter since k42_init()?");
    errno = saved;
}
