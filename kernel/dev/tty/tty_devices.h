/*
 * Terminals and ports as devices.
 */
#ifndef KERNEL_TTY_DEVICES_H
#define KERNEL_TTY_DEVICES_H

#include <stdint.h>

/* Registers them, those of streams that are yet to come too. Once, when there is a devtmpfs; in an
 * inactive thread. */
void tty_devices_open(void);

/*
 * Waits for the stream that /dev/console is to be on, at most so long: ports of a virtual console
 * are announced one by one after it was found.
 */
void tty_await_console(uint64_t patience_ns);

/* Waits until what programs wrote has left, at most so long. An active thread. */
void tty_devices_drain(uint64_t patience_ns);

#endif
