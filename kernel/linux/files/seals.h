/*
 * fcntl's part of seals (mem/fcm/fcm.h): how they are added.
 */
#ifndef KERNEL_LINUX_SEALS_H
#define KERNEL_LINUX_SEALS_H

#include "../../fs/file.h"

enum { F_ADD_SEALS_TO = 1033, F_GET_SEALS_OF };

/* The caller holds the file. Errors: -EPERM, -EINVAL, -EBUSY. */
K42_MUST_CHECK
k42_result seals_add(file_ref file, uintptr_t seals);

#endif
