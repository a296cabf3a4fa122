/*
 * Which CPU has which address space loaded, and making them forget what was changed in one.
 *
 * A table counts its flushes (`generation`). A CPU remembers, for each table it has something of in
 * its translation buffers, up to which flush it has forgotten what it had to: with PCID for the
 * last few tables it used, otherwise for the one that is loaded. A table's bit map says on which
 * CPUs it is loaded.
 *
 * Flush and load:
 *
 *     who flushes                              who loads
 *         changes entries                          sets its bit
 *         counts the generation up (locked)        (the same locked instruction)
 *         reads the bit map                        reads the generation, then loads
 *
 * Either the bit is seen and the CPU is sent the flush, or the generation is seen, and with it the
 * changed entries: then a load that keeps what the processor remembers only does so when nothing
 * was flushed since. Both at once do no harm.
 *
 * A CPU that runs a kernel thread keeps the last program's table loaded (`lazy`), and is not sent
 * flushes: it says that it is not lazy any more, passes a fence, and reads the generation, against
 * the flusher's count and read of `lazy`. It may still walk the tables speculatively, so when
 * page-table pages are to be given back it is sent the flush too, and leaves the table.
 *
 * Several flushes of one table at once may reach a CPU in any order. One that finds itself next in
 * number forgets its ranges; one that finds others missing forgets everything up to the generation
 * as it is now; one that comes after that finds itself done.
 *
 * invlpg and a write of CR3 act on the current PCID alone, and that is all that is ever wanted: of
 * other address spaces everything is forgotten when they are loaded again. So INVPCID has no use
 * here. invlpg forgets all upper entries of the current PCID, whatever its address.
 *
 * Owns: `table`, `lazy`, `slot` and `slots` of each CPU's block, changed by that CPU with
 * interrupts off; a table's `generation` and `cpus`.
 */
#include "cpu.h"
#include "user_pages.h"

#define KEEP_ENTRIES (1ul << 63) /* in CR3, of the PCID that is loaded */
#define PAGES_MANY   32u

static uint64_t generation_of(const struct user_table *table) {
    return __atomic_load_n(&table->generation, __ATOMIC_ACQUIRE);
}

/* ---- loading; interrupts are off ---- */

static void load_root(const struct cpu *cpu, uint64_t keep) {
    uint64_t tag = features.pcid ? cpu->slot + 1 : 0;
    write_cr3(cpu->table->root | tag | keep);
}

/* The slot of a table, which may be one of another's. */
static uint32_t slot_for(struct cpu *cpu, const struct user_table *table) {
    if (!features.pcid)
        return 0;
    for (uint32_t i = 0; i < TABLE_SLOTS; i++)
        if (cpu->slots[i].id == table->id)
            return i;
    cpu->next_slot = cpu->next_slot + 1 < TABLE_SLOTS ? cpu->next_slot + 1 : 0;
    return cpu->next_slot;
}

static void load_new(struct cpu *cpu, struct user_table *table) {
    unsigned number = cpu->number;
    __atomic_fetch_or(&table->cpus[number / 64], 1ul << number % 64, __ATOMIC_SEQ_CST);
    uint64_t generation = generation_of(table);
    cpu->slot = slot_for(cpu, table);
    struct table_slot *slot = &cpu->slots[cpu->slot];
    bool fresh = features.pcid && slot->id == table->id && slot->generation == generation;
    *slot = (struct table_slot){table->id, generation};
    cpu->table = table;
    load_root(cpu, fresh ? KEEP_ENTRIES : 0);
}

static void load_segments(struct cpu *cpu, const struct user_table *table) {
    const struct user_segments *segments =
        table ? __atomic_load_n(&table->segments, __ATOMIC_SEQ_CST) : NULL;
    if (__builtin_expect(segments != cpu->segments, 0))
        user_segments_load(cpu, segments);
}

void user_table_load(struct user_table *table) {
    struct cpu *cpu = cpu_self();
    struct user_table *old = cpu->table;
    if (table == old) {
        user_table_use(cpu, table);
        return;
    }
    __atomic_store_n(&cpu->lazy, 0, __ATOMIC_RELAXED);
    if (table) {
        load_new(cpu, table);
    } else {
        cpu->table = NULL;
        /* Nothing but the kernel's half, which is the same everywhere. */
        write_cr3(kernel_page_table | (features.pcid ? KEEP_ENTRIES : 0));
    }
    load_segments(cpu, table);
    if (old)
        __atomic_fetch_and(&old->cpus[cpu->number / 64], ~(1ul << cpu->number % 64),
                           __ATOMIC_RELEASE);
}

/* Forgets everything of the loaded table, up to the generation as it is now. */
static void forget_all(struct cpu *cpu) {
    cpu->slots[cpu->slot].generation = generation_of(cpu->table);
    load_root(cpu, 0);
}

void user_table_use(struct cpu *cpu, struct user_table *table) {
    if (cpu->table != table) {
        user_table_load(table);
        return;
    }
    if (!cpu->lazy)
        return;
    __atomic_exchange_n(&cpu->lazy, 0, __ATOMIC_SEQ_CST);
    if (table && cpu->slots[cpu->slot].generation != generation_of(table))
        forget_all(cpu);
}

/* ---- flushing ---- */

struct request {
    const struct user_flush *flush;
    uint64_t generation;
};

static void forget_ranges(const struct user_flush *flush) {
    for (unsigned i = 0; i < flush->count; i++)
        for (uintptr_t at = flush->ranges[i].start; at < flush->ranges[i].end;
             at += 1ul << flush->ranges[i].shift)
            __asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
}

/* On each CPU concerned, with interrupts off. */
static void forget(void *argument) {
    const struct request *request = argument;
    const struct user_flush *flush = request->flush;
    struct cpu *cpu = cpu_self();
    struct table_slot *slot = &cpu->slots[cpu->slot];
    if (cpu->table != flush->table)
        return;
    if (cpu->lazy) {
        if (flush->tables)
            user_table_load(NULL);
        return;
    }
    if (slot->generation >= request->generation)
        return;
    if (slot->generation + 1 == request->generation && !flush->all) {
        forget_ranges(flush);
        slot->generation = request->generation;
    } else {
        forget_all(cpu);
    }
}

/* Whether a CPU that has it loaded is to be asked. */
static bool is_concerned(unsigned number, const void *argument) {
    const struct request *request = argument;
    return request->flush->tables || !__atomic_load_n(&cpu_block(number)->lazy, __ATOMIC_SEQ_CST);
}

void user_flush_range(struct user_flush *flush, uintptr_t start, uintptr_t end, unsigned level) {
    uint32_t shift = 3 + 9 * level;
    start &= ~((1ul << shift) - 1);
    flush->pages += (end - start + (1ul << shift) - 1) >> shift;
    if (flush->pages > PAGES_MANY)
        flush->all = true;
    if (flush->all)
        return;
    if (flush->count && flush->ranges[flush->count - 1].end == start &&
        flush->ranges[flush->count - 1].shift == shift) {
        flush->ranges[flush->count - 1].end = end;
    } else if (flush->count == USER_FLUSH_RANGES) {
        flush->all = true;
    } else {
        flush->ranges[flush->count].start = start;
        flush->ranges[flush->count].end = end;
        flush->ranges[flush->count++].shift = shift;
    }
}

/* Linked by its first word: the address of a frame, so an entry that is not present for whoever
 * still walks it. */
void user_flush_frame(struct user_flush *flush, uint64_t frame) {
    *(uint64_t *)phys_to_virt(frame) = flush->frames;
    flush->frames = frame;
    flush->tables = true;
}

static void give_frames(struct user_flush *flush) {
    struct user_frames *frames = &flush->table->frames;
    while (flush->frames) {
        uint64_t frame = flush->frames;
        uint64_t *first = phys_to_virt(frame);
        flush->frames = *first;
        *first = 0;
        frames->give(frames->context, frame);
    }
}

void user_flush_finish(struct user_flush *flush) {
    if (!flush->count && !flush->all && !flush->tables)
        return;
    /* Without a page to forget, nothing would make the processor forget upper entries. */
    if (!flush->count)
        flush->all = true;
    struct request request = {flush,
                              __atomic_add_fetch(&flush->table->generation, 1, __ATOMIC_SEQ_CST)};
    cpu_call_set(flush->table->cpus, is_concerned, forget, &request);
    give_frames(flush);
}
