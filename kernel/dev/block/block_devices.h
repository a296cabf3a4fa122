/*
 * Disks as devices of programs: /dev/vda and so on.
 */
#ifndef KERNEL_BLOCK_DEVICES_H
#define KERNEL_BLOCK_DEVICES_H

/* Registers all disks that are there. Once; in a thread, active. */
void block_devices_open(void);

#endif
