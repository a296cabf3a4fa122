/*
 * Console: moves bytes between a terminal and a stream.
 *
 * Output is moved by whoever wrote it, and by the thread when the stream was full or an echo came.
 * Only one at a time has output in hand (terminal.output), so it stays in order. Nothing is left
 * lying: who is refused output has left a note, and who had it in hand finds the note when he says
 * what was moved, and tries again.
 *
 * Input is moved by the thread alone. What the terminal has no room for waits here, in `rest`,
 * until a reader makes room (TERMINAL_DEVICE, WAIT_WRITE).
 *
 * Data is the thread's. No locks. A stream that fails loses what it was given.
 */
#include "console.h"

#include "../../copy.h"
#include "../../mem/heap/heap.h"
#include "../../sched/thread.h"
#include "../../sched/wait.h"

#include <errno.h>

enum { CHUNK = 512 };

struct console {
    terminal_ref terminal;
    stream_ref stream;
    uint8_t rest[CHUNK];
    size_t count;
};

void console_show(terminal_ref terminal, stream_ref stream) {
    for (;;) {
        uint8_t bytes[CHUNK];
        k42_result count = k42_call(terminal, output, bytes, sizeof bytes);
        if (count <= 0)
            return;
        struct copy copy = copy_of_kernel(bytes, (size_t)count);
        k42_result moved = k42_call(stream, write, &copy);
        if (moved < 0)
            moved = moved == -K42_WAIT ? 0 : count;
        k42_result asked = k42_call(terminal, moved, (size_t)moved);
        if (moved < count && asked != 1)
            return;
    }
}

/* Gives the terminal what is here; true when it took all. */
static bool offer(struct console *console) {
    k42_result taken = k42_call(console->terminal, input, console->rest, console->count);
    if (taken < 0)
        taken = (k42_result)console->count;
    console->count -= (size_t)taken;
    for (size_t n = 0; n < console->count; n++)
        console->rest[n] = console->rest[n + (size_t)taken];
    return !console->count;
}

/* Moves input while there is some and room for it. False: there will be no more. */
static bool take_input(struct console *console) {
    while (offer(console)) {
        struct copy copy = copy_of_kernel(console->rest, sizeof console->rest);
        k42_result got = k42_call(console->stream, read, &copy);
        if (got == -K42_WAIT)
            return true;
        if (got <= 0)
            return false;
        console->count = (size_t)got;
    }
    return true;
}

static void run(void *argument) {
    struct console *console = argument;
    struct wait_set set;
    struct wait_entry device, program;
    wait_set_open(&set);
    wait_set_add(&set, &device,
                 (struct wait_point){.id = k42_id_of(console->stream),
                                     .key = STREAM_KEY,
                                     .events = WAIT_READ | WAIT_WRITE | WAIT_HANGUP});
    wait_set_add(&set, &program,
                 (struct wait_point){.id = k42_id_of(console->terminal),
                                     .key = TERMINAL_DEVICE,
                                     .events = WAIT_READ | WAIT_WRITE});
    k42_enter();
    while (take_input(console)) {
        console_show(console->terminal, console->stream);
        if (wait_sleep(&set, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE) < 0)
            break;
    }
    k42_result gone = k42_call(console->terminal, hang_up, TERMINAL_GONE);
    (void)gone; /* stale: somebody destroyed the terminal first */
    k42_exit();
    wait_remove(&device);
    wait_remove(&program);
    heap_free(console);
}

k42_result console_join(const char *name, terminal_ref terminal, stream_ref stream) {
    struct console *console = heap_allocate_zeroed(sizeof *console);
    if (!console)
        return -ENOMEM;
    console->terminal = terminal;
    console->stream = stream;
    int started = thread_start_alone(name, run, console);
    if (started < 0)
        heap_free(console);
    return started;
}
