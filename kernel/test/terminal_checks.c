/*
 * Checks of terminals and consoles: test=terminal.
 *
 * The device is a wire: a stream whose one end the check holds. It takes output in small pieces and
 * is full most of the time. No program runs, so job control is nobody's here; the system tests have
 * it.
 */
#include "../copy.h"
#include "../dev/tty/console.h"
#include "../fs/file.h"
#include "../kernel.h"
#include "../sched/thread.h"
#include "../sched/wait.h"
#include "crew.h"
#include "runtime.h"

#include <errno.h>
#include <k42/k42.h>

enum { WIRE = 64, SHOWN = 65536, LINES = 500 };

/* What the check holds. */
struct far_end {
    struct k42_lock lock;
    uint8_t typed[WIRE];
    size_t count;
    size_t room; /* for output, until the check makes more */
    bool gone;
    uint8_t shown[SHOWN];
    size_t shown_count;
};

struct wire {
    struct k42_root root;
    struct stream rep;
    struct far_end *far;
};

static struct wire *wire_of(struct stream *self) {
    return k42_container(self, struct wire, rep);
}

static k42_result wire_read(struct stream *self, struct copy *copy) {
    struct far_end *far = wire_of(self)->far;
    uint8_t bytes[WIRE];
    (void)k42_lock(&far->lock);
    size_t count = far->count;
    for (size_t n = 0; n < count; n++)
        bytes[n] = far->typed[n];
    far->count = 0;
    bool gone = far->gone;
    k42_unlock(&far->lock);
    if (!count)
        return gone ? 0 : wait_on(k42_root_id(&wire_of(self)->root), STREAM_KEY, WAIT_READ);
    wait_notify(k42_root_id(&wire_of(self)->root), 1, WAIT_WRITE, WAIT_ALL);
    return copy_out(copy, bytes, count);
}

static k42_result wire_write(struct stream *self, struct copy *copy) {
    struct far_end *far = wire_of(self)->far;
    (void)k42_lock(&far->lock);
    size_t room = far->room < copy->left ? far->room : copy->left;
    k42_result taken = room ? copy_in(copy, far->shown + far->shown_count, room) : 0;
    far->room -= (size_t)taken;
    far->shown_count += (size_t)taken;
    k42_unlock(&far->lock);
    return taken ? taken : wait_on(k42_root_id(&wire_of(self)->root), STREAM_KEY, WAIT_WRITE);
}

static k42_result wire_poll(struct stream *self) {
    struct far_end *far = wire_of(self)->far;
    return (far->count ? WAIT_READ : 0) | (far->room ? WAIT_WRITE : 0) |
           (far->gone ? WAIT_HANGUP : 0);
}

static k42_result wire_drain(struct stream *self) {
    (void)self;
    return 0;
}

static k42_result wire_service(struct stream *self, unsigned what) {
    (void)self, (void)what;
    return 0;
}

static k42_result wire_describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    return (k42_result)k42_format_text(text, size, "a wire");
}

static k42_result wire_init(struct k42_root *root, const void *args) {
    k42_container(root, struct wire, root)->far = (struct far_end *)args;
    return 0;
}

static const struct stream_ops wire_ops = {
    .object.describe = wire_describe,
    .read = wire_read,
    .write = wire_write,
    .poll = wire_poll,
    .drain = wire_drain,
    .service = wire_service,
};

K42_CLASS(test_wire) = {
    .name = "test.wire",
    .interface = &stream_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct wire),
    .rep_offset = offsetof(struct wire, rep),
    .ops = &wire_ops,
    .init = wire_init,
};

/* ---- a terminal on a wire ---- */

static struct far_end far;
static terminal_ref terminal;
static stream_ref stream;

static bool set_up(void) {
    __builtin_memset(&far, 0, sizeof far); /* too large for a stack, where = might build it */
    static const struct terminal_new on_a_wire;
    k42_enter();
    bool made = terminal_create(&on_a_wire, &terminal) == 0;
    k42_exit();
    return made && k42_create(&test_wire, &far, (k42_ref *)&stream) == 0 &&
           console_join("console", terminal, stream) == 0;
}

/* The line goes dead, the console's thread ends, the objects go. */
static bool take_down(void) {
    far.gone = true;
    wait_notify(k42_id_of(stream), STREAM_KEY, WAIT_HANGUP, WAIT_ALL);
    k42_result ready;
    do {
        thread_yield();
        k42_enter();
        ready = k42_call(terminal, poll, 0);
        k42_exit();
    } while (ready >= 0 && !(ready & FILE_HANG_UP));
    return k42_destroy((k42_ref)terminal) == 0 && k42_destroy((k42_ref)stream) == 0;
}

static void type(const char *text) {
    while (*text) {
        (void)k42_lock(&far.lock);
        while (*text && far.count < WIRE)
            far.typed[far.count++] = (uint8_t)*text++;
        k42_unlock(&far.lock);
        wait_notify(k42_id_of(stream), STREAM_KEY, WAIT_READ, WAIT_ALL);
        if (*text)
            thread_yield();
    }
}

static void let_show(size_t room) {
    (void)k42_lock(&far.lock);
    far.room += room;
    k42_unlock(&far.lock);
    wait_notify(k42_id_of(stream), STREAM_KEY, WAIT_WRITE, WAIT_ALL);
}

static k42_result read_line(char *text, size_t size) {
    struct copy copy = copy_of_kernel(text, size);
    k42_result result;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(terminal, read, 0, &copy));
    k42_exit();
    return result;
}

static bool shown_is(const char *text) {
    size_t length = k42_text_length(text);
    while (__atomic_load_n(&far.shown_count, __ATOMIC_ACQUIRE) < length)
        thread_yield();
    for (size_t n = 0; n < length; n++)
        if (far.shown[n] != (uint8_t)text[n])
            return false;
    return far.shown_count == length;
}

KERNEL_CHECK(terminal, typing_is_echoed_and_read_by_lines) {
    char text[16];
    bool holds = set_up();
    let_show(100);
    type("ab\x7f"
         "c\nsecond\n");
    holds = holds && read_line(text, sizeof text) == 3 && text[1] == 'c' && text[2] == '\n';
    holds = holds && read_line(text, 3) == 3 && text[0] == 's';
    holds = holds && read_line(text, sizeof text) == 4 && text[3] == '\n';
    holds = holds && shown_is("ab\b \bc\r\nsecond\r\n");
    return take_down() && holds;
}

KERNEL_CHECK(terminal, a_dead_line_ends_reading) {
    char text[16];
    bool holds = set_up();
    type("x");
    far.gone = true;
    wait_notify(k42_id_of(stream), STREAM_KEY, WAIT_HANGUP, WAIT_ALL);
    holds = holds && read_line(text, sizeof text) == 0;
    return take_down() && holds;
}

/* ---- under load ---- */

static void swap_terminal(struct member *self) {
    while (member_goes_on(self)) {
        k42_result swapped = k42_swap((k42_ref)terminal, k42_class_find("terminal.line"), NULL);
        self->done += swapped == 0;
        thread_sleep(200000);
    }
}

static void type_lines(struct member *self) {
    for (unsigned n = 0; n < LINES; n++) {
        char line[32];
        k42_format_text(line, sizeof line, "line %u\n", n);
        type(line);
        self->done++;
    }
}

static void make_room(struct member *self) {
    while (member_goes_on(self)) {
        let_show(7);
        thread_yield();
    }
}

static bool lines_arrive(void) {
    for (unsigned n = 0; n < LINES; n++) {
        char line[32], expected[32];
        k42_format_text(expected, sizeof expected, "line %u\n", n);
        k42_result got = read_line(line, sizeof line - 1);
        if (got <= 0)
            return false;
        line[got] = 0;
        if (!k42_text_equal(line, expected))
            return false;
    }
    return true;
}

/* Every line is echoed once and in order, however often the terminal was exchanged. */
static bool echoes_are_whole(void) {
    size_t at = 0;
    for (unsigned n = 0; n < LINES; n++) {
        char expected[32];
        size_t length = k42_format_text(expected, sizeof expected, "line %u\r\n", n);
        while (__atomic_load_n(&far.shown_count, __ATOMIC_ACQUIRE) < at + length)
            thread_yield();
        for (size_t i = 0; i < length; i++)
            if (far.shown[at + i] != (uint8_t)expected[i])
                return false;
        at += length;
    }
    return far.shown_count == at;
}

KERNEL_CHECK(terminal, nothing_typed_is_lost_while_the_terminal_is_swapped) {
    static struct crew swappers, typists, showers;
    if (!set_up() || !crew_start(&swappers, 1, false, swap_terminal, NULL) ||
        !crew_start(&showers, 1, false, make_room, NULL) ||
        !crew_start(&typists, 1, false, type_lines, NULL))
        return false;
    bool holds = lines_arrive() && echoes_are_whole();
    crew_wait(&typists);
    crew_await(&swappers, 1);
    crew_end(&swappers);
    crew_end(&showers);
    return take_down() && holds;
}
