/*
 * The inside of the HAT that keeps private pages in page tables: what its files share.
 *
 * walk.c     finding, making and locking leaves     enter.c    mapping, granting, copying
 * leaf.c     records, copies and ends of leaves     remove.c   taking away, protecting, moving
 * page.c     private pages, large ones, gathering   share.c    fork
 * look.c     reading                                page_out.c to the swap, with hand_over.c
 * remember.c pages that are in the swap as well     page_in.c  and back
 * hat_tables.c   the class
 *
 * A *leaf* is a page of 512 entries of level 1, for 2 MiB of addresses; the entry of level 2 that
 * leads to it is its *upper* entry. Tables above are made when needed, by compare-and-exchange, and
 * stay until the HAT ends. All else about 2 MiB of addresses, upper entry, leaf and what is mapped
 * there, is changed with their *slot lock* held: the one of HAT_LOCKS locks they are hashed to.
 *
 * A leaf may be shared by several HATs, its count says by how many. Then all upper entries that
 * lead to it have ENTRY_SHARED and are not writable. Its lock is taken after a slot lock to look at
 * the count, to change it, and to do the one thing that may be done to a shared leaf: take pages of
 * objects away, which leave all address spaces alike. A leaf whose upper entry is not shared
 * belongs to the holder of the slot lock alone. Whoever finds that nobody else shares a leaf any
 * more makes it its own again; it stays whole until then, whoever else ends.
 *
 * Entries of a leaf: nothing (0); a page of an object; a private page (ENTRY_PRIVATE); a private
 * page that may not be used at all, which is not ENTRY_PRESENT; a private page that is out
 * (ENTRY_OUT, see page_out.c). The frame of a private page counts
 * in `holds` the entries that have it; it is given back with the last. A private page that several
 * entries have, or a page cache besides (FRAME_CACHED), is not writable in any. A large page that
 * was parted has a count of its parts, whose entries have ENTRY_PART; FRAME_FORKED in its tag says
 * that several entries may have one part. What a frame's user has in its record is, for a private
 * page, who was charged, and a slot of the swap that has the same (remember.c).
 */
#ifndef KERNEL_HAT_TABLES_H
#define KERNEL_HAT_TABLES_H

#include <user_pages.h>

#include <errno.h>
#include <k42/k42.h>

#include "../../body.h"
#include "../frame/frame.h"
#include "../heap/heap.h"
#include "../pm/pm.h"
#include "../swap/swap.h"
#include "hat.h"

#define PAGE_BYTES  MACHINE_PAGE_SIZE
#define LEAF_BYTES  MACHINE_TABLE_SPAN
#define LEAF_PAGES  512u
#define LARGE_ORDER 9u
#define HAT_LOCKS   16u

#define ENTRY_PRIVATE ENTRY_SOFT
#define ENTRY_PART    (1ul << 52) /* of a large page, from whose start it is counted */

#define ENTRY_OUT (1ul << 53) /* not in memory; not together with ENTRY_PRIVATE */

#define ENTRY_OF_MEMORY (1ul << 54) /* of an object's that is no file */

enum { FRAME_FORKED = 1, FRAME_REMEMBERS = 2 };

static inline uint64_t entry_out(swap_slot slot) {
    return slot << MACHINE_PAGE_SHIFT | ENTRY_OUT;
}

static inline swap_slot entry_slot(uint64_t entry) {
    return (entry & ENTRY_FRAME) >> MACHINE_PAGE_SHIFT;
}

struct slot_lock {
    struct k42_lock lock;
} __attribute__((aligned(64)));

/* All of a HAT's state. */
struct hat_tables {
    struct slot_lock locks[HAT_LOCKS];
    struct user_table *table;
    pm_ref pm;
    uint64_t table_frames; /* without the root */
    bool inherits;         /* a fork's child, until its parent's CPUs were flushed: see share.c */
    bool sharing;          /* a fork's parent, until then; written before any slot is locked */
    uintptr_t hand;        /* where the clock of pages that go out stands, and whether it has */
    bool found;            /* found any since it began its round; relief's thread's */
};

static inline struct hat_tables *tables_of(struct hat *self) {
    return BODY(self);
}

/* What the record of a table's frame has in its user's words; its tag counts a leaf's entries that
 * are not 0, and has LEAF_LOST and which kinds of pages may be among them. */
struct leaf_record {
    struct k42_lock lock;
    k42_id pm;       /* who was charged */
    uint64_t groups; /* bit n: some of entries 8n to 8n + 7 may be in use */
};
_Static_assert(sizeof(struct leaf_record) == 2 * sizeof(uintptr_t), "fits a frame's record");

/* In the tag of a shared leaf: an object's page was taken out of it, on behalf of one of those who
 * have it. CPUs of the others may remember it still. */
enum { LEAF_LOST = 1 << 15 };

enum { LEAF_COUNT = 1023, LEAF_KIND = 10 /* bits to shift by */ };
#define LEAF_KINDS (((1u << HAT_KINDS) - 1) << LEAF_KIND)
_Static_assert(!(LEAF_KINDS & LEAF_LOST) && LEAF_PAGES <= LEAF_COUNT, "fits a tag");

/* A leaf, with its slot locked. */
struct leaf {
    struct hat_tables *tables;
    struct slot_lock *slot;
    uint64_t *upper;
    uint64_t *entries;
    struct leaf_record *record;
    struct frame *frame;
    bool shared;    /* its own lock is held, too */
    uint64_t spare; /* a frame that was taken for a table and not needed, or 0 */
};

static inline uintptr_t leaf_start(uintptr_t address) {
    return address & ~(LEAF_BYTES - 1);
}

static inline unsigned leaf_index(uintptr_t address) {
    return user_level_slot(address, 1);
}

static inline struct leaf_record *leaf_record(struct frame *frame) {
    return (struct leaf_record *)(void *)frame->user;
}

static inline uint32_t holds_of(const struct frame *frame) {
    return __atomic_load_n(&frame->holds, __ATOMIC_ACQUIRE);
}

/* ---- gathering what goes, page.c ---- */

static inline unsigned leaf_used(const struct leaf *leaf) {
    return leaf->frame->tag & LEAF_COUNT;
}

#define GATHER_MAX 64u

struct gather {
    struct hat_tables *tables;
    struct user_flush flush;
    unsigned count;
    uint64_t entries[GATHER_MAX]; /* of private pages; large ones have ENTRY_LARGE */
};

void gather_begin(struct gather *gather, struct hat_tables *tables);
static inline bool gather_is_full(const struct gather *gather) {
    return gather->count == GATHER_MAX;
}
/* A private page's entry is gone; not more than GATHER_MAX of them. */
static inline void gather_page(struct gather *gather, uint64_t entry) {
    gather->entries[gather->count++] = entry;
}
/* An upper entry no longer leads to a leaf that nobody else has. */
void gather_leaf(struct gather *gather, struct frame *frame);
/* Has everybody forget it, then gives back what nobody has any more. No lock is held. May be gone
 * on with afterwards. */
void gather_finish(struct gather *gather);

/* Makes a frame a private page's, which one entry has. It goes back to who was charged for it,
 * whoever has it last. */
static inline void page_begin(struct hat_tables *tables, uint64_t physical) {
    struct frame *frame = frame_at(physical);
    frame->holds = 1;
    frame->user[0] = k42_id_of(tables->pm);
}
/* The frame whose `holds` counts a private page's entry. */
struct frame *page_frame(uint64_t entry);
/* To the PM that was charged, or, when that has gone, the machine's. */
void frame_give(k42_id pm, uint64_t physical, unsigned order, unsigned flags);
/* One entry fewer has it; gives it back with the last. No lock is held. */
void page_drop(uint64_t entry);
/* True when no other entry has the page and none can get it: the slot is locked and the leaf its
 * own. */
bool page_is_ours(uint64_t entry);

/* An entry with what `protection` allows in place of what it allowed. */
uint64_t entry_allow(uint64_t entry, unsigned protection);
uint64_t entry_private(uint64_t physical, unsigned level, unsigned protection);
uint64_t entry_object(uint64_t physical, unsigned level, unsigned protection);

/* ---- pages that are in the swap as well, remember.c ---- */

static inline bool frame_remembers(const struct frame *frame) {
    return __atomic_load_n(&frame->user[1], __ATOMIC_RELAXED) != 0;
}
bool page_remembers_slowly(uint64_t entry);
/* Whether a page remembers a slot, or a large one those of parts. */
static inline bool page_remembers(uint64_t entry) {
    return entry & (ENTRY_PART | ENTRY_LARGE) ? page_remembers_slowly(entry)
                                              : frame_remembers(frame_at(user_entry_frame(entry)));
}
/* What it is, or 0; not of a large page. */
swap_slot page_slot(uint64_t entry);
/* The same, with a hold for the caller, whose entry it is; of an open area only. */
swap_slot page_lend_slot(uint64_t entry);
/* It remembers a slot, of which the caller gives it a hold. Nobody else may see the page, or the
 * caller is relief's thread, with an entry that counts still. */
void page_remember(uint64_t entry, swap_slot slot);
/* Of one area, whoever has the page. Large ones with all their parts. */
void page_forget_area(uint64_t entry, unsigned area);

void page_forget_slowly(uint64_t entry);
/* The page may be written from now on, by the one entry that has it, whose slot is locked; or what
 * it remembers is wanted back. */
static inline void page_forget(uint64_t entry) {
    if (page_remembers(entry))
        page_forget_slowly(entry);
}
/* Nobody has the frame, or block, any more. */
void frame_forget_all(struct frame *frame, unsigned order);

/* ---- walk.c and leaf.c ---- */

/* A frame for a page table, full of zeros, its record zeroed: in the word. Given back with nothing
 * in it. Flags of pm.h. */
struct k42_pair table_take(struct hat_tables *tables, unsigned flags);
void table_give(struct hat_tables *tables, uint64_t physical);

/* The lock of the slot of an address. */
static inline struct slot_lock *slot_of(struct hat_tables *tables, uintptr_t address) {
    uint64_t mixed = (address / LEAF_BYTES) * 0x9e3779b97f4a7c15ul;
    return &tables->locks[mixed >> 60];
}

/* The upper entry of an address; NULL: there is no table yet, and nothing is mapped. */
static inline uint64_t *upper_find(struct hat_tables *tables, uintptr_t address) {
    return user_entry_find(tables->table, address, 2);
}
/* The same, in the word, making the tables it takes. */
struct k42_pair upper_make(struct hat_tables *tables, uintptr_t address);

/* The next address at or after `address` and below `end` whose upper entry is not 0, in the word,
 * or `end`; the upper entry. Takes no lock. */
uintptr_t upper_next(struct hat_tables *tables, uintptr_t address, uintptr_t end, uint64_t **upper);

enum leaf_wish {
    LEAF_FIND,         /* -ENOENT when there is none; a shared one is locked and left shared */
    LEAF_OWN,          /* -ENOENT when there is none; its own afterwards, a large page is parted */
    LEAF_MAKE,         /* makes one */
    LEAF_OWN_URGENTLY, /* as LEAF_OWN, but -EISDIR; by who gives memory back: never -K42_WAIT,
                        * but -ENOMEM */
};

/* Whether a fork shares the tables, so that nothing may become only theirs (share.c); with a slot
 * locked, the answer holds for that. */
static inline bool tables_are_sharing(const struct hat_tables *tables) {
    return __builtin_expect(__atomic_load_n(&tables->sharing, __ATOMIC_RELAXED), 0);
}
/* Notes that the caller waits for the fork's end; returns -K42_WAIT. */
K42_MUST_CHECK
k42_result tables_await_fork(const struct hat_tables *tables);

/* Finds a leaf and locks it. Errors: -ENOENT; -EISDIR, a large page is there (not LEAF_OWN): the
 * slot is locked all the same; -ENOMEM, -K42_WAIT. leaf_unlock() after 0 and -EISDIR. */
K42_MUST_CHECK
k42_result leaf_lock(struct hat_tables *tables, uintptr_t address, enum leaf_wish wish,
                     struct leaf *leaf);
void leaf_unlock(struct leaf *leaf);

static inline enum hat_kind entry_kind(uint64_t entry) {
    return entry & ENTRY_OUT         ? HAT_KIND_OUT
           : entry & ENTRY_PRIVATE   ? HAT_KIND_PRIVATE
           : entry & ENTRY_OF_MEMORY ? HAT_KIND_OF_MEMORY
                                     : HAT_KIND_OF_FILES;
}

/* Puts an entry where none was, takes one away; the accounts follow. Of which kind it is has to be
 * noted as well, before the leaf is unlocked. */
static inline void leaf_note(struct frame *frame, enum hat_kind kind) {
    frame->tag |= (uint16_t)(1u << (LEAF_KIND + kind));
}
static inline void leaf_put(struct leaf *leaf, unsigned index, uint64_t entry) {
    user_entry_write(&leaf->entries[index], entry);
    leaf->frame->tag++;
    leaf->record->groups |= 1ul << (index / 8);
}
static inline uint64_t leaf_take(struct leaf *leaf, unsigned index) {
    uint64_t entry = user_entry_exchange(&leaf->entries[index], 0);
    if (entry)
        leaf->frame->tag--;
    return entry;
}

/* The first entry in use of any table, or of a leaf, from `index` on and before `end`, or `end`. */
unsigned table_next(const uint64_t *entries, unsigned index, unsigned end);
unsigned leaf_next(const struct leaf *leaf, unsigned index, unsigned end);

/* The locked slot's upper entry leads to a shared leaf. True when nobody else shares it any more:
 * it is its own again. */
bool leaf_reclaim(struct hat_tables *tables, uintptr_t address, uint64_t *upper);
/* The locked slot's upper entry leads to a shared leaf: its own copy, in a frame that was taken for
 * it, or itself when nobody else shares it any more. True when the frame was used. */
bool leaf_unshare(struct hat_tables *tables, uintptr_t address, uint64_t *upper, uint64_t spare);
/* The locked slot's upper entry leads to a shared leaf: lets it go, or, when nobody else has it any
 * more (false), makes it its own. */
bool leaf_leave(struct hat_tables *tables, uintptr_t address, uint64_t *upper);
/* The locked slot's upper entry leads to a leaf, its own or not: one HAT more has it. Returns the
 * upper entry of both. The caller flushes. */
uint64_t leaf_share(uint64_t *upper);
/* The locked slot's upper entry maps a large page: 512 parts in a leaf made of the frame. */
void leaf_part(struct hat_tables *tables, uintptr_t address, uint64_t *upper, uint64_t spare);

static inline bool lease_is_over(const struct hat_lease *lease) {
    return lease && __atomic_load_n(lease->word, __ATOMIC_SEQ_CST) != lease->seen;
}

/* Everything in [start, end), the addresses of one leaf, ends; the slot is not locked. */
K42_MUST_CHECK
k42_result slot_release(struct gather *gather, uintptr_t start, uintptr_t end);

/* ---- the methods ---- */

k42_result tables_unmap(struct hat *self, uintptr_t address, size_t length);
k42_result tables_protect(struct hat *self, uintptr_t address, size_t length, unsigned protection);
k42_result tables_map(struct hat *self, uintptr_t address, uint64_t physical, unsigned protection,
                      const struct hat_lease *lease);
k42_result tables_map_around(struct hat *self, uintptr_t address, const struct hat_around *around,
                             const struct hat_lease *lease);
k42_result tables_grant(struct hat *self, uintptr_t address, unsigned protection,
                        const struct hat_lease *lease);
k42_result tables_copy(struct hat *self, uintptr_t address, uint64_t physical, unsigned protection,
                       const struct hat_lease *lease);
k42_result tables_release(struct hat *self, uintptr_t address, size_t length);
k42_result tables_allow(struct hat *self, uintptr_t address, size_t length, unsigned protection);
k42_result tables_move(struct hat *self, uintptr_t from, uintptr_t to, size_t length);
k42_result tables_share(struct hat *self, k42_ref with);
k42_result tables_places(struct hat *self, const uintptr_t *addresses, unsigned count,
                         uint64_t **places);
k42_result tables_look(struct hat *self, uintptr_t address);
k42_result tables_survey(struct hat *self, uintptr_t address, size_t length, uint8_t *bytes);
k42_result tables_forget_used(struct hat *self, uintptr_t address, size_t length);
k42_result tables_peek(struct hat *self, uintptr_t address, void *to, size_t length);
k42_result tables_poke(struct hat *self, uintptr_t address, const void *from, size_t length);
k42_result tables_usage(struct hat *self, struct hat_usage *usage);
k42_result tables_census(struct hat *self, struct hat_census *census);
struct k42_pair tables_page_out(struct hat *self, uint64_t wanted, k42_ref pm,
                                const struct hat_kept *kept);
k42_result tables_bring(struct hat *self, uintptr_t address);
struct k42_pair tables_next_out(struct hat *self, uintptr_t address, unsigned area);

#endif
