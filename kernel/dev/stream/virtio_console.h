/*
 * Consoles by virtio, inside: a device with several ports, each an object of class stream.virtio.
 *
 * virtio_console.c   the device: its queues, the conversation over the control queues
 * virtio_port.c      a port: the bytes, and the object
 */
#ifndef KERNEL_VIRTIO_CONSOLE_H
#define KERNEL_VIRTIO_CONSOLE_H

#include "../stream.h"
#include "../virtio/virtio.h"

#define PORT_BUFFERS      16u
#define PORT_BUFFER_BYTES 4096u

/* A buffer that a port has for one direction. */
struct port_buffer {
    uint8_t *bytes;
    uint64_t physical;
    uint32_t used, at; /* filled, and of that taken out */
    struct port_buffer *next;
};

/*
 * A port. `receive.lock` guards what was received, `transmit.lock` the free buffers and what is on
 * its way. Neither is held while bytes are copied: a buffer that is being filled or emptied is in
 * no list, and `reading` keeps a second reader out, so that bytes keep their order.
 */
struct port {
    char name[48];   /* as the device calls it; "" when it does not */
    char listed[16]; /* "hvc0", "vport0p1" */
    struct console *console;
    uint32_t number;
    stream_ref ref; /* NULL until the device has added the port */
    struct virtio_queue receive, transmit;
    struct port_buffer in[PORT_BUFFERS], out[PORT_BUFFERS];
    struct port_buffer *received, **received_last;
    struct port_buffer *free;
    unsigned sending; /* buffers that the device has, or that are being filled */
    bool reading;     /* somebody takes bytes out */
    uint64_t settled; /* from this time on `connected` is believed when it says no */
    bool connected;   /* somebody is on the other side */
    bool is_console;
    bool listed_already;
};

/* virtio_port.c: gives the port buffers and an object. 0 or a negative errno. */
int port_make(struct port *port);
/* Gives the device room for what arrives. */
void port_fill(struct port *port);
/* Says whether somebody is on the other side. */
void port_connect(struct port *port, bool connected);
/* Work of its two queues. */
void port_reap_receive(struct virtio_queue *queue);
void port_reap_transmit(struct virtio_queue *queue);

#endif
