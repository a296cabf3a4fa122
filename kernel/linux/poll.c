/*
 * poll() and select(): waiting for several files at once.
 *
 * Files are asked what they are ready for and where to wait. When none is ready, an entry for each
 * is put into the wait table and all are asked once more; whatever becomes ready from then on wakes
 * the thread, which asks again. A file is found anew by its descriptor each time and not held while
 * the thread sleeps: one that is closed meanwhile is reported as no descriptor, and an entry left
 * at its number wakes somebody in vain at worst.
 */
#include "../fs/file.h"
#include "../mem/heap/heap.h"
#include "../sched/wait.h"
#include "abi.h"
#include "clocks.h"
#include "program.h"
#include "readiness.h"
#include "task.h"

#include <k42/k42.h>

#define FEW 8u /* that many need no memory but the stack */

#define ALWAYS (POLLERR | POLLHUP | POLLNVAL)

struct polling {
    unsigned (*heeded)(unsigned wanted); /* which answers count */
    struct pollfd *files;
    struct wait_entry *entries;
    unsigned count;
    struct wait_set set;
};

static unsigned heeded_by_poll(unsigned wanted) {
    return wanted | ALWAYS;
}

/* True when it is ready for something; otherwise the point says where to wait. */
static bool ask(const struct polling *polling, struct pollfd *file, struct wait_point *point) {
    unsigned wanted = (unsigned short)file->events;
    struct file_poll where = {0};
    *point = (struct wait_point){0};
    file->revents = 0;
    if (file->fd < 0)
        return false;
    struct k42_pair found = k42_call(task_self()->descriptors, get, file->fd);
    k42_result ready = found.result;
    if (ready >= 0)
        ready = k42_call((file_ref)found.word, poll, &where);
    if (ready < 0)
        file->revents = POLLNVAL;
    else
        file->revents = (short)(readiness_told((unsigned)ready) & polling->heeded(wanted));
    point->id = where.object;
    point->key = where.key;
    point->events = readiness_events(wanted);
    return file->revents;
}

/* How many are ready. `enter`: those that are not are put into the table. */
static unsigned ask_all(struct polling *polling, bool enter) {
    unsigned ready = 0;
    for (unsigned i = 0; i < polling->count; i++) {
        struct wait_point point;
        ready += ask(polling, &polling->files[i], &point);
        if (enter)
            wait_set_add(&polling->set, &polling->entries[i], point);
        k42_safe_point();
    }
    return ready;
}

static k42_result sleep_and_ask(struct polling *polling, uint64_t deadline) {
    wait_set_open(&polling->set);
    unsigned ready = ask_all(polling, true);
    k42_result result = 0;
    while (!ready && !(ready = ask_all(polling, false)) && !result)
        result = wait_sleep(&polling->set, deadline, 0);
    for (unsigned i = 0; i < polling->count; i++)
        (void)wait_remove(&polling->entries[i]);
    if (ready)
        return ready;
    return result == -ETIMEDOUT ? 0 : result;
}

/* How many are ready; 0: the deadline has passed. Errors: -EINTR, -ENOMEM. */
static k42_result poll_files(struct polling *polling, uint64_t deadline) {
    struct wait_entry few[FEW];
    unsigned ready = ask_all(polling, false), count = polling->count;
    if (ready || !deadline)
        return ready;
    polling->entries = count <= FEW ? few : heap_allocate(count * sizeof *few);
    if (!polling->entries)
        return -ENOMEM;
    k42_result result = sleep_and_ask(polling, deadline);
    if (polling->entries != few)
        heap_free(polling->entries);
    return result;
}

/* ---- poll ---- */

static k42_result write_answers(uintptr_t to, const struct pollfd *files, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        uintptr_t at = to + i * sizeof *files + offsetof(struct pollfd, revents);
        k42_result result = program_write(at, &files[i].revents, sizeof files[i].revents);
        if (result < 0)
            return result;
    }
    return 0;
}

static k42_result poll_array(uintptr_t at, unsigned count, uint64_t deadline) {
    struct pollfd few[FEW], *files = few;
    if (count > task_limit(task_self(), RLIMIT_NOFILE))
        return -EINVAL;
    if (count > FEW && !(files = heap_allocate(count * sizeof *files)))
        return -ENOMEM;
    k42_result result = program_read(files, at, count * sizeof *files);
    struct polling polling = {.heeded = heeded_by_poll, .files = files, .count = count};
    if (result >= 0)
        result = poll_files(&polling, deadline);
    if (result >= 0) {
        k42_result written = write_answers(at, files, count);
        result = written < 0 ? written : result;
    }
    if (files != few)
        heap_free(files);
    return result;
}

enum { FILES_AT, FILES, DEADLINE };

static k42_result poll_on(struct task *task) {
    k42_result result =
        poll_array(task->restart_words[FILES_AT], (unsigned)task->restart_words[FILES],
                   task->restart_words[DEADLINE]);
    return result == -EINTR ? -LINUX_RESTART_BLOCK : result;
}

/* A deadline of 0 asks without waiting. */
static uint64_t deadline_in(int64_t ns) {
    return ns ? clocks_after(ns) : 0;
}

LINUX_CALL(7, poll, uintptr_t files, unsigned count, int milliseconds) {
    struct task *task = task_self();
    task->restart = poll_on;
    task->restart_words[FILES_AT] = files;
    task->restart_words[FILES] = count;
    task->restart_words[DEADLINE] =
        milliseconds < 0 ? WAIT_FOREVER : deadline_in(milliseconds * 1000000l);
    return poll_on(task);
}

/* ---- with a mask of signals, and a time that says how much is left ---- */

struct limited {
    uint64_t deadline;
    uintptr_t time_at; /* where to say what is left; 0: nowhere */
    k42_result (*write)(uintptr_t to, int64_t ns);
};

static k42_result read_limit(struct limited *limited, uintptr_t time_at,
                             k42_result (*read)(uintptr_t from, int64_t *ns)) {
    int64_t ns;
    limited->time_at = time_at;
    limited->deadline = WAIT_FOREVER;
    k42_result result = time_at ? read(time_at, &ns) : 0;
    if (result >= 0 && time_at)
        limited->deadline = deadline_in(ns);
    return result;
}

/* What cannot be written was given by somebody who does not look at it, as on Linux. */
static k42_result end_limited(const struct limited *limited, k42_result result) {
    if (limited->time_at && (result >= 0 || result == -EINTR))
        (void)!limited->write(limited->time_at,
                              limited->deadline ? clocks_left(limited->deadline) : 0);
    if (result != -EINTR)
        signal_mask_restore();
    return result == -EINTR ? -LINUX_RESTART_NO_HANDLER : result;
}

k42_result readiness_set_mask(uintptr_t from, size_t size) {
    uint64_t mask;
    if (!from)
        return 0;
    k42_result result = size == sizeof mask ? program_read(&mask, from, sizeof mask) : -EINVAL;
    if (result >= 0)
        signal_mask_for_call(mask);
    return result;
}

LINUX_CALL(271, ppoll, uintptr_t files, unsigned count, uintptr_t time, uintptr_t mask,
           size_t mask_size) {
    struct limited limited = {.write = clocks_write};
    k42_result result = read_limit(&limited, time, clocks_read);
    if (result >= 0)
        result = readiness_set_mask(mask, mask_size);
    return result < 0 ? result : end_limited(&limited, poll_array(files, count, limited.deadline));
}

/* ---- select ---- */

enum { READ, WRITE, EXCEPT, SETS };

static const short asked[SETS] = {POLLIN, POLLOUT, POLLPRI};
static const short told[SETS] = {
    READY_TO_READ | POLLHUP | POLLERR,
    READY_TO_WRITE | POLLERR,
    POLLPRI,
};

struct selection {
    uintptr_t at[SETS]; /* in the program; 0: none */
    unsigned words;
    uint64_t *sets[SETS]; /* `words` each */
    struct pollfd *files;
    unsigned count;
};

static bool is_in(const struct selection *selection, unsigned set, unsigned file) {
    return selection->sets[set][file / 64] >> file % 64 & 1;
}

static k42_result read_sets(struct selection *selection, unsigned limit) {
    k42_result result = 0;
    for (unsigned set = 0; set < SETS && result >= 0; set++)
        if (selection->at[set])
            result = program_read(selection->sets[set], selection->at[set],
                                  selection->words * sizeof(uint64_t));
    for (unsigned file = 0; file < limit; file++) {
        short events = 0;
        for (unsigned set = 0; set < SETS; set++)
            events |= is_in(selection, set, file) ? asked[set] : 0;
        if (events)
            selection->files[selection->count++] =
                (struct pollfd){.fd = (int)file, .events = events};
    }
    return result;
}

/* Turns answers into sets; how many bits there are, or -EBADF. */
static k42_result write_sets(struct selection *selection) {
    k42_result bits = 0;
    size_t size = selection->words * sizeof(uint64_t);
    for (unsigned set = 0; set < SETS; set++)
        __builtin_memset(selection->sets[set], 0, size);
    for (unsigned i = 0; i < selection->count; i++) {
        const struct pollfd *file = &selection->files[i];
        if (file->revents & POLLNVAL)
            return -EBADF;
        for (unsigned set = 0; set < SETS; set++)
            if (file->events & asked[set] && file->revents & told[set]) {
                selection->sets[set][file->fd / 64] |= 1ul << file->fd % 64;
                bits++;
            }
    }
    for (unsigned set = 0; set < SETS; set++)
        if (selection->at[set] && program_write(selection->at[set], selection->sets[set], size) < 0)
            return -EFAULT;
    return bits;
}

static unsigned heeded_by_select(unsigned wanted) {
    unsigned heeded = POLLNVAL;
    for (unsigned set = 0; set < SETS; set++)
        heeded |= wanted & (unsigned)asked[set] ? (unsigned)told[set] : 0;
    return heeded;
}

static k42_result select_files(struct selection *selection, unsigned limit, uint64_t deadline) {
    size_t size = selection->words * sizeof(uint64_t);
    char *memory = heap_allocate_zeroed(SETS * size + limit * sizeof *selection->files + 1);
    if (!memory)
        return -ENOMEM;
    for (unsigned set = 0; set < SETS; set++)
        selection->sets[set] = (uint64_t *)(void *)(memory + set * size);
    selection->files = (struct pollfd *)(void *)(memory + SETS * size);
    k42_result result = read_sets(selection, limit);
    struct polling polling = {
        .heeded = heeded_by_select, .files = selection->files, .count = selection->count};
    if (result >= 0)
        result = poll_files(&polling, deadline);
    if (result >= 0)
        result = write_sets(selection);
    heap_free(memory);
    return result;
}

static k42_result select_limited(int limit, const uintptr_t *at, const struct limited *limited) {
    struct selection selection = {.at = {at[READ], at[WRITE], at[EXCEPT]}};
    uint64_t most = task_limit(task_self(), RLIMIT_NOFILE);
    if (limit < 0)
        return end_limited(limited, -EINVAL);
    unsigned files = (uint64_t)limit > most ? (unsigned)most : (unsigned)limit;
    selection.words = (files + 63) / 64;
    return end_limited(limited, select_files(&selection, files, limited->deadline));
}

LINUX_CALL(23, select, int limit, uintptr_t readable, uintptr_t writable, uintptr_t except,
           uintptr_t time) {
    const uintptr_t at[SETS] = {readable, writable, except};
    struct limited limited = {.write = clocks_write_timeval};
    k42_result result = read_limit(&limited, time, clocks_read_timeval);
    return result < 0 ? result : select_limited(limit, at, &limited);
}

LINUX_CALL(270, pselect6, int limit, uintptr_t readable, uintptr_t writable, uintptr_t except,
           uintptr_t time, uintptr_t mask) {
    const uintptr_t at[SETS] = {readable, writable, except};
    struct limited limited = {.write = clocks_write};
    uint64_t pair[2] = {0}; /* the mask's address and its size */
    k42_result result = read_limit(&limited, time, clocks_read);
    if (result >= 0 && mask)
        result = program_read(pair, mask, sizeof pair);
    if (result >= 0)
        result = readiness_set_mask(pair[0], pair[1]);
    return result < 0 ? result : select_limited(limit, at, &limited);
}
