/*
 * Serial console: COM1 at 115,200 baud, polled, so that it works in any context from the first
 * instructions to the last panic.
 *
 * Besides, it is a stream of bytes by interrupts (stream/serial_stream.c), which shares the wire
 * with these lines.
 *
 * Locking: one lock, with interrupts off, so that lines of several CPUs do not mix. A trap or NMI
 * that comes while its own CPU is inside writes without the lock: its line may then stand inside
 * another, but nobody waits for himself. Where there is no port, lines are lost.
 */
#include "serial.h"

#include "../arch/x86_64/arch.h"
#include "../arch/x86_64/ports.h"

#define COM1         0x3f8
#define DATA         (COM1 + 0)
#define INTERRUPTS   (COM1 + 1)
#define FIFO         (COM1 + 2)
#define LINE         (COM1 + 3)
#define MODEM        (COM1 + 4)
#define STATUS       (COM1 + 5)
#define SCRATCH      (COM1 + 7)
#define REASON       FIFO /* when read */
#define REASON_NONE  1
#define WANT_BYTES   1
#define WANT_ROOM    2
#define STATUS_BYTE  0x01
#define STATUS_EMPTY 0x20 /* room for a whole FIFO */
#define STATUS_IDLE  0x40 /* and nothing on its way */
#define FIFO_SIZE    16
#define NOBODY       (~0u)

static bool present;
static unsigned owner = NOBODY;
static uint8_t wanted; /* reasons to interrupt; under the lock */

void serial_open(void) {
    port_write8(SCRATCH, 0x5a);
    if (port_read8(SCRATCH) != 0x5a)
        return;
    port_write8(INTERRUPTS, 0);
    port_write8(LINE, 0x80); /* the next two are the divisor of the clock */
    port_write8(DATA, 1);
    port_write8(INTERRUPTS, 0);
    port_write8(LINE, 0x03); /* eight bits, no parity, one stop bit */
    port_write8(FIFO, 0x07);
    port_write8(MODEM, 0x0b); /* the last bit lets interrupts out of the chip */
    present = true;
}

struct wire {
    unsigned room;
};

static void put(struct wire *wire, char c) {
    if (!wire->room) {
        while (!(port_read8(STATUS) & STATUS_EMPTY))
            __builtin_ia32_pause();
        wire->room = FIFO_SIZE;
    }
    port_write8(DATA, (uint8_t)c);
    wire->room--;
}

/* True when the lock was taken, false when this CPU has it already. */
static bool take(unsigned self) {
    unsigned expected = NOBODY;
    while (!__atomic_compare_exchange_n(&owner, &expected, self, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
        if (expected == self)
            return false;
        expected = NOBODY;
        __builtin_ia32_pause();
    }
    return true;
}

struct held {
    uintptr_t flags;
    bool taken;
};

static struct held hold(void) {
    struct held held = {.flags = interrupts_save()};
    held.taken = take(cpu_number());
    return held;
}

static void let_go(struct held held) {
    if (held.taken)
        __atomic_store_n(&owner, NOBODY, __ATOMIC_RELEASE);
    interrupts_restore(held.flags);
}

void serial_write_line(const char *text, size_t length) {
    if (!present)
        return;
    struct held held = hold();
    struct wire wire = {0};
    for (size_t i = 0; i < length; i++)
        put(&wire, text[i]);
    put(&wire, '\r');
    put(&wire, '\n');
    let_go(held);
}

/* ---- by interrupts ---- */

bool serial_present(void) {
    return present;
}

/* Under the lock. */
static void want(uint8_t reason, bool on) {
    wanted = (uint8_t)((wanted & ~reason) | (on ? reason : 0));
    port_write8(INTERRUPTS, wanted);
}

void serial_want_received(bool on) {
    struct held held = hold();
    want(WANT_BYTES, on);
    let_go(held);
}

void serial_want_room(bool on) {
    struct held held = hold();
    want(WANT_ROOM, on);
    let_go(held);
}

bool serial_interrupted(void) {
    return !(port_read8(REASON) & REASON_NONE);
}

int serial_get(void) {
    return port_read8(STATUS) & STATUS_BYTE ? port_read8(DATA) : -1;
}

void serial_send(int (*next)(void *context), void *context) {
    struct held held = hold();
    unsigned room = port_read8(STATUS) & STATUS_EMPTY ? FIFO_SIZE : 0;
    while (room--) {
        int byte = next(context);
        if (byte < 0) {
            want(WANT_ROOM, false);
            break;
        }
        port_write8(DATA, (uint8_t)byte);
    }
    let_go(held);
}

void serial_drain(void) {
    while (present && !(port_read8(STATUS) & STATUS_IDLE))
        __builtin_ia32_pause();
}
