/*
 * Signals on behalf of somebody who asked for them before, and may have other rights by now: of his
 * then, only the users are looked at.
 */
#ifndef KERNEL_LINUX_SIGNAL_ON_BEHALF_H
#define KERNEL_LINUX_SIGNAL_ON_BEHALF_H

#include "../../fs/node.h"
#include "../process/process.h"

/* To a process, or one of its threads. 0, -ESRCH, -EPERM, -EAGAIN (it has too many). */
k42_result signal_for(const struct credentials *who, process_ref process, int tid,
                      const struct signal_info *info);
/* To each process of a group that may be sent it. */
k42_result signal_group_for(const struct credentials *who, int group,
                            const struct signal_info *info);

#endif
