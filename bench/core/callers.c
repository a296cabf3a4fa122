/*
 * Busy callers and windows of time; see callers.h.
 *
 * `state` counts openings and closings: 2k before window k opens, 2k + 1 while it is open, 2k + 2
 * afterwards. It is written by the thread that opens windows and read by callers once a turn. Each
 * caller writes its own row of `longest`, which is read after it has ended.
 */
#include "callers.h"
#include "measure.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define MOST_CALLERS 64
#define SLEEP_TICKS  5000 /* nobody sleeps and wakes in less */

/* The longest turn of a caller in a window, and whether the thread slept in it. */
struct longest {
    uint64_t ticks;
    int slept;
};

static struct {
    size_t state __attribute__((aligned(64)));
    int stop;
    unsigned ready;
    callers_call *call __attribute__((aligned(64)));
    void *context;
    size_t windows;
    unsigned threads;
    pthread_t thread[MOST_CALLERS];
    struct longest *longest[MOST_CALLERS]; /* by window */
    uint64_t calls[MOST_CALLERS];
    struct {
        size_t state __attribute__((aligned(64)));
    } begun[MOST_CALLERS]; /* the state before each caller's present turn; written by it */
} callers;

static uint32_t next_random(uint64_t *seed) {
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 32);
}

/*
 * The moment at which one turn ends and the next begins. A caller may be stopped for long between
 * reading the clock and reading the state, in either order, while windows open and close. The state
 * is therefore read on both sides: whichever turn the stop makes long, the window lies between the
 * state before its begin and the state after its end.
 */
struct boundary {
    size_t before;
    uint64_t ticks;
    size_t after;
};

static inline struct boundary boundary_now(void) {
    struct boundary now;
    now.before = __atomic_load_n(&callers.state, __ATOMIC_ACQUIRE);
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    now.ticks = measure_ticks();
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    now.after = __atomic_load_n(&callers.state, __ATOMIC_ACQUIRE);
    return now;
}

/*
 * Whether this thread has gone to sleep by itself since it was last asked: so, in the turn it asks
 * about, since it asks after every turn that is long enough. A thread that is preempted does not
 * count.
 */
static int has_slept(void) {
    static __thread long switches_before;
    struct rusage usage;
    getrusage(RUSAGE_THREAD, &usage);
    int slept = usage.ru_nvcsw != switches_before;
    switches_before = usage.ru_nvcsw;
    return slept;
}

/* Credits a turn to each window k with 2k + 1 between the states at its begin and its end. */
static void credit_turn(struct longest *longest, const struct boundary *begin,
                        const struct boundary *end) {
    uint64_t ticks = end->ticks - begin->ticks;
    int slept = ticks > SLEEP_TICKS && has_slept();
    for (size_t window = begin->before / 2;
         2 * window + 1 <= end->after && window < callers.windows; window++) {
        if (longest[window].ticks < ticks)
            longest[window] = (struct longest){ticks, slept};
    }
}

static void *call_without_pause(void *argument) {
    unsigned number = (unsigned)(uintptr_t)argument;
    struct longest *longest = callers.longest[number];
    uint64_t seed = number + 1, calls = 0;

    measure_pin(number);
    measure_require(k42_attach("caller"), "attaching a caller");
    __atomic_fetch_add(&callers.ready, 1, __ATOMIC_SEQ_CST);

    has_slept();
    struct boundary begin = boundary_now(), end;
    for (; !__atomic_load_n(&callers.stop, __ATOMIC_RELAXED); begin = end) {
        __atomic_store_n(&callers.begun[number].state, begin.before, __ATOMIC_RELEASE);
        uint32_t random = next_random(&seed);
        k42_enter();
        k42_result result = callers.call(callers.context, random);
        k42_exit();
        end = boundary_now();
        if (begin.before != end.after || begin.before % 2)
            credit_turn(longest, &begin, &end);
        measure_require(result, "a call");
        calls++;
    }
    callers.calls[number] = calls;
    measure_require(k42_detach(), "detaching a caller");
    return NULL;
}

void callers_start(callers_call *call, void *context, unsigned threads, size_t windows) {
    unsigned most = measure_cpus() < MOST_CALLERS ? measure_cpus() : MOST_CALLERS;
    callers.call = call;
    callers.context = context;
    callers.windows = windows;
    callers.state = 0;
    callers.stop = 0;
    callers.ready = 0;
    memset(callers.begun, 0, sizeof(callers.begun));
    callers.threads = threads && threads < most ? threads : most;
    measure_ticks_to_ns(0);
    for (unsigned i = 0; i < callers.threads; i++) {
        callers.longest[i] = calloc(windows, sizeof(struct longest));
        if (!callers.longest[i] ||
            pthread_create(&callers.thread[i], NULL, call_without_pause, (void *)(uintptr_t)i))
            measure_fail("starting a caller", "no memory, or the system refused");
    }
    while (__atomic_load_n(&callers.ready, __ATOMIC_SEQ_CST) < callers.threads)
        measure_sleep(1000000);
    measure_sleep(50000000);
}

uint64_t callers_stop(void) {
    uint64_t calls = 0;
    __atomic_store_n(&callers.stop, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < callers.threads; i++) {
        pthread_join(callers.thread[i], NULL);
        calls += callers.calls[i];
    }
    return calls;
}

size_t window_open(void) {
    return __atomic_fetch_add(&callers.state, 1, __ATOMIC_SEQ_CST) / 2;
}

void window_close(void) {
    __atomic_fetch_add(&callers.state, 1, __ATOMIC_SEQ_CST);
}

/* Waits until the turns that overlapped the last window are over. */
static void window_settle(void) {
    size_t state = __atomic_load_n(&callers.state, __ATOMIC_ACQUIRE);
    for (unsigned i = 0; i < callers.threads; i++) {
        while (__atomic_load_n(&callers.begun[i].state, __ATOMIC_ACQUIRE) < state)
            measure_sleep(20000);
    }
}

static struct longest window_longest(size_t window) {
    struct longest longest = {0};
    for (unsigned i = 0; i < callers.threads; i++) {
        if (longest.ticks < callers.longest[i][window].ticks)
            longest = callers.longest[i][window];
    }
    return longest;
}

double window_longest_us(size_t window) {
    return measure_ticks_to_ns(window_longest(window).ticks) / 1000;
}

int window_longest_slept(size_t window) {
    return window_longest(window).slept;
}

static uint64_t cpu_time_ns(void) {
    struct timespec used;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
}

static void compute_then_rest(uint64_t cpu_ns, uint64_t end_ns) {
    uint64_t enough_ns = cpu_time_ns() + cpu_ns, now_ns;
    while (cpu_time_ns() < enough_ns)
        ;
    now_ns = measure_now_ns();
    if (now_ns < end_ns)
        measure_sleep(end_ns - now_ns);
}

size_t window_run(struct window_pattern *pattern, enum window_kind kind) {
    uint64_t start_cpu_ns = cpu_time_ns();
    size_t window = window_open();
    uint64_t start_ns = measure_now_ns();
    switch (kind) {
    case WINDOW_WORK:
        pattern->work(pattern->context);
        pattern->wall_ns = measure_now_ns() - start_ns;
        pattern->cpu_ns = cpu_time_ns() - start_cpu_ns;
        break;
    case WINDOW_REST:
        measure_sleep(pattern->wall_ns);
        break;
    case WINDOW_BUSY:
        compute_then_rest(pattern->cpu_ns, start_ns + pattern->wall_ns);
        break;
    case WINDOW_KINDS:
        break;
    }
    window_close();
    window_settle();
    return window;
}

const char *window_kind_name(enum window_kind kind) {
    static const char *const names[WINDOW_KINDS] = {"k42", "resting", "computing"};
    return names[kind];
}
