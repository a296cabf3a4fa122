/*
 * /proc/sysvipc: a line for each object of System V, in columns as wide as Linux has them.
 *
 * Owns nothing. What ends while it is told of is left out.
 */
#include "ipc.h"

#include "../../fs/procfs/procfs.h"
#include "../../fs/values.h"
#include "message_calls.h"
#include "message_queue.h"
#include "segment.h"
#include "semaphore_calls.h"
#include "semaphores.h"

#include <asm/ipcbuf.h>

#define WIDEST 24u

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

static void print_queue(struct proc_text *text, struct ipc_entry *entry,
                        const struct message_queue_state *state) {
    struct ipc64_perm perm;
    ipc_tell(entry, &perm);
    print_head(text, entry, &perm);
    proc_put(text, " ", 1);
    print_number(text, state->bytes, 10);
    print_number(text, state->count, 10);
    print_number(text, (uint32_t)state->sender, 5);
    print_number(text, (uint32_t)state->receiver, 5);
    print_owners(text, &perm);
    print_number(text, (uint64_t)state->sent, 10);
    print_number(text, (uint64_t)state->received, 10);
    print_number(text, (uint64_t)__atomic_load_n(&entry->changed, __ATOMIC_RELAXED), 10);
    proc_put(text, "\n", 1);
}

static k42_result print_queues(const struct proc_key *key, struct proc_text *text) {
    struct message_queue_state state;
    struct ipc_entry *entry;
    (void)key;
    proc_print(text, "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  "
                     "cuid  cgid      stime      rtime      ctime\n");
    for (uint32_t place = 0; (entry = ipc_next(&ipc_queues, &place)); place++)
        if (k42_call((message_queue_ref)entry->object, look, &state) >= 0)
            print_queue(text, entry, &state);
    return 0;
}

void ipc_proc_register(void) {
    static struct proc_entry folder = {.name = "sysvipc", .mode = MODE_DIRECTORY | 0555};
    static struct proc_entry files[] = {
        {.name = "shm", .mode = MODE_REGULAR | 0444, .print = print_segments},
        {.name = "sem", .mode = MODE_REGULAR | 0444, .print = print_sets},
        {.name = "msg", .mode = MODE_REGULAR | 0444, .print = print_queues}};
    proc_add(NULL, &folder);
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        proc_add(&folder, &files[i]);
}
