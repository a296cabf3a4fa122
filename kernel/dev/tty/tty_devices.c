/*
 * Streams as devices of programs: a terminal on each console and serial line, /dev/console,
 * /dev/tty, and the other ports as they are.
 *
 *   hvcN, ttySN   a terminal on the stream of that name
 *   console       that of the boot option console=, or the first there is; hvc0 goes before ttyS0
 *   tty           the controlling terminal of whoever opens it
 *   vportNpM      the bytes of a port of a virtual console
 *
 * A record is made for each stream when it is listed, and stays. Which of them is the console is
 * looked up when it is opened. No locks: records are complete before they are linked.
 * A stream for which there is no memory is reported, and has no device.
 */
#include "tty_devices.h"

#include "../../fs/devices.h"
#include "../../fs/values.h"
#include "../../linux/job.h"
#include "../../mem/heap/heap.h"
#include "../../print.h"
#include "../../sched/thread.h"
#include "../names.h"
#include "../stream/stream_file.h"
#include "console.h"
#include "runtime.h"
#include "tty_file.h"

#include <errno.h>

enum {
    MAJOR_SERIAL = 4,
    MAJOR_CONSOLES = 5,
    MAJOR_PORTS = 241,
    MAJOR_VIRTUAL = 229,
    FIRST_SERIAL = 64,
    MODE_TERMINAL = 0620,
    MODE_PORT = 0600,
    MODE_ALL = 0666,
};

/* One stream and its device. */
struct tty {
    struct device device;
    char name[DEVICE_NAME_BYTES];
    struct tty_line line; /* without a terminal: a port */
    struct tty *next;
};

static struct tty *ttys; /* newest first */

/* ---- opening ---- */

static struct k42_pair open_tty(struct device *device, uint32_t minor, k42_ref node,
                                unsigned flags) {
    struct tty *tty = device->context;
    (void)minor;
    if (!k42_id_of(tty->line.terminal))
        return stream_open(tty->line.stream, node, flags);
    return tty_open(&tty->line, node, flags);
}

static struct tty *tty_named(const char *name) {
    struct tty *tty = k42_load_acquire(&ttys);
    while (tty && !k42_text_equal(tty->name, name))
        tty = tty->next;
    return tty;
}

/* Linux's name for it may come with more, such as the speed: "ttyS0,115200". */
static struct tty *console_tty(void) {
    char name[DEVICE_NAME_BYTES];
    struct tty *tty = NULL;
    if (boot_option("console", name, sizeof name)) {
        for (char *at = name; *at; at++)
            if (*at == ',')
                *at = 0;
        tty = tty_named(name);
    }
    if (!tty)
        tty = tty_named("hvc0");
    return tty ? tty : tty_named("ttyS0");
}

static struct k42_pair open_console(struct device *device, uint32_t minor, k42_ref node,
                                    unsigned flags) {
    (void)device, (void)minor;
    struct tty *tty = console_tty();
    if (!tty)
        return (struct k42_pair){-ENODEV, 0};
    return tty_open(&tty->line, node, flags);
}

/* A pseudo-terminal is opened from its node, as if by name. */
static struct k42_pair open_own(struct device *device, uint32_t minor, k42_ref node,
                                unsigned flags) {
    k42_ref own = job_terminal();
    (void)device, (void)minor;
    if (!k42_id_of(own))
        return (struct k42_pair){-ENXIO, 0};
    for (struct tty *tty = k42_load_acquire(&ttys); tty; tty = tty->next)
        if (k42_id_of(tty->line.terminal) == k42_id_of(own))
            return tty_open(&tty->line, node, flags | OPEN_NO_TERMINAL);
    struct pty *pty = pty_of_terminal((terminal_ref)own);
    if (!pty)
        return (struct k42_pair){-ENXIO, 0};
    return tty_open(&(struct tty_line){.terminal = pty->terminal, .pty = pty}, node,
                    flags | OPEN_NO_TERMINAL);
}

static struct device console_device = {
    .name = "console", .major = MAJOR_CONSOLES, .minor = 1, .mode = 0600, .open = open_console};
static struct device own_device = {
    .name = "tty", .major = MAJOR_CONSOLES, .minor = 0, .mode = MODE_ALL, .open = open_own};

/* ---- making ---- */

static bool begins(const char *text, const char *with) {
    while (*with)
        if (*text++ != *with++)
            return false;
    return true;
}

static uint32_t number_after(const char *text) {
    uint32_t number = 0;
    while (*text && (*text < '0' || *text > '9'))
        text++;
    for (; *text >= '0' && *text <= '9'; text++)
        number = number * 10 + (uint32_t)(*text - '0');
    return number;
}

static k42_result make_terminal(struct tty *tty) {
    struct terminal_new what = {.device = device_number(tty->device.major, tty->device.minor)};
    terminal_ref terminal;
    k42_result result = terminal_create(&what, &terminal);
    if (result < 0)
        return result;
    tty->line.terminal = terminal;
    result = console_join(tty->name, terminal, tty->line.stream);
    if (result < 0 && k42_destroy((k42_ref)terminal) < 0)
        print("%s: its terminal is gone already", tty->name);
    return result;
}

/* What kind of device a stream of this name is; false: none. */
static bool classify(struct tty *tty) {
    struct device *device = &tty->device;
    uint32_t number = number_after(tty->name);
    device->mode = MODE_TERMINAL;
    device->minor = number;
    if (begins(tty->name, "hvc")) {
        device->major = MAJOR_VIRTUAL;
    } else if (begins(tty->name, "ttyS")) {
        device->major = MAJOR_SERIAL;
        device->minor = FIRST_SERIAL + number;
    } else if (begins(tty->name, "vport")) {
        const char *port = tty->name + 5;
        while (*port && *port != 'p')
            port++;
        device->major = MAJOR_PORTS;
        device->minor = number * 32 + number_after(port);
        device->mode = MODE_PORT;
    } else {
        return false;
    }
    return true;
}

static k42_result add(struct tty *tty, const struct device_entry *entry) {
    k42_copy_text(tty->name, sizeof tty->name, entry->name);
    tty->line.stream = (stream_ref)entry->ref;
    if (!classify(tty))
        return -ENOENT;
    k42_result result = tty->device.major == MAJOR_PORTS ? 0 : make_terminal(tty);
    if (result < 0)
        return result;
    tty->device.name = tty->name;
    tty->device.context = tty;
    tty->device.open = open_tty;
    struct tty *newest = __atomic_load_n(&ttys, __ATOMIC_RELAXED);
    do
        tty->next = newest;
    while (!__atomic_compare_exchange_n(&ttys, &newest, tty, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    device_register(&tty->device);
    return 0;
}

static void listed(struct device_watcher *watcher, const struct device_entry *entry) {
    (void)watcher;
    if (entry->interface != &stream_interface)
        return;
    bool active = k42_active();
    if (!active)
        k42_enter();
    struct tty *tty = heap_allocate_zeroed(sizeof *tty);
    k42_result result = tty ? add(tty, entry) : -ENOMEM;
    if (result < 0) {
        heap_free(tty);
        if (result != -ENOENT)
            print("%s: no device: %s", entry->name, k42_error_name(result));
    }
    if (!active)
        k42_exit();
}

static struct device_watcher watcher = {.listed = listed};

void tty_devices_open(void) {
    k42_enter();
    device_register(&console_device);
    device_register(&own_device);
    ptys_open();
    k42_exit();
    device_watch(&watcher);
}

void tty_await_console(uint64_t patience_ns) {
    char name[DEVICE_NAME_BYTES];
    bool named = boot_option("console", name, sizeof name);
    uint64_t end = time_ns() + patience_ns;
    while ((named ? !console_tty() || !begins(name, console_tty()->name) : !console_tty()) &&
           time_ns() < end)
        thread_sleep(1000000);
}

/* ---- the end ---- */

static bool is_drained(struct tty *tty) {
    uint8_t byte;
    console_show(tty->line.terminal, tty->line.stream);
    k42_result more = k42_call(tty->line.terminal, output, &byte, 1);
    if (more > 0 && k42_call(tty->line.terminal, moved, 0) < 0)
        return true;
    return more <= 0 && k42_call(tty->line.stream, drain) != -K42_WAIT;
}

void tty_devices_drain(uint64_t patience_ns) {
    uint64_t deadline = time_ns() + patience_ns;
    for (struct tty *tty = __atomic_load_n(&ttys, __ATOMIC_ACQUIRE); tty; tty = tty->next)
        while (k42_id_of(tty->line.terminal) && !is_drained(tty) && time_ns() < deadline) {
            k42_exit();
            thread_sleep(200000);
            k42_enter();
        }
}
