/*
 * System V's queues of messages by their numbers, and what limits them.
 */
#ifndef KERNEL_LINUX_MESSAGE_CALLS_H
#define KERNEL_LINUX_MESSAGE_CALLS_H

#include "ipc.h"

extern struct ipc_table ipc_queues;

/* Atomic: bytes of a message, and those a new queue may have. */
struct message_limits {
    uint64_t message, queue;
};
extern struct message_limits message_limits;

/* A queue goes, with what is in it. False: another was first. */
bool queue_remove(struct ipc_entry *entry);

#endif
