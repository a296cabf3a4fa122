/*
 * The processor's part of programs' page tables, for the host's tests.
 *
 * Each CPU remembers translations and, like a real one, upper entries: a walk begins at the leaf
 * that was found last for the same 2 MiB. A CPU's buffer is locked while an access looks there and
 * uses what it found, so a flush waits for accesses under way. What is not flushed is remembered
 * for ever, whatever other tables were used meanwhile.
 */
#include <user_pages.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define PAGES  256u /* a CPU remembers of each kind, by address modulo this */
#define UPPERS 64u
#define PAGE   4096ul
#define SPAN   MACHINE_TABLE_SPAN

struct remembered {
    struct user_table *table; /* NULL: nothing */
    uintptr_t address;
    uint64_t entry;
    bool writable;
};

static struct buffer {
    pthread_mutex_t lock;
    struct remembered pages[PAGES], uppers[UPPERS];
} buffers[MACHINE_CPUS] = {
    [0 ... MACHINE_CPUS - 1] = {.lock = PTHREAD_MUTEX_INITIALIZER},
};

uint64_t user_entry_nx = ENTRY_NX;
uint64_t machine_user_flushes;
void (*machine_flushing)(const struct user_flush *flush);

/* ---- tables ---- */

size_t user_table_size(void) {
    return sizeof(struct user_table) + sizeof(uint64_t);
}

void user_table_open(struct user_table *table, const struct user_frames *frames, uint64_t root) {
    table->frames = *frames;
    table->root = root;
}

static void forget(struct user_table *table, uintptr_t start, uintptr_t end, bool uppers) {
    __atomic_add_fetch(&machine_user_flushes, 1, __ATOMIC_RELAXED);
    for (unsigned cpu = 0; cpu < MACHINE_CPUS; cpu++) {
        struct buffer *buffer = &buffers[cpu];
        pthread_mutex_lock(&buffer->lock);
        for (unsigned n = 0; n < PAGES; n++) {
            struct remembered *page = &buffer->pages[n];
            if (page->table == table && page->address >= start && page->address < end)
                page->table = NULL;
        }
        for (unsigned n = 0; uppers && n < UPPERS; n++)
            if (buffer->uppers[n].table == table)
                buffer->uppers[n].table = NULL;
        pthread_mutex_unlock(&buffer->lock);
    }
}

void user_table_close(struct user_table *table) {
    forget(table, 0, USER_END, true);
    uint64_t *root = phys_to_virt(table->root);
    for (unsigned n = 0; n < 256; n++)
        if (root[n])
            abort();
    table->frames.give(table->frames.context, table->root);
}

/* ---- flushes ---- */

void user_flush_range(struct user_flush *flush, uintptr_t start, uintptr_t end, unsigned level) {
    (void)level;
    if (flush->count == USER_FLUSH_RANGES) {
        flush->all = true;
        return;
    }
    flush->ranges[flush->count].start = start;
    flush->ranges[flush->count++].end = end;
}

void user_flush_frame(struct user_flush *flush, uint64_t frame) {
    user_entry_write(phys_to_virt(frame), flush->frames);
    flush->frames = frame;
    flush->tables = true;
}

void user_flush_finish(struct user_flush *flush) {
    if (machine_flushing)
        machine_flushing(flush);
    if (flush->all || (flush->tables && !flush->count))
        forget(flush->table, 0, USER_END, true);
    else
        for (unsigned n = 0; n < flush->count; n++)
            forget(flush->table, flush->ranges[n].start, flush->ranges[n].end, true);
    while (flush->frames) {
        uint64_t frame = flush->frames;
        flush->frames = user_entry_exchange(phys_to_virt(frame), 0);
        flush->table->frames.give(flush->table->frames.context, frame);
    }
}

/* ---- accesses ---- */

/* The upper entry that this CPU goes by. */
static uint64_t upper_entry(struct buffer *buffer, struct user_table *table, uintptr_t address) {
    struct remembered *upper = &buffer->uppers[address / SPAN % UPPERS];
    uintptr_t start = address & ~(SPAN - 1);
    if (upper->table == table && upper->address == start)
        return upper->entry;
    uint64_t *found = user_entry_find(table, address, 2);
    uint64_t entry = found ? user_entry_read(found) : 0;
    if (entry & ENTRY_PRESENT && !(entry & ENTRY_LARGE))
        *upper = (struct remembered){table, start, entry, false};
    return entry;
}

/* Walks and remembers. False: nothing is mapped. */
static bool walk(struct buffer *buffer, struct user_table *table, uintptr_t address, bool write,
                 struct remembered *page) {
    uint64_t upper = upper_entry(buffer, table, address), entry = upper;
    uint64_t *at = NULL;
    if (!(upper & ENTRY_PRESENT))
        return false;
    if (upper & ENTRY_LARGE) {
        entry = upper + (address & (SPAN - 1) & ~(PAGE - 1));
    } else {
        at = (uint64_t *)phys_to_virt(upper & ENTRY_FRAME) + user_level_slot(address, 1);
        entry = user_entry_read(at);
    }
    if (!(entry & ENTRY_PRESENT))
        return false;
    bool writable = entry & upper & ENTRY_WRITABLE;
    uint64_t seen = entry | ENTRY_ACCESSED | (write && writable ? ENTRY_DIRTY : 0);
    if (at && !user_entry_replace(at, &entry, seen)) /* noted in what it read, or read again */
        return walk(buffer, table, address, write, page);
    *page = (struct remembered){table, address & ~(PAGE - 1), entry, writable};
    return true;
}

int machine_user_access(struct user_table *table, uintptr_t address, bool write, uint64_t *value) {
    struct buffer *buffer = &buffers[machine_this_cpu];
    struct remembered *page = &buffer->pages[address / PAGE % PAGES];
    int result = 0;
    pthread_mutex_lock(&buffer->lock);
    if (page->table != table || page->address != (address & ~(PAGE - 1)) ||
        (write && !page->writable))
        if (!walk(buffer, table, address, write, page))
            result = -EFAULT;
    if (!result && write && !page->writable)
        result = -EACCES;
    if (result) /* a fault makes the processor forget what led to it */
        page->table = buffer->uppers[address / SPAN % UPPERS].table = NULL;
    if (!result) {
        char *memory = (char *)phys_to_virt(page->entry & ENTRY_FRAME) + address % PAGE;
        if (write)
            __atomic_store_n((uint64_t *)(void *)memory, *value, __ATOMIC_RELAXED);
        else
            *value = __atomic_load_n((uint64_t *)(void *)memory, __ATOMIC_RELAXED);
    }
    pthread_mutex_unlock(&buffer->lock);
    return result;
}
