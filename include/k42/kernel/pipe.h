/*
 * What implementing a pipe takes: who is at its ends, owners of ends, changes by use, and the ring
 * of pages that the kernel's own classes keep their bytes in.
 */
#ifndef K42_KERNEL_PIPE_PARTS_H
#define K42_KERNEL_PIPE_PARTS_H

#include <k42/kernel.h>

#include "../../../kernel/body.h"
#include "../../../kernel/change.h"
#include "../../../kernel/fs/pipe/ends.h"
#include "../../../kernel/fs/pipe/ring.h"
#include "../../../kernel/owner.h"

#endif
