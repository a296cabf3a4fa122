/*
 * modify_ldt: segments of a program's own, with a base and a limit, of 16 or 32 bits.
 *
 * They belong to an address space. Each change makes a new table of descriptors, as long as the
 * highest entry needs, which takes the old one's place on all CPUs (arch/x86_64/user_segments.c).
 *
 * Locking: segments_lock of the memory; the table is set with it held, and nothing allocated.
 * Fails: -ENOMEM.
 */
#include "segments.h"

#include "../arch/x86_64/user_pages.h"
#include "../mem/heap/heap.h"
#include "program.h"

#include <asm/ldt.h>
#include <errno.h>
#include <k42/k42.h>

enum { LDT_READ, LDT_WRITE_OLD, LDT_READ_DEFAULT, LDT_WRITE = 0x11, LDT_DEFAULT_BYTES = 128 };

/* ---- descriptors ---- */

static bool is_empty(const struct user_desc *what, bool old) {
    bool none = !what->base_addr && !what->limit;
    return none &&
           (old || (!what->contents && what->read_exec_only && !what->seg_32bit &&
                    !what->limit_in_pages && what->seg_not_present && !what->useable && !what->lm));
}

/* As the processor has them; touched already, so that it writes nothing there. */
static uint64_t descriptor_of(const struct user_desc *what, bool old) {
    uint64_t limit = what->limit, base = what->base_addr;
    uint64_t access = 0x71ul | (uint64_t)!what->read_exec_only << 1 |
                      (uint64_t)what->contents << 2 | (uint64_t)!what->seg_not_present << 7;
    uint64_t flags = (uint64_t)(!old && what->useable) | (uint64_t)what->seg_32bit << 2 |
                     (uint64_t)what->limit_in_pages << 3;
    return (limit & 0xffff) | (base & 0xffffff) << 16 | access << 40 | (limit >> 16 & 15) << 48 |
           flags << 52 | base >> 24 << 56;
}

/* ---- tables ---- */

static struct user_segments *make_table(uint64_t count) {
    struct user_segments *table =
        heap_allocate_zeroed(sizeof *table + count * sizeof table->descriptors[0]);
    if (table)
        table->count = count;
    return table;
}

/* With the lock: all that there are, into a table with room for them. */
static void copy_into(struct user_segments *table, const struct user_segments *from) {
    if (from)
        __builtin_memcpy(table->descriptors, from->descriptors,
                         from->count * sizeof from->descriptors[0]);
}

/*
 * A table with what there is now and at least so many entries, and the lock; NULL: no memory. It is
 * made without the lock, and again when there are more by then.
 */
static struct user_segments *table_locked(struct task_memory *memory, uint64_t least) {
    struct user_segments *table = NULL;
    for (;;) {
        k42_lock(&memory->segments_lock);
        uint64_t count = memory->own_segments ? memory->own_segments->count : 0;
        count = count > least ? count : least;
        if (table && table->count >= count)
            break;
        k42_unlock(&memory->segments_lock);
        heap_free(table);
        table = make_table(count);
        if (!table)
            return NULL;
    }
    copy_into(table, memory->own_segments);
    return table;
}

k42_result own_segments_copy(struct task_memory *from, struct task_memory *to) {
    if (!__atomic_load_n(&from->own_segments, __ATOMIC_ACQUIRE))
        return 0;
    to->own_segments = table_locked(from, 1);
    if (!to->own_segments)
        return -ENOMEM;
    k42_unlock(&from->segments_lock);
    user_segments_set(to->table, to->own_segments);
    return 0;
}

void own_segments_end(struct task_memory *memory) {
    if (!memory->own_segments)
        return;
    user_segments_set(memory->table, NULL);
    heap_free(memory->own_segments);
    memory->own_segments = NULL;
}

/* ---- the call ---- */

/* As Linux has it: what is not there is zero, once there are any. */
static k42_result read_all(uintptr_t to, unsigned long size) {
    struct task_memory *memory = task_self()->memory;
    uint64_t count = size / sizeof(uint64_t) + 1;
    if (!__atomic_load_n(&memory->own_segments, __ATOMIC_ACQUIRE))
        return 0;
    size = size < USER_SEGMENTS * sizeof(uint64_t) ? size : USER_SEGMENTS * sizeof(uint64_t);
    struct user_segments *copy =
        table_locked(memory, count < USER_SEGMENTS ? count : USER_SEGMENTS);
    if (!copy)
        return -ENOMEM;
    k42_unlock(&memory->segments_lock);
    k42_result result = program_write(to, copy->descriptors, size);
    heap_free(copy);
    return result < 0 ? result : (k42_result)size;
}

static k42_result read_default(uintptr_t to, unsigned long size) {
    static const uint8_t zeros[LDT_DEFAULT_BYTES];
    size_t bytes = size < sizeof zeros ? size : sizeof zeros;
    k42_result result = program_write(to, zeros, bytes);
    return result < 0 ? result : (k42_result)bytes;
}

static k42_result set(uint32_t number, uint64_t descriptor) {
    struct task_memory *memory = task_self()->memory;
    struct user_segments *table = table_locked(memory, number + 1ul), *before;
    if (!table)
        return -ENOMEM;
    table->descriptors[number] = descriptor;
    before = memory->own_segments;
    __atomic_store_n(&memory->own_segments, table, __ATOMIC_RELEASE);
    user_segments_set(memory->table, table);
    k42_unlock(&memory->segments_lock);
    heap_free(before);
    return 0;
}

static k42_result change(uintptr_t at, unsigned long size, bool old) {
    struct user_desc what;
    if (size != sizeof what)
        return -EINVAL;
    k42_result result = program_read(&what, at, sizeof what);
    if (result < 0)
        return result;
    if (what.entry_number >= USER_SEGMENTS ||
        (what.contents == 3 && (old || !what.seg_not_present)))
        return -EINVAL;
    return set(what.entry_number, is_empty(&what, old) ? 0 : descriptor_of(&what, old));
}

static k42_result modify(int what, uintptr_t at, unsigned long size) {
    switch (what) {
    case LDT_READ:
        return read_all(at, size);
    case LDT_WRITE_OLD:
        return change(at, size, true);
    case LDT_READ_DEFAULT:
        return read_default(at, size);
    case LDT_WRITE:
        return change(at, size, false);
    default:
        return -ENOSYS;
    }
}

/* Its result is an int: an error is no negative number to who looks at the whole register. */
LINUX_CALL(154, modify_ldt, int what, uintptr_t at, unsigned long size) {
    return (unsigned)modify(what, at, size);
}
