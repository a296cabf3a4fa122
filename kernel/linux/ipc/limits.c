/*
 * The limits of System V's objects, in /proc/sys/kernel, and of POSIX's queues, in
 * /proc/sys/fs/mqueue.
 *
 * Words, read and written as a whole; what is there already may be more. Fails: -EINVAL.
 */
#include "../../fs/procfs/procfs.h"
#include "../../fs/values.h"
#include "message_calls.h"
#include "posix_queue.h"
#include "segment.h"
#include "semaphore_calls.h"

#include <errno.h>

/* Digits, perhaps with a line's end. */
static k42_result parse(const char *bytes, size_t size, uint64_t most, uint64_t *number) {
    *number = 0;
    while (size && bytes[size - 1] == '\n')
        size--;
    for (size_t i = 0; i < size; i++) {
        unsigned digit = (unsigned)bytes[i] - '0';
        if (digit > 9 || *number > (most - digit) / 10)
            return -EINVAL;
        *number = *number * 10 + digit;
    }
    return size ? 0 : -EINVAL;
}

static k42_result print_word(struct proc_text *text, const uint64_t *word) {
    proc_print(text, "%lu\n", __atomic_load_n(word, __ATOMIC_RELAXED));
    return 0;
}

static k42_result write_word(uint64_t *word, uint64_t most, const char *bytes, size_t size) {
    uint64_t number;
    k42_result result = parse(bytes, size, most, &number);
    if (result >= 0)
        __atomic_store_n(word, number, __ATOMIC_RELAXED);
    return result;
}

static k42_result print_shmmax(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_word(text, &segment_limits.bytes);
}

static k42_result write_shmmax(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_word(&segment_limits.bytes, ~0ul, bytes, size);
}

static k42_result print_shmall(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_word(text, &segment_limits.pages);
}

static k42_result write_shmall(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_word(&segment_limits.pages, ~0ul, bytes, size);
}

static k42_result print_most(struct proc_text *text, const struct ipc_table *table) {
    proc_print(text, "%u\n", __atomic_load_n(&table->most, __ATOMIC_RELAXED));
    return 0;
}

static k42_result print_shmmni(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_most(text, &ipc_segments);
}

static k42_result write_most(struct ipc_table *table, const char *bytes, size_t size) {
    uint64_t number;
    k42_result result = parse(bytes, size, IPC_PLACES, &number);
    if (result >= 0)
        __atomic_store_n(&table->most, (uint32_t)number, __ATOMIC_RELAXED);
    return result;
}

static k42_result write_shmmni(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_most(&ipc_segments, bytes, size);
}

static k42_result print_sem(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%u\t%u\t%u\t%u\n",
               __atomic_load_n(&semaphore_limits.in_set, __ATOMIC_RELAXED),
               __atomic_load_n(&semaphore_limits.in_all, __ATOMIC_RELAXED),
               __atomic_load_n(&semaphore_limits.in_call, __ATOMIC_RELAXED),
               __atomic_load_n(&ipc_semaphores.most, __ATOMIC_RELAXED));
    return 0;
}

/* Up to four numbers; those that are not given stay as they are. */
static k42_result write_sem(const struct proc_key *key, const char *bytes, size_t size) {
    uint32_t *const words[] = {&semaphore_limits.in_set, &semaphore_limits.in_all,
                               &semaphore_limits.in_call, &ipc_semaphores.most};
    static const uint64_t most[] = {65535, INT32_MAX, 1000, IPC_PLACES};
    uint64_t number;
    (void)key;
    for (unsigned i = 0; i < 4 && size; i++) {
        size_t length = 0;
        while (length < size && bytes[length] != ' ' && bytes[length] != '\t')
            length++;
        k42_result result = parse(bytes, length, most[i], &number);
        if (result < 0)
            return result;
        __atomic_store_n(words[i], (uint32_t)number, __ATOMIC_RELAXED);
        length += length < size;
        bytes += length;
        size -= length;
    }
    return 0;
}

static k42_result print_msgmax(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_word(text, &message_limits.message);
}

static k42_result write_msgmax(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_word(&message_limits.message, INT32_MAX, bytes, size);
}

static k42_result print_msgmnb(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_word(text, &message_limits.queue);
}

static k42_result write_msgmnb(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_word(&message_limits.queue, INT32_MAX, bytes, size);
}

static k42_result print_msgmni(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_most(text, &ipc_queues);
}

static k42_result write_msgmni(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_most(&ipc_queues, bytes, size);
}

#define LIMIT(name_)                                                                               \
    { .name = #name_, .mode = MODE_REGULAR | 0644, .print = print_##name_, .write = write_##name_ }

void ipc_limits_register(struct proc_entry *kernel) {
    static struct proc_entry limits[] = {LIMIT(shmmax), LIMIT(shmall), LIMIT(shmmni), LIMIT(sem),
                                         LIMIT(msgmax), LIMIT(msgmnb), LIMIT(msgmni)};
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++)
        proc_add(kernel, &limits[i]);
}

/* ---- POSIX's ---- */

#define POSIX_LIMIT(name_, word_, most_)                                                           \
    static k42_result print_##name_(const struct proc_key *key, struct proc_text *text) {          \
        (void)key;                                                                                 \
        proc_print(text, "%u\n", __atomic_load_n(&posix_limits.word_, __ATOMIC_RELAXED));          \
        return 0;                                                                                  \
    }                                                                                              \
    static k42_result write_##name_(const struct proc_key *key, const char *bytes, size_t size) {  \
        uint64_t number;                                                                           \
        (void)key;                                                                                 \
        k42_result result = parse(bytes, size, most_, &number);                                    \
        if (result >= 0)                                                                           \
            __atomic_store_n(&posix_limits.word_, (uint32_t)number, __ATOMIC_RELAXED);             \
        return result;                                                                             \
    }

POSIX_LIMIT(queues_max, queues, INT32_MAX)
POSIX_LIMIT(msg_max, messages, 65536)
POSIX_LIMIT(msg_default, usual_messages, 65536)
POSIX_LIMIT(msgsize_max, bytes, 16u << 20)
POSIX_LIMIT(msgsize_default, usual_bytes, 16u << 20)

void posix_limits_register(struct proc_entry *fs) {
    static struct proc_entry folder = {.name = "mqueue", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry limits[] = {LIMIT(queues_max), LIMIT(msg_max), LIMIT(msg_default),
                                         LIMIT(msgsize_max), LIMIT(msgsize_default)};
    proc_add(fs, &folder);
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++)
        proc_add(&folder, &limits[i]);
}
