/*
 * Timers of processes that send signals, for whoever ends processes.
 */
#ifndef KERNEL_ALARMS_H
#define KERNEL_ALARMS_H

/* Once, before the first process. */
void alarms_open(void);

#endif
