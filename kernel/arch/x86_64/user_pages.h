/*
 * Page tables of programs: entries, walks, loading, and flushing exactly the CPUs that may remember
 * an entry. What is mapped where, and when, is decided elsewhere (the HAT).
 *
 * A table's upper half is the kernel's. Entries of the lower half change by single atomic stores,
 * exchanges or compare-and-exchanges: the processor walks them at any time and sets the accessed
 * and dirty bits by itself. Page-table pages may be shared: several entries, of several tables,
 * point to the same one, write-protected by the entries above it.
 *
 * Unless it says otherwise a function may be called in any context, does not wait, cannot fail.
 */
#ifndef KERNEL_USER_PAGES_H
#define KERNEL_USER_PAGES_H

#include "arch.h"
#include "user_copy.h"

/*
 * ---- entries ----
 *
 * Level 1 maps 4 KiB; levels 2 and 3 point to tables or map 2 MiB and 1 GiB; level 4 is the top.
 * What an entry allows is allowed only if all entries above it allow it too.
 */
#define ENTRY_PRESENT  (1ul << 0)
#define ENTRY_WRITABLE (1ul << 1)
#define ENTRY_USER     (1ul << 2)
#define ENTRY_UNCACHED (3ul << 3)
#define ENTRY_ACCESSED (1ul << 5)
#define ENTRY_DIRTY    (1ul << 6)
#define ENTRY_LARGE    (1ul << 7)
/* The processor ignores these three; they are the HAT's. An entry that is not present is ignored
 * but for that, so all its other bits are. */
#define ENTRY_COW    (1ul << 9)  /* would be writable, but a copy must be made first */
#define ENTRY_SHARED (1ul << 10) /* points to a page-table page that others point to as well */
#define ENTRY_SOFT   (1ul << 11)
#define ENTRY_NX     (1ul << 63)
#define ENTRY_FRAME  0x000ffffffffff000ul

#define USER_LEVELS 4

/* ENTRY_NX, or 0 on a processor without. */
extern uint64_t user_entry_nx;

enum {
    USER_PAGE_WRITE = 1,
    USER_PAGE_EXECUTE = 2,
    USER_PAGE_COW = 4,      /* not together with USER_PAGE_WRITE */
    USER_PAGE_UNCACHED = 8, /* registers of devices */
};

/* Bytes that one entry of a level covers. */
static inline uint64_t user_level_size(unsigned level) {
    return 1ul << (3 + 9 * level);
}

static inline unsigned user_level_slot(uintptr_t address, unsigned level) {
    return address >> (3 + 9 * level) & 511;
}

/* Maps the page (of any level) at `frame`. It is clean and not accessed. */
static inline uint64_t user_entry_page(uint64_t frame, unsigned level, unsigned flags) {
    uint64_t entry = frame | ENTRY_PRESENT | ENTRY_USER;
    entry |= flags & USER_PAGE_WRITE ? ENTRY_WRITABLE : 0;
    entry |= flags & USER_PAGE_EXECUTE ? 0 : user_entry_nx;
    entry |= flags & USER_PAGE_COW ? ENTRY_COW : 0;
    entry |= flags & USER_PAGE_UNCACHED ? ENTRY_UNCACHED : 0;
    return entry | (level > 1 ? ENTRY_LARGE : 0);
}

/* Points to a table of its own, which decides what is allowed. */
static inline uint64_t user_entry_table(uint64_t frame) {
    return frame | ENTRY_PRESENT | ENTRY_USER | ENTRY_WRITABLE;
}

/* Points to a table that others point to: nothing below may be written through this entry. */
static inline uint64_t user_entry_shared_table(uint64_t frame) {
    return frame | ENTRY_PRESENT | ENTRY_USER | ENTRY_SHARED;
}

static inline bool user_entry_present(uint64_t entry) {
    return entry & ENTRY_PRESENT;
}

static inline bool user_entry_writable(uint64_t entry) {
    return entry & ENTRY_WRITABLE;
}

static inline bool user_entry_executable(uint64_t entry) {
    return !(entry & user_entry_nx);
}

static inline bool user_entry_accessed(uint64_t entry) {
    return entry & ENTRY_ACCESSED;
}

static inline bool user_entry_dirty(uint64_t entry) {
    return entry & ENTRY_DIRTY;
}

static inline bool user_entry_cow(uint64_t entry) {
    return entry & ENTRY_COW;
}

static inline bool user_entry_shared(uint64_t entry) {
    return entry & ENTRY_SHARED;
}

/* True when a present entry of `level` maps a page rather than pointing to a table. */
static inline bool user_entry_is_page(uint64_t entry, unsigned level) {
    return level == 1 || entry & ENTRY_LARGE;
}

static inline uint64_t user_entry_frame(uint64_t entry) {
    return entry & ENTRY_FRAME;
}

static inline uint64_t user_entry_read(const uint64_t *entry) {
    return __atomic_load_n(entry, __ATOMIC_ACQUIRE);
}

/* What it points to is filled before. */
static inline void user_entry_write(uint64_t *entry, uint64_t value) {
    __atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

/* Returns what was there: the last word on whether the page was accessed and written, once those
 * who may remember the entry have been flushed. */
static inline uint64_t user_entry_exchange(uint64_t *entry, uint64_t value) {
    return __atomic_exchange_n(entry, value, __ATOMIC_ACQ_REL);
}

static inline bool user_entry_replace(uint64_t *entry, uint64_t *expected, uint64_t value) {
    return __atomic_compare_exchange_n(entry, expected, value, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

/* Takes bits (ENTRY_WRITABLE, ENTRY_ACCESSED, ENTRY_DIRTY) away; returns what was there. */
static inline uint64_t user_entry_clear(uint64_t *entry, uint64_t bits) {
    return __atomic_fetch_and(entry, ~bits, __ATOMIC_ACQ_REL);
}

static inline uint64_t user_entry_set(uint64_t *entry, uint64_t bits) {
    return __atomic_fetch_or(entry, bits, __ATOMIC_ACQ_REL);
}

/* ---- tables ---- */

/* Where frames for page-table pages come from and go to: full of zeros, both ways. */
struct user_frames {
    uint64_t (*take)(void *context); /* user_entry_make()'s alone; 0: there is none */
    void (*give)(void *context, uint64_t frame);
    void *context;
};

/*
 * One address space's. The memory is its owner's, user_table_size() bytes; only this part touches
 * the members, but for `root` and `frames`, which may be read.
 */
struct user_table {
    uint64_t root; /* physical address of the top-level page */
    struct user_frames frames;
    const struct user_segments *segments; /* user_segments_set(); atomic */
    uint64_t id;                          /* of no other table, ever */
    uint64_t generation;                  /* counts flushes */
    uint64_t cpus[];                      /* bit map: where it is loaded, or may be */
};

size_t user_table_size(void);

/* An empty one, with a frame of zeros for its root, which goes back to where frames come from. */
void user_table_open(struct user_table *table, const struct user_frames *frames, uint64_t root);
/*
 * Gives back the root, below which nothing is any more. No thread has it as its own and nobody
 * walks it; CPUs that still have it loaded leave it. Same context as user_flush_finish.
 */
void user_table_close(struct user_table *table);

/* Segments of the programs' own, as the processor has descriptors (LDT); constant. */
#define USER_SEGMENTS 8192u
struct user_segments {
    uint64_t count; /* not 0 */
    uint64_t descriptors[];
};
/* Those of an address space from now on (NULL: none). When it returns no CPU uses others. Same
 * context as user_flush_finish. */
void user_segments_set(struct user_table *table, const struct user_segments *segments);

/*
 * Loads it on this CPU (NULL: the kernel's own), with interrupts off. The scheduler's switch and
 * exec do this by themselves (user_switch, user_context_reset).
 */
void user_table_load(struct user_table *table);

/* The entry of `level` for an address, or NULL: no table is there, or a larger page. */
static inline uint64_t *user_entry_find(const struct user_table *table, uintptr_t address,
                                        unsigned level) {
    uint64_t *entries = phys_to_virt(table->root);
    for (unsigned at = USER_LEVELS; at > level; at--) {
        uint64_t entry = user_entry_read(&entries[user_level_slot(address, at)]);
        if (!(entry & ENTRY_PRESENT) || entry & ENTRY_LARGE)
            return NULL;
        entries = phys_to_virt(entry & ENTRY_FRAME);
    }
    return &entries[user_level_slot(address, level)];
}

/*
 * The same, making the tables that are missing; several CPUs may do so at once. It goes through
 * shared tables: whoever may not change those looks at the entry above (level + 1) first. NULL: no
 * frame, or a larger page is there.
 */
uint64_t *user_entry_make(struct user_table *table, uintptr_t address, unsigned level);

/* ---- flushing ---- */

/*
 * Collects what changed in one table, then makes every CPU forget it at once: begin, change
 * entries, tell what was changed, finish. On a stack. Entries that were not present need none.
 *
 * Only entries that allowed more than they do now need it, and those whose accessed or dirty bit
 * was cleared and is wanted exactly.
 */
#define USER_FLUSH_RANGES 8

struct user_flush {
    struct user_table *table;
    unsigned count;
    bool all, tables;
    uint64_t frames; /* of page-table pages, linked by their first words */
    uint64_t pages;
    struct {
        uintptr_t start, end;
        uint32_t shift; /* of the distance of two pages */
    } ranges[USER_FLUSH_RANGES];
};

static inline void user_flush_begin(struct user_flush *flush, struct user_table *table) {
    flush->table = table;
    flush->count = 0;
    flush->all = flush->tables = false;
    flush->frames = flush->pages = 0;
}

/*
 * Entries of `level` for [start, end) were changed; of an entry that pointed to a table: level 1,
 * for all that was mapped through it. Ranges next to each other become one; many cost the same as
 * everything.
 */
void user_flush_range(struct user_flush *flush, uintptr_t start, uintptr_t end, unsigned level);

/* A page-table page with nothing in it that no entry points to any more; given to the table's
 * frames when everybody has forgotten it. What it mapped is told by user_flush_range as well. */
void user_flush_frame(struct user_flush *flush, uint64_t frame);

/*
 * Returns when no CPU remembers an entry from before. Sends to the CPUs that run a program on the
 * table, and to those that merely have it loaded only when tables were changed. A thread's, with
 * interrupts on or off; not while holding a spin lock that somebody takes with interrupts off,
 * since those do not answer.
 */
void user_flush_finish(struct user_flush *flush);

#endif
