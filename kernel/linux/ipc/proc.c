/*
 * /proc/sysvipc, whose columns are as wide as Linux has them, and the limits of System V's objects
 * in /proc/sys/kernel.
 *
 * Limits are words, read and written as a whole; what is there already may be more. Fails: -EINVAL.
 */
#include "ipc.h"

#include "../../fs/procfs/procfs.h"
#include "../../fs/values.h"
#include "segment.h"
#include "semaphore_calls.h"
#include "semaphores.h"

#include <asm/ipcbuf.h>
#include <errno.h>

#define WIDEST 24u

/* ---- lines ---- */

static void print_digits(struct proc_text *text, uint64_t number, unsigned base, unsigned width,
                         bool negative) {
    char digits[WIDEST];
    unsigned at = sizeof digits;
    do
        digits[--at] = (char)('0' + number % base);
    while (number /= base);
    if (negative)
        digits[--at] = '-';
    while (sizeof digits - at < width)
        digits[--at] = ' ';
    proc_put(text, digits + at, sizeof digits - at);
}

static void print_number(struct proc_text *text, uint64_t number, unsigned width) {
    proc_put(text, " ", 1);
    print_digits(text, number, 10, width, false);
}

static void print_head(struct proc_text *text, const struct ipc_entry *entry,
                       const struct ipc64_perm *perm) {
    int64_t key = perm->key;
    print_digits(text, (uint64_t)(key < 0 ? -key : key), 10, 10, key < 0);
    print_number(text, (uint64_t)entry->id, 10);
    proc_put(text, "  ", 2);
    print_digits(text, perm->mode, 8, 4, false);
}

static void print_owners(struct proc_text *text, const struct ipc64_perm *perm) {
    print_number(text, perm->uid, 5);
    print_number(text, perm->gid, 5);
    print_number(text, perm->cuid, 5);
    print_number(text, perm->cgid, 5);
}

static void print_segment(struct proc_text *text, struct ipc_entry *entry,
                          const struct segment_told *told) {
    struct ipc64_perm perm;
    ipc_tell(entry, &perm);
    print_head(text, entry, &perm);
    print_number(text, entry->size, 21);
    print_number(text, (uint32_t)told->creator, 5);
    print_number(text, (uint32_t)told->last, 5);
    proc_put(text, " ", 1);
    print_number(text, told->attached, 5);
    print_owners(text, &perm);
    print_number(text, (uint64_t)told->attached_at, 10);
    print_number(text, (uint64_t)told->detached_at, 10);
    print_number(text, (uint64_t)__atomic_load_n(&entry->changed, __ATOMIC_RELAXED), 10);
    print_number(text, told->present * 4096, 21);
    print_number(text, 0, 21);
    proc_put(text, "\n", 1);
}

static k42_result print_segments(const struct proc_key *key, struct proc_text *text) {
    struct segment_told told;
    struct ipc_entry *entry;
    (void)key;
    proc_print(text, "       key      shmid perms                  size  cpid  lpid nattch   uid  "
                     " gid  cuid  cgid      atime      dtime      ctime                   rss   "
                     "               swap\n");
    for (uint32_t place = 0; (entry = ipc_next(&ipc_segments, &place)); place++)
        if (segment_tell(entry, &told) >= 0)
            print_segment(text, entry, &told);
    return 0;
}

static void print_set(struct proc_text *text, struct ipc_entry *entry, int64_t changed) {
    struct ipc64_perm perm;
    ipc_tell(entry, &perm);
    print_head(text, entry, &perm);
    print_number(text, entry->size, 10);
    print_owners(text, &perm);
    print_number(text, (uint64_t)changed, 10);
    print_number(text, (uint64_t)__atomic_load_n(&entry->changed, __ATOMIC_RELAXED), 10);
    proc_put(text, "\n", 1);
}

static k42_result print_sets(const struct proc_key *key, struct proc_text *text) {
    struct ipc_entry *entry;
    (void)key;
    proc_print(text, "       key      semid perms      nsems   uid   gid  cuid  cgid      otime"
                     "      ctime\n");
    for (uint32_t place = 0; (entry = ipc_next(&ipc_semaphores, &place)); place++) {
        k42_result changed = k42_call((semaphores_ref)entry->object, changed);
        if (changed >= 0)
            print_set(text, entry, changed);
    }
    return 0;
}

/* ---- limits ---- */

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

static k42_result write_word(uint64_t *word, const char *bytes, size_t size) {
    uint64_t number;
    k42_result result = parse(bytes, size, ~0ul, &number);
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
    return write_word(&segment_limits.bytes, bytes, size);
}

static k42_result print_shmall(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    return print_word(text, &segment_limits.pages);
}

static k42_result write_shmall(const struct proc_key *key, const char *bytes, size_t size) {
    (void)key;
    return write_word(&segment_limits.pages, bytes, size);
}

static k42_result print_shmmni(const struct proc_key *key, struct proc_text *text) {
    (void)key;
    proc_print(text, "%u\n", __atomic_load_n(&ipc_segments.most, __ATOMIC_RELAXED));
    return 0;
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

#define LIMIT(name_)                                                                               \
    { .name = #name_, .mode = MODE_REGULAR | 0644, .print = print_##name_, .write = write_##name_ }

void ipc_proc_register(struct proc_entry *kernel) {
    static struct proc_entry folder = {.name = "sysvipc", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry files[] = {
        {.name = "shm", .mode = MODE_REGULAR | 0444, .print = print_segments},
        {.name = "sem", .mode = MODE_REGULAR | 0444, .print = print_sets}};
    static struct proc_entry limits[] = {LIMIT(shmmax), LIMIT(shmall), LIMIT(shmmni), LIMIT(sem)};
    proc_add(NULL, &folder);
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        proc_add(&folder, &files[i]);
    for (unsigned i = 0; i < sizeof limits / sizeof *limits; i++)
        proc_add(kernel, &limits[i]);
}
