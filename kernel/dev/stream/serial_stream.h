/* The serial port as a stream, listed as ttyS0. */
#ifndef KERNEL_SERIAL_STREAM_H
#define KERNEL_SERIAL_STREAM_H

/* Once, when interrupts and work are open. A machine without the port is none the worse. */
void serial_stream_open(void);

#endif
