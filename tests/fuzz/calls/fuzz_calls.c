/*
 * Hostile callers, led by what the kernel does: an input is a sequence of system calls, which a
 * child makes in a guest; what it comes through in the kernel leads libFuzzer to other sequences,
 * where the kernel has /dev/coverage.
 *
 * An input: a byte of choices, then calls: two bytes with a number of the table (calls.h), and for
 * each argument a byte that chooses a value of its kind, or says how many bytes of its own follow.
 * Bytes that end early are zeros. Numbers of no call put bytes into the memory that pointers show.
 *
 * Each child has descriptors, memory and a folder as the parent set them up, but may have changed
 * the files for those after it. It does nothing to anybody else: with all rights it makes no calls
 * that are the whole machine's; without any it makes them all.
 */
#include "calls.h"

#include "../fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sweep.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_MOST = 24, NOBODY = 65534, INTERRUPTED_US = 20000, PATIENCE_MS = 2000 };
enum { UNPRIVILEGED = 1, COUNTERS = 128 << 10 };

__attribute__((section("__libfuzzer_extra_counters"))) static uint8_t counters[COUNTERS];
static int coverage = -1, told = -1;

struct input {
    const uint8_t *at, *end;
};

static uint8_t byte(struct input *input) {
    return input->at < input->end ? *input->at++ : 0;
}

static long number(struct input *input, unsigned bytes) {
    unsigned long value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (unsigned long)byte(input) << 8 * i;
    return (long)value;
}

/* ---- what a call is given ---- */

/* A small one as it is; one bit; one with its own bytes; what an earlier call gave. */
static long any_number(struct input *input, const long *results) {
    uint8_t choice = byte(input);
    if (choice < 160)
        return choice;
    if (choice < 192)
        return 1l << (choice - 160);
    if (choice < 208)
        return -(long)(choice - 191);
    if (choice < 224)
        return results[choice % CALLS_MOST];
    return number(input, choice % 8 + 1);
}

static long argument(char kind, struct input *input, const long *results, bool privileged) {
    uint8_t choice;
    switch (kind) {
    case 'f':
        choice = byte(input);
        return choice < 64 ? calls_descriptor(choice) : results[choice % CALLS_MOST];
    case 't':
        choice = byte(input);
        return choice < 192 ? calls_path(choice, privileged) : calls_pointer(choice);
    case 'p':
        choice = byte(input);
        return choice < 224 ? calls_pointer(choice) : results[choice % CALLS_MOST];
    case 's':
        choice = byte(input);
        return choice < 224 ? calls_size(choice) : any_number(input, results);
    case 'i':
        choice = byte(input);
        return privileged ? (choice % 2 ? getpid() : 0) : choice < 128 ? getpid() : choice - 129;
    default:
        return any_number(input, results);
    }
}

static const struct swept *find(long wanted) {
    for (const struct swept *call = swept_calls; call->name; call++)
        if (call->number == wanted)
            return call;
    return NULL;
}

/* ---- a child's life ---- */

static void make_calls(struct input *input, bool privileged) {
    long results[CALLS_MOST] = {0};
    pid_t self = getpid();
    for (unsigned made = 0; made < CALLS_MOST && input->at < input->end; made++) {
        const struct swept *call = find(number(input, 2) % 512);
        long a[6] = {0};
        if (!call) {
            calls_poke(byte(input), &input->at, input->end);
            continue;
        }
        for (int i = 0; call->kinds[i]; i++)
            a[i] = argument(call->kinds[i], input, results, privileged);
        if (privileged && call->changes_machine)
            continue;
        results[made] = syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
        /* Of two that come back from fork() and its like only the first one goes on. */
        if (syscall(SYS_getpid) != self)
            break;
    }
}

static void limit(int what, rlim_t most) {
    struct rlimit limit = {most, most};
    setrlimit(what, &limit);
}

static void interrupted(int number) {
    (void)number;
}

_Noreturn static void live(const uint8_t *data, size_t size) {
    struct input input = {data, data + size};
    struct itimerval often = {{0, INTERRUPTED_US}, {0, INTERRUPTED_US}};
    struct sigaction action = {.sa_handler = interrupted};
    bool privileged = !(byte(&input) & UNPRIVILEGED);
    setsid();
    for (int signal = 1; signal < 32; signal++)
        sigaction(signal, &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    limit(RLIMIT_CPU, 1), limit(RLIMIT_FSIZE, 1 << 20), limit(RLIMIT_CORE, 0);
    limit(RLIMIT_AS, 1l << 30), limit(RLIMIT_NOFILE, 200), limit(RLIMIT_MEMLOCK, 1 << 20);
    if (!privileged)
        (void)!setregid(NOBODY, NOBODY), (void)!setreuid(NOBODY, NOBODY);
    if (coverage >= 0)
        (void)!write(coverage, "", 1);
    make_calls(&input, privileged);
    syscall(SYS_exit_group, 0);
    __builtin_unreachable();
}

/* ---- the parent ---- */

/* The child, and whoever it left behind, who are ours then. */
static void wait_for(pid_t child) {
    int handle = (int)syscall(SYS_pidfd_open, child, 0);
    struct pollfd ends = {handle, POLLIN, 0};
    if (poll(&ends, 1, PATIENCE_MS) <= 0)
        kill(child, SIGKILL);
    close(handle);
    while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
        continue;
    while (waitpid(-1, NULL, __WALL | WNOHANG) > 0)
        continue;
}

static void read_counters(void) {
    size_t have = 0;
    for (ssize_t got = 1; have < sizeof counters && got > 0; have += (size_t)(got > 0 ? got : 0))
        got = pread(coverage, counters + have, sizeof counters - have, (off_t)have);
}

/* So that an input that ends the kernel is known: it stands in a file of the host's. */
static void tell(const uint8_t *data, size_t size) {
    if (told < 0 || ftruncate(told, (off_t)size))
        return;
    (void)!pwrite(told, data, size, 0);
}

static void begin(void) {
    coverage = open("/dev/coverage", O_RDWR | O_CLOEXEC);
    if (getenv("TOLD"))
        told = open(getenv("TOLD"), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    expect(!getenv("TOLD") || told >= 0, "the file TOLD cannot be written");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    calls_set_up();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static bool begun;
    if (!begun)
        begin();
    begun = true;
    tell(data, size);
    fflush(stdout);
    pid_t child = fork();
    expect(child >= 0, "no child can be made");
    if (!child)
        live(data, size);
    wait_for(child);
    if (coverage >= 0)
        read_counters();
    return 0;
}
