/*
 * Consoles by virtio: the device and the conversation over its control queues.
 *
 * All queues are opened before the device begins; ports are made when the device adds them, and
 * stay. Each is listed by the name that Linux gives it: the console ports as hvc0 and so on, the
 * others as vport<device>p<port>; and by the name that the device gives it, if it does.
 *
 * Owns: struct console, for ever. Control messages are taken by one piece of work, so what they
 * change needs no lock; those we send take the queue's.
 */
#include "virtio_console.h"

#include "../../arch/x86_64/arch.h"
#include "../../print.h"
#include "../dma.h"
#include "../names.h"
#include "runtime.h"

/* Features, configuration, queues (virtio 1.2, 5.3). */
#define F_MULTIPORT (1ul << 1)
enum { PORTS_AT = 4 };
enum { CONTROL_RECEIVE = 2, CONTROL_TRANSMIT = 3 };
enum {
    DEVICE_READY = 0,
    PORT_ADD = 1,
    PORT_REMOVE = 2,
    PORT_READY = 3,
    CONSOLE_PORT = 4,
    PORT_OPEN = 6,
    PORT_NAME = 7,
};

#define PORTS_MAX     64u
#define RING_SIZE     64u
#define MESSAGES      32u /* of control, each way */
#define MESSAGE_BYTES 128u

struct message {
    uint32_t port;
    uint16_t event, value;
    char name[MESSAGE_BYTES - 8]; /* of PORT_NAME, not terminated */
};
_Static_assert(sizeof(struct message) == MESSAGE_BYTES, "buffers lie side by side");

struct console {
    struct virtio_device device;
    struct virtio_queue control_receive, control_transmit;
    struct message *messages; /* the received ones, then those to send */
    uint64_t messages_physical;
    uint32_t to_send; /* messages that are free, a bit each */
    unsigned number, consoles;
    unsigned port_count;
    struct port ports[];
};
_Static_assert(MESSAGES == 32, "a bit each");

static struct ring_piece piece_of(const struct console *console, unsigned index, uint32_t bytes) {
    return (struct ring_piece){console->messages_physical + index * MESSAGE_BYTES, bytes};
}

/* ---- sending ---- */

/* Control messages are few: one that finds no room is lost, and said to be. */
static void say(struct console *console, uint32_t port, uint16_t event, uint16_t value) {
    struct virtio_queue *queue = &console->control_transmit;
    k42_lock(&queue->lock);
    bool sent = false;
    if (console->to_send) {
        unsigned index = MESSAGES + (unsigned)__builtin_ctz(console->to_send);
        struct ring_piece piece = piece_of(console, index, 8);
        console->messages[index] = (struct message){.port = port, .event = event, .value = value};
        sent = ring_add(&queue->ring, &piece, 1, 0, &console->messages[index]) == 0;
        if (sent)
            console->to_send &= console->to_send - 1;
        virtio_kick(queue);
    }
    k42_unlock(&queue->lock);
    if (!sent)
        print("console %u: control message %u is lost", console->number, event);
}

static void reap_sent(struct virtio_queue *queue) {
    struct console *console = k42_container(queue, struct console, control_transmit);
    void *token;
    uint32_t none;
    k42_lock(&queue->lock);
    do
        while (ring_take(&queue->ring, &token, &none) > 0)
            console->to_send |= 1u << ((struct message *)token - console->messages - MESSAGES);
    while (!queue->ring.broken && ring_listen(&queue->ring));
    k42_unlock(&queue->lock);
}

/* ---- ports ---- */

static void list_port(struct port *port) {
    struct console *console = port->console;
    if (port->is_console)
        k42_format_text(port->listed, sizeof port->listed, "hvc%u", console->consoles++);
    else
        k42_format_text(port->listed, sizeof port->listed, "vport%up%u", console->number,
                        port->number);
    k42_result result = device_list(port->listed, &stream_interface, (k42_ref)port->ref);
    if (result < 0)
        print("console: %s cannot be listed: %s", port->listed, k42_error_name(result));
    port->listed_already = true;
}

static void add_port(struct console *console, struct port *port) {
    if (port->ref)
        return;
    int error = port_make(port);
    say(console, port->number, PORT_READY, error == 0);
    if (error) {
        print("console: port %u cannot be used: %s", port->number, k42_error_name(error));
        return;
    }
    port_fill(port);
}

/* The device says what a port is in this order: console or not, connected, name. */
static void open_port(struct port *port, bool connected) {
    if (!port->listed_already) {
        list_port(port);
        say(port->console, port->number, PORT_OPEN, 1);
    }
    port_connect(port, connected || port->is_console);
}

static void name_port(struct port *port, const struct message *message, uint32_t bytes) {
    uint32_t length = bytes - 8 < sizeof port->name - 1 ? bytes - 8 : sizeof port->name - 1;
    __builtin_memcpy(port->name, message->name, length);
    port->name[length] = 0;
    if (device_list(port->name, &stream_interface, (k42_ref)port->ref) < 0)
        print("console: another port is named %s", port->name);
    if (!port->listed_already)
        open_port(port, false);
}

static void hear(struct console *console, const struct message *message, uint32_t bytes) {
    if (bytes < 8 || bytes > sizeof *message || message->port >= console->port_count)
        return;
    struct port *port = &console->ports[message->port];
    if (message->event == PORT_ADD)
        add_port(console, port);
    if (!port->ref)
        return;
    if (message->event == CONSOLE_PORT) {
        port->is_console = true;
        open_port(port, true);
    }
    if (message->event == PORT_OPEN)
        open_port(port, message->value);
    if (message->event == PORT_NAME)
        name_port(port, message, bytes);
    if (message->event == PORT_REMOVE)
        port_connect(port, false);
}

/* Under the queue's lock. */
static void offer_message(struct console *console, unsigned index) {
    struct ring_piece piece = piece_of(console, index, MESSAGE_BYTES);
    if (ring_add(&console->control_receive.ring, &piece, 0, 1, &console->messages[index]))
        print("console %u: its device is broken", console->number);
}

/* A copy, which the device cannot change while it is looked at. False: no more. */
static bool next_message(struct console *console, struct message *message, uint32_t *bytes) {
    struct virtio_queue *queue = &console->control_receive;
    void *token;
    k42_lock(&queue->lock);
    bool came;
    do
        came = ring_take(&queue->ring, &token, bytes) > 0;
    while (!came && !queue->ring.broken && ring_listen(&queue->ring));
    if (came) {
        *message = *(struct message *)token;
        offer_message(console, (unsigned)((struct message *)token - console->messages));
        virtio_kick(queue);
    }
    k42_unlock(&queue->lock);
    return came;
}

static void reap_control(struct virtio_queue *queue) {
    struct console *console = k42_container(queue, struct console, control_receive);
    struct message message;
    uint32_t bytes;
    while (next_message(console, &message, &bytes))
        hear(console, &message, bytes);
}

/* ---- finding and opening ---- */

static int open_control(struct console *console) {
    int error = virtio_queue_open(&console->device, &console->control_receive, CONTROL_RECEIVE,
                                  RING_SIZE, 0, 0, reap_control);
    if (!error)
        error = virtio_queue_open(&console->device, &console->control_transmit, CONTROL_TRANSMIT,
                                  RING_SIZE, 0, 0, reap_sent);
    console->messages =
        dma_allocate(2 * MESSAGES * sizeof *console->messages, &console->messages_physical);
    if (error || !console->messages)
        return error ? error : -ENOMEM;
    console->to_send = ~0u;
    for (unsigned i = 0; i < MESSAGES; i++)
        offer_message(console, i);
    return console->control_receive.ring.size < MESSAGES ? -EIO : 0;
}

static int open_port_queues(struct console *console, unsigned number) {
    struct port *port = &console->ports[number];
    unsigned first = number ? 2 * number + 2 : 0;
    port->console = console;
    port->number = number;
    uint32_t cpu = number % cpu_count();
    int error = virtio_queue_open(&console->device, &port->receive, first, RING_SIZE, 0, cpu,
                                  port_reap_receive);
    if (!error)
        error = virtio_queue_open(&console->device, &port->transmit, first + 1, RING_SIZE, 0, cpu,
                                  port_reap_transmit);
    return error;
}

static int open_queues(struct console *console) {
    int error = 0;
    for (unsigned n = 0; n < console->port_count && !error; n++)
        error = open_port_queues(console, n);
    if (!error && (console->device.features & F_MULTIPORT))
        error = open_control(console);
    return error;
}

static void close_queues(struct console *console) {
    for (unsigned n = 0; n < console->port_count; n++) {
        virtio_queue_close(&console->ports[n].receive);
        virtio_queue_close(&console->ports[n].transmit);
    }
    virtio_queue_close(&console->control_receive);
    virtio_queue_close(&console->control_transmit);
    dma_free(console->messages);
}

/* The interrupts of queues that nobody listens to never come; these ask for theirs. */
static void begin(struct console *console) {
    k42_enter();
    if (console->device.features & F_MULTIPORT) {
        virtio_kick(&console->control_receive);
        say(console, 0, DEVICE_READY, 1);
        work_raise(&console->control_receive.work);
    } else {
        console->ports[0].is_console = true;
        add_port(console, &console->ports[0]);
        if (console->ports[0].ref)
            open_port(&console->ports[0], true);
    }
    k42_exit();
}

static int probe(const struct pci_function *function) {
    static unsigned next;
    if (virtio_kind(function) != VIRTIO_CONSOLE)
        return -ENODEV;
    struct virtio_device device;
    int error = virtio_open(function, F_MULTIPORT, &device);
    if (error)
        return error;
    uint32_t ports = device.features & F_MULTIPORT ? virtio_config_read(&device, PORTS_AT, 4) : 1;
    ports = ports < PORTS_MAX ? ports : PORTS_MAX;
    struct console *console =
        k42_platform_alloc(sizeof *console + ports * sizeof console->ports[0]);
    if (!console || !ports) {
        virtio_close(&device);
        k42_platform_free(console);
        return console ? -EIO : -ENOMEM;
    }
    console->device = device;
    console->port_count = ports;
    console->number = next;
    error = open_queues(console);
    if (!error)
        error = virtio_ready(&console->device);
    if (error) {
        virtio_close(&console->device);
        close_queues(console);
        k42_platform_free(console);
        return error;
    }
    next++;
    begin(console);
    return 0;
}

PCI_DRIVER(virtio_console) = {
    .name = "virtio-console",
    .vendor = VIRTIO_VENDOR,
    .device_first = VIRTIO_FIRST,
    .device_last = VIRTIO_LAST,
    .class_ = PCI_ANY,
    .probe = probe,
};
