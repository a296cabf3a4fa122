/*
 * What implementing a pipe takes: the ring that its body is, owners of ends, changes by use.
 */
#ifndef K42_KERNEL_PIPE_PARTS_H
#define K42_KERNEL_PIPE_PARTS_H

#include <k42/kernel.h>

#include "../../../kernel/body.h"
#include "../../../kernel/change.h"
#include "../../../kernel/fs/pipe/ring.h"
#include "../../../kernel/owner.h"

#endif
