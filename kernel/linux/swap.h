/* Registers /proc/swaps. Once, when there is a procfs. */
#ifndef KERNEL_LINUX_SWAP_H
#define KERNEL_LINUX_SWAP_H

void linux_swap_open(void);

#endif
