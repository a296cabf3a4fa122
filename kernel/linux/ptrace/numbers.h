/*
 * Numbers and structures of ptrace(), from Linux's header, which has a name that is ours, too.
 */
#ifndef KERNEL_PTRACE_NUMBERS_H
#define KERNEL_PTRACE_NUMBERS_H

#pragma push_macro("FRAME_SIZE")
#undef FRAME_SIZE
#include <linux/ptrace.h>
#undef FRAME_SIZE
#pragma pop_macro("FRAME_SIZE")

#endif
