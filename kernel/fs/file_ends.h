/*
 * The end of open files, for what keeps something about them beside them.
 */
#ifndef KERNEL_FS_FILE_ENDS_H
#define KERNEL_FS_FILE_ENDS_H

#include <k42/ref.h>

/* Set when it first matters, atomic: told of each file, and of its node, by its last release, which
 * no other holder's call comes after. */
extern void (*file_ends_told)(k42_id file, k42_id node);

#endif
