/*
 * Terminals as devices of programs: /dev/console, /dev/ttyS0 or whatever port there is, /dev/tty.
 */
#ifndef KERNEL_TTY_DEVICES_H
#define KERNEL_TTY_DEVICES_H

/*
 * Joins a terminal to each port that can be a console and registers it; the first of ttyS0 and
 * hvc0 is the console. Once, when devices and the initial file system are there. May wait.
 */
void tty_devices_open(void);

#endif
