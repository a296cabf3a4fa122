/*
 * Another kernel to go over to without firmware: kexec_file_load() puts it here, reboot() starts
 * it.
 */
#ifndef KERNEL_NEXT_KERNEL_H
#define KERNEL_NEXT_KERNEL_H

#include <k42/base.h>

/* Starts what was loaded; returns only when it cannot. Errors: -EINVAL: nothing was loaded; those
 * of machine_fast_reboot(). */
K42_MUST_CHECK
k42_result next_kernel_start(void);

#endif
