/*
 * Opening a stream as it is, without a terminal.
 */
#ifndef KERNEL_STREAM_FILE_H
#define KERNEL_STREAM_FILE_H

#include "../stream.h"

/* A file on a stream, opened from `node`, with one hold; in the word. Errors: -ENOMEM. */
struct k42_pair stream_open(stream_ref stream, k42_ref node, unsigned flags);

#endif
