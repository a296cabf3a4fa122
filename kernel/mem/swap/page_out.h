/* Makes relief send pages to the swap when there is one. Once, at boot. */
#ifndef KERNEL_SWAP_PAGE_OUT_H
#define KERNEL_SWAP_PAGE_OUT_H

void swap_open(void);

#endif
