/*
 * The machine's devices: found and given to their drivers, which make objects of them.
 */
#ifndef KERNEL_DEVICES_H
#define KERNEL_DEVICES_H

/*
 * Starts what drivers stand on (interrupts, work), then the drivers. Once, on the boot CPU in a
 * thread, after all CPUs run. A device that does not work is reported and left alone.
 */
void devices_open(void);

#endif
