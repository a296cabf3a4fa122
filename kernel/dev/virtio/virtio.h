/*
 * Virtio devices over PCI (virtio 1.x): found, negotiated with, their queues connected to
 * interrupts.
 *
 * A virtio_device belongs to its driver. Threads only, except where it says otherwise.
 */
#ifndef KERNEL_VIRTIO_H
#define KERNEL_VIRTIO_H

#include <k42/lock.h>

#include "../pci/pci.h"
#include "../work.h"
#include "ring.h"

#define VIRTIO_VENDOR       0x1af4
#define VIRTIO_FIRST        0x1000 /* transitional: these and modern ones speak what we speak */
#define VIRTIO_LAST         0x107f
#define VIRTIO_MODERN       0x1040 /* plus the kind of device */
#define VIRTIO_NO_INTERRUPT 0xffffu

enum virtio_kind {
    VIRTIO_BLOCK = 2,
    VIRTIO_CONSOLE = 3,
    VIRTIO_9P = 9,
};

/* Features of every device; those below 24 and above 40 are a device's own. */
#define VIRTIO_F_INDIRECT  (1ul << 28)
#define VIRTIO_F_EVENT     (1ul << 29)
#define VIRTIO_F_VERSION_1 (1ul << 32)
#define VIRTIO_F_PLATFORM  (1ul << 33) /* addresses are the platform's: ours are */
#define VIRTIO_F_ORDER     (1ul << 36) /* memory is ordered as between CPUs and real devices */

struct virtio_registers;
struct virtio_queue;

struct virtio_device {
    char name[PCI_NAME_BYTES]; /* for messages */
    struct pci_function function;
    volatile struct virtio_registers *registers;
    volatile uint8_t *config; /* the device's own; NULL: none */
    uint32_t config_bytes;
    volatile uint8_t *notices;
    uint32_t notices_bytes, notice_unit;
    uint64_t features; /* agreed */
    struct pci_interrupts *interrupts;
    unsigned interrupt_count, queues_opened;
    struct virtio_queue *queues; /* the one opened last */
    void (*changed)(void *);     /* of virtio_watch() */
    void *changed_argument;
};

/*
 * A queue with its interrupt: when the device is done with something, reap(queue) runs as a piece
 * of work on the queue's CPU, active. Who uses the ring takes the lock.
 */
struct virtio_queue {
    struct k42_lock lock;
    struct ring ring;
    struct virtio_device *device;
    volatile uint16_t *notice;
    uint16_t number;
    struct work work;
    void (*reap)(struct virtio_queue *queue);
    void *shared, *own;
    uint16_t vector;
    struct virtio_queue *beside; /* the next of those that share a vector */
    struct virtio_queue *beside_of, *opened_before;
    uint64_t notices; /* how often the device was notified: each is an exit to a hypervisor */
    uint64_t interrupts;
};

/* The kind of device a function is, or 0: not a virtio device. */
unsigned virtio_kind(const struct pci_function *function);

/*
 * Resets the device and agrees on features: those of `wanted` that it offers, and what every device
 * has. 0; -ENODEV: it lacks what modern devices have; -EIO: it says nonsense or does not answer.
 */
int virtio_open(const struct pci_function *function, uint64_t wanted, struct virtio_device *device);

/*
 * Makes queue `number` with at most `most` descriptors and, when agreed on, tables for buffers of
 * up to table_pieces. Interrupts go to `cpu`. 0; -ENODEV: no such queue; -ENOMEM; -EIO.
 */
int virtio_queue_open(struct virtio_device *device, struct virtio_queue *queue, unsigned number,
                      unsigned most, unsigned table_pieces, uint32_t cpu,
                      void (*reap)(struct virtio_queue *queue));
/* After the device was reset: gives the memory back. What is in the ring is taken out before. */
void virtio_queue_close(struct virtio_queue *queue);

/* Calls fn(argument) in interrupt context when the device's configuration changes or it breaks. */
int virtio_watch(struct virtio_device *device, void (*fn)(void *), void *argument);

/* The device may begin. 0 or -EIO. */
int virtio_ready(struct virtio_device *device);

/* The device forgets everything and touches no memory of ours any more. */
void virtio_reset(struct virtio_device *device);
/* Resets it and gives everything back but the queues. */
void virtio_close(struct virtio_device *device);

/* True when the device says that it needs a reset. Any context. */
bool virtio_needs_reset(const struct virtio_device *device);

/* Publishes what was put in and notifies the device if it wants to be. The lock is held. */
void virtio_kick(struct virtio_queue *queue);

/* Reads of the device's own configuration; what lies outside reads as zero. */
uint32_t virtio_config_read(const struct virtio_device *device, unsigned offset, unsigned width);
uint64_t virtio_config_read64(const struct virtio_device *device, unsigned offset);
/* Bytes as one piece: read again until the configuration did not change meanwhile. */
void virtio_config_bytes(const struct virtio_device *device, unsigned offset, void *bytes,
                         unsigned count);

#endif
