/*
 * Terminals as devices of programs: a table of ports that have one, made at boot and not changed.
 *
 * /dev/tty leads to the terminal of whoever opens it (job.h).
 */
#include "tty_devices.h"

#include "../../fs/devices.h"
#include "../../linux/job.h"
#include "../../print.h"
#include "../names.h"
#include "console.h"
#include "tty_file.h"

#include <errno.h>
#include <k42/k42.h>

struct port {
    const char *name;
    uint32_t major, minor;
    stream_ref stream;
    terminal_ref terminal;
    struct device device;
};

static struct port ports[] = {
    {.name = "ttyS0", .major = 4, .minor = 64},
    {.name = "hvc0", .major = 229, .minor = 0},
};
#define PORTS (sizeof ports / sizeof *ports)

static struct k42_pair open_port(struct device *device, uint32_t minor, k42_ref node,
                                 unsigned flags) {
    struct port *port = device->context;
    (void)minor;
    return tty_open(port->terminal, port->stream, node, flags);
}

static struct k42_pair open_own(struct device *device, uint32_t minor, k42_ref node,
                                unsigned flags) {
    k42_id terminal = k42_id_of(job_terminal());
    (void)device, (void)minor;
    for (unsigned i = 0; i < PORTS; i++)
        if (terminal && k42_id_of(ports[i].terminal) == terminal)
            return tty_open(ports[i].terminal, ports[i].stream, node, flags);
    return (struct k42_pair){.result = -ENXIO};
}

static struct device console = {
    .name = "console", .major = 5, .minor = 1, .mode = 0600, .open = open_port};
static struct device own = {.name = "tty", .major = 5, .minor = 0, .mode = 0666, .open = open_own};

static void join(struct port *port) {
    port->stream = (stream_ref)device_find(port->name, &stream_interface);
    if (!k42_id_of(port->stream))
        return;
    if (terminal_create(&port->terminal) < 0 ||
        console_join(port->name, port->terminal, port->stream) < 0) {
        print("tty: no memory for a terminal at %s", port->name);
        return;
    }
    port->device = (struct device){.name = port->name,
                                   .major = port->major,
                                   .minor = port->minor,
                                   .mode = 0600,
                                   .open = open_port,
                                   .context = port};
    k42_enter();
    device_register(&port->device);
    if (!console.context) {
        console.context = port;
        device_register(&console);
    }
    k42_exit();
}

void tty_devices_open(void) {
    for (unsigned i = 0; i < PORTS; i++)
        join(&ports[i]);
    k42_enter();
    device_register(&own);
    k42_exit();
}
