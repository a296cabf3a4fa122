/*
 * What the open file before a socket tells of itself, besides what all do: FILE_OBJECT is the
 * socket, FILE_LOOK is this.
 */
#ifndef KERNEL_LINUX_SOCKET_FILE_H
#define KERNEL_LINUX_SOCKET_FILE_H

#include <stdint.h>

struct socket_holds {
    uint32_t holds; /* now */
    uint32_t taken; /* ever, but for the first */
};

#endif
